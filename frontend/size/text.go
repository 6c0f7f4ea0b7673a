package size

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// The files that a report is written to.
const (
	TextFile = "size.txt"
	JSONFile = "size.json"
	HTMLFile = "size.html"
)

// topPackages is how many packages of a module the text names.
const topPackages = 5

// WriteText writes the report as a table: for each binary the modules, the
// largest first, with their largest packages.
func (r *Report) WriteText(w io.Writer) error {
	for i := range r.Binaries {
		b := &r.Binaries[i]
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s for %s: a file of %s, %s of it code and data\n", b.Name, r.Platform, human(b.File), human(b.Size))
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		row := func(indent, name string, n int64) {
			fmt.Fprintf(t, "%s\t%.1f%%\t  %s%s\n", human(n), percent(n, b.Size), indent, name)
		}
		for _, m := range b.Modules {
			name := m.Path
			if m.Version != "" {
				name += " " + m.Version
			}
			row("", name, m.Size)
			for i, p := range m.Packages {
				if i == topPackages && len(m.Packages) > topPackages+1 {
					rest := int64(0)
					for _, p := range m.Packages[i:] {
						rest += p.Size
					}
					row("  ", fmt.Sprintf("%d more packages", len(m.Packages)-topPackages), rest)
					break
				}
				row("  ", p.Name, p.Size)
			}
		}
		for _, p := range b.Rest {
			row("", p.Name, p.Size)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes the report with all packages.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// human writes a size for people, with three digits.
func human(n int64) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1_000_000:
		return fmt.Sprintf("%.2f MB", float64(n)/1e6)
	case n >= 10_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n >= 1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}

func percent(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}
