package size

import (
	"cmp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// count gives every byte of the sections to a package or to a part. Symbols that
// overlap share no byte: the first one has it.
func count(b *Binary, img *image, info *debug.BuildInfo) {
	packages, rest := map[string]int64{}, map[string]int64{}
	next := 0
	for _, s := range img.sections {
		at, end := s.addr, s.addr+s.size
		for next < len(img.symbols) && img.symbols[next].addr < at {
			next++
		}
		for ; next < len(img.symbols) && img.symbols[next].addr < end; next++ {
			sym := img.symbols[next]
			last := sym.addr + sym.size
			if sym.size == 0 {
				last = end
				if next+1 < len(img.symbols) {
					last = min(end, img.symbols[next+1].addr)
				}
			}
			last = min(last, end)
			if last < sym.addr || last <= at {
				continue // nothing of its own
			}
			from := max(at, sym.addr)
			give(packages, rest, s, sym.name, int64(last-from))
			rest[partOf(s.name, s.code)] += int64(from - at)
			at = last
		}
		rest[partOf(s.name, s.code)] += int64(end - at)
	}
	b.Modules = modules(packages, info)
	b.Rest = parts(rest)
	for _, m := range b.Modules {
		b.Size += m.Size
	}
	for _, p := range b.Rest {
		b.Size += p.Size
	}
}

// give counts the bytes of a symbol.
func give(packages, rest map[string]int64, s section, name string, n int64) {
	path := packageOf(name)
	switch part := partOf(s.name, s.code); {
	case part == partTables:
		rest[part] += n
	case linked(name) != "":
		rest[linked(name)] += n
	case path != "":
		packages[path] += n
	case part == partCode && !strings.Contains(name, ":"):
		rest[partAssembly] += n
	default:
		rest[part] += n
	}
}

// linked says what a symbol is for that the linker makes for all packages, though
// it has the name of one.
func linked(name string) string {
	switch name {
	case "runtime.findfunctab":
		return partTables
	case "runtime.typelink", "runtime.itablink":
		return partStrings
	}
	return ""
}

// modules are the modules of packages. Names are from the file, where a directive
// of a dependency can put anything: they are made printable for all who show them.
func modules(packages map[string]int64, info *debug.BuildInfo) []Module {
	type key struct{ path, version string }
	found := map[key]map[string]int64{}
	for path, n := range packages {
		path, m := moduleOf(path, info)
		path = redact.Printable(path)
		k := key{redact.Printable(m.Path), redact.Printable(m.Version)}
		if found[k] == nil {
			found[k] = map[string]int64{}
		}
		found[k][path] += n
	}
	all := []Module{}
	for k, list := range found {
		m := Module{Path: k.path, Version: k.version, Packages: parts(list)}
		for _, p := range m.Packages {
			m.Size += p.Size
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Module) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
	})
	return all
}

// moduleOf is the module of a package, and the package by its import path: in a
// binary the main package is called main.
func moduleOf(path string, info *debug.BuildInfo) (string, debug.Module) {
	if path == "main" {
		path = cmp.Or(info.Path, path)
		if info.Main.Path != "" {
			return path, debug.Module{Path: info.Main.Path, Version: strings.Trim(info.Main.Version, "()")}
		}
	}
	best := debug.Module{}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m != nil && len(m.Path) > len(best.Path) && (path == m.Path || strings.HasPrefix(path, m.Path+"/")) {
			best = *m
			if m.Replace != nil && m.Replace.Version != "" {
				best.Version = m.Replace.Version
			}
		}
	}
	if best.Path == "" {
		best = debug.Module{Path: Std, Version: info.GoVersion}
	}
	best.Version = strings.Trim(best.Version, "()") // a working tree is (devel)
	return path, best
}

// parts are sizes by name, the largest first.
func parts(sizes map[string]int64) []Part {
	all := []Part{}
	for name, n := range sizes {
		if n > 0 {
			all = append(all, Part{name, n})
		}
	}
	slices.SortFunc(all, func(a, b Part) int { return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Name, b.Name)) })
	return all
}
