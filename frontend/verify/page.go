package verify

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// WritePage writes all that is known of a file, for people.
func (f *Facts) WritePage(w io.Writer, name string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", printable(name), f.Header)
	if f.Kind != "" {
		b.WriteString(" " + f.Kind)
	}
	fmt.Fprintf(&b, ", %s\n", length(f.Size))
	line := func(key string, values ...string) {
		for i, v := range values {
			if i > 0 {
				key = ""
			}
			b.WriteString(strings.TrimRight(fmt.Sprintf("  %-11s%s", key, printable(v)), " ") + "\n")
		}
	}
	if f.Format != "" && f.Format != FormatArchive && f.Format != FormatFat {
		f.pageFormat(line)
	}
	if f.Go != nil {
		f.pageGo(line)
	}
	for _, p := range f.Damage {
		line("damage", p.String())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// pageFormat writes what the format tells.
func (f *Facts) pageFormat(line func(key string, values ...string)) {
	if f.System != "" {
		line("system", f.System)
	}
	if f.ABI != "" {
		line("abi", f.ABI)
	}
	line("linking", linking(f))
	if f.Loader != "" {
		line("loader", f.Loader)
	}
	line("libraries", f.Libraries...)
	line("search", f.SearchPath...)
	line("symbols", map[bool]string{true: "yes", false: "no"}[f.Symbols])
	line("debug", map[bool]string{true: "DWARF", false: "no"}[f.Debug])
}

// pageGo writes what the go command tells.
func (f *Facts) pageGo(line func(key string, values ...string)) {
	line("go", f.Go.GoVersion)
	if f.Go.Path != "" {
		line("package", f.Go.Path)
	}
	if f.Go.Main.Path != "" {
		line("module", module(&f.Go.Main))
	}
	var settings, modules []string
	for _, s := range f.Go.Settings {
		settings = append(settings, s.Key+"="+s.Value)
	}
	for _, m := range f.Go.Deps {
		modules = append(modules, module(m))
	}
	line("settings", settings...)
	line("modules", modules...)
}

// module writes a module with its version and what stands in its place.
func module(m *debug.Module) string {
	s := m.Path
	if m.Version != "" {
		s += " " + m.Version
	}
	if m.Replace != nil {
		s += " => " + module(m.Replace)
	}
	return s
}
