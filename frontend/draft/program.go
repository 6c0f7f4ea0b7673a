package draft

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// program is a main package.
type program struct {
	dir    string
	module *scan.Module
	// name is the name of the binary as go build gives it, key the one that it
	// has among others in a spec.
	name, key string
	// ours is true when the program may be built without being named.
	ours bool
	// side is the directory of helpers that it stands in, "" when in none.
	side string
	// ports are those that it is built for. With none, it needs cgo.
	ports []port
	cgo   bool
}

// findPrograms sets the programs, sorted by directory. What no go command
// takes for a package is left out.
func (d *drafter) findPrograms() {
	var all, seen []*program
	for i := range d.index.Packages {
		p := &d.index.Packages[i]
		m := d.index.ModuleOf(p.Dir)
		if m == nil || !d.usable(m) || module.CheckImportPath(m.ImportPath(p.Dir)) != nil {
			continue
		}
		prog := &program{dir: p.Dir, module: m, name: goName(m.ImportPath(p.Dir)), ours: d.ours(m), side: sideOf(p.Dir)}
		for _, q := range ports() {
			if p.Main(q.has(m.Go, false)) {
				prog.ports = append(prog.ports, q)
			}
			prog.cgo = prog.cgo || p.Main(q.has(m.Go, true))
		}
		prog.cgo = prog.cgo && len(prog.ports) == 0
		if !prog.cgo && len(prog.ports) == 0 {
			continue
		}
		all = append(all, prog)
		if !d.ignore.hides(p, m) {
			seen = append(seen, prog)
		}
	}
	d.ignore.look(d.index, all)
	// An ignore file that hides all was written for something else than the
	// build of a Go program. A note says so; the draft is of what there is.
	if d.programs = seen; len(seen) == 0 {
		d.programs = all
	}
}

// usable reports whether the go command builds packages of a module: in a
// workspace it knows no other modules.
func (d *drafter) usable(m *scan.Module) bool {
	w := d.index.WorkOf(m.Dir)
	return m.Err == nil && (w == nil || slices.Contains(w.Use, m.Dir))
}

// ours reports whether the programs of a usable module may be built without
// being named: it is the module in the root or one of the workspace. Where the
// root has neither, any module will do.
func (d *drafter) ours(m *scan.Module) bool {
	if w := d.index.Work; w != nil {
		return slices.Contains(w.Use, m.Dir)
	}
	return m.Dir == "." || d.index.ModuleOf(".") == nil
}

// sideOf returns the directory of helpers that dir is or stands in, "" when in
// none. Programs in cmd are there to be built, whatever their name.
func sideOf(dir string) string {
	elems := strings.Split(dir, "/")
	for i, e := range elems {
		switch e {
		case "contrib", "doc", "docs", "e2e", "example", "examples", "hack", "integration", "internal",
			"script", "scripts", "test", "testdata", "tests", "tool", "tools":
			if last := i == len(elems)-1; !last || i == 0 || elems[i-1] != "cmd" {
				return e
			}
		}
	}
	return ""
}

// choose decides what the spec builds: the programs of the modules that a
// build looks at, else those of others, else helpers.
func (d *drafter) choose() error {
	for _, likely := range []func(p *program) bool{
		func(p *program) bool { return p.ours && p.side == "" },
		func(p *program) bool { return p.side == "" },
		func(p *program) bool { return p.ours },
		func(*program) bool { return true },
	} {
		for _, q := range ports() {
			for _, p := range d.programs {
				if likely(p) && slices.Contains(p.ports, q) {
					d.chosen = append(d.chosen, p)
				}
			}
			if len(d.chosen) > 0 {
				d.port = q
				d.name()
				return nil
			}
		}
	}
	return d.noProgram()
}

// name decides what the spec has to name, and under which names.
func (d *drafter) name() {
	if found := d.implied(); found != nil && slices.Contains(d.chosen, found) {
		d.found = found
	} else {
		for _, p := range d.programs {
			if !p.cgo && !slices.Contains(d.chosen, p) {
				d.left = append(d.left, p)
			}
		}
	}
	assign(append(slices.Clip(d.chosen), d.left...), len(d.chosen))
}

// implied returns the program that is built when the spec names none, nil when
// there is no such program.
func (d *drafter) implied() *program {
	var found []*program
	for _, p := range d.programs {
		if p.ours && slices.Contains(p.ports, d.port) {
			found = append(found, p)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	for _, p := range found {
		if p.dir == "." {
			return p // as go build without arguments
		}
	}
	return nil
}

// built are the programs that the spec builds: of several that it does not
// name, the one that is found.
func (d *drafter) built() []*program {
	if d.found != nil {
		return []*program{d.found}
	}
	return d.chosen
}

// noProgram says why there is nothing to build.
func (d *drafter) noProgram() error {
	var cgo []string
	for _, p := range d.programs {
		cgo = append(cgo, arg(p.dir))
	}
	if len(cgo) > 0 {
		return fmt.Errorf("no main package compiles without cgo, which is off: %s", list(cgo))
	}
	var paths []string
	for i := range d.index.Modules {
		if m := &d.index.Modules[i]; d.usable(m) {
			paths = append(paths, "module "+m.Path)
		}
	}
	if len(paths) == 0 {
		return errors.New("go.work uses no module below it")
	}
	return errors.New("no main package in " + list(paths) + ": expected a directory with package main")
}

// why says in words why a program was left out.
func (d *drafter) why(p *program) string {
	switch {
	case !slices.Contains(p.ports, d.port):
		return "for " + p.ports[0].String()
	case !p.ours:
		return "module " + p.module.Path
	}
	return "under " + p.side
}

// arg writes a directory as a spec names a main package.
func arg(dir string) string {
	if dir == "." {
		return dir
	}
	return "./" + dir
}

// list writes names for a message: a few of them.
func list(names []string) string {
	const most = 6
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most-1], ", "), len(names)-most+1)
	}
	return strings.Join(names, ", ")
}
