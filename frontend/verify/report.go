package verify

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line is what a report says of a binary.
type Line struct {
	// Name is what the binary is called, and Platform what it is for.
	Name, Platform string
	Facts          *Facts
	// User runs it, "" for a file that nobody runs yet.
	User string
}

// Report writes one line for each binary, in columns: the size, how it is linked,
// whether it is stripped, the Go release, the number of modules and the user.
func Report(lines []Line) string {
	var rows [][]string
	for _, l := range lines {
		rows = append(rows, []string{
			l.Name, l.Platform, length(l.Facts.Size), linking(l.Facts), symbols(l.Facts), release(l.Facts), modules(l.Facts), user(l.User),
		})
	}
	return columns(rows, 2)
}

// columns aligns rows: to the left, but for the column of numbers. A column that
// is empty everywhere is left out.
func columns(rows [][]string, number int) string {
	width := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if width[i] == 0 {
				continue
			}
			pad := strings.Repeat(" ", width[i]-len([]rune(cell)))
			if i == number {
				line.WriteString(pad + cell + "  ")
			} else {
				line.WriteString(cell + pad + "  ")
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// length writes a size for people. What would be 0.0 MB is written in kB.
func length(n int64) string {
	if n < 1e5 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// linking says what the program needs to start.
func linking(f *Facts) string {
	switch {
	case f.Kind == KindLibrary, f.Kind == KindObject:
		return f.Kind
	case f.Dynamic() && f.systemOnly():
		return "system libraries"
	case f.Dynamic():
		return "dynamic"
	}
	return "static"
}

// systemOnly reports whether all libraries are part of a system that no program
// can do without: Windows and macOS.
func (f *Facts) systemOnly() bool {
	known := func(name string) bool {
		return strings.HasPrefix(name, "/usr/lib/") || strings.HasPrefix(name, "/System/Library/")
	}
	switch f.Format {
	case FormatPE:
		known = func(name string) bool {
			return slices.Contains([]string{"advapi32.dll", "kernel32.dll", "ntdll.dll", "user32.dll", "ws2_32.dll"}, strings.ToLower(name))
		}
	case FormatMachO:
	default:
		return false
	}
	return !slices.ContainsFunc(f.Libraries, func(name string) bool { return !known(name) })
}

// symbols says what a debugger finds.
func symbols(f *Facts) string {
	switch {
	case f.Debug:
		return "with DWARF"
	case f.Symbols:
		return "with symbols"
	}
	return "stripped"
}

// release is the Go release that compiled.
func release(f *Facts) string {
	if f.Go == nil {
		return "no Go"
	}
	return printable(f.Go.GoVersion)
}

// modules counts the modules beside the main one.
func modules(f *Facts) string {
	switch {
	case f.Go == nil:
		return ""
	case len(f.Go.Deps) == 0:
		return "no modules"
	case len(f.Go.Deps) == 1:
		return "1 module"
	}
	return fmt.Sprintf("%d modules", len(f.Go.Deps))
}

// user says who runs the binary.
func user(name string) string {
	if name == "" {
		return ""
	}
	return "user " + printable(name)
}

// printable is a text of a file for one line of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}
