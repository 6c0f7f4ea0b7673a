package plan

import (
	"cmp"
	"go/version"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// mainPackage is the main package that was chosen.
type mainPackage struct {
	module *scan.Module
	// arg is the package as an argument of go build in the module's directory.
	arg string
	// name is the name of the binary.
	name string
}

// main finds the main package: the one that the spec names, or the only one.
// It returns nil when there is none, which was reported then.
func (r *resolver) main(platforms []requested) *mainPackage {
	if len(r.index.Modules) == 0 {
		r.fail(r.noModule())
		return nil
	}
	if len(platforms) == 0 {
		return nil // what is wrong with all of them was reported
	}
	if r.written(&r.spec.Main) {
		return r.namedMain(platforms)
	}
	if e := r.brokenModule(); e != nil {
		r.fail(e)
		return nil
	}
	var dirs []string
	for i := range r.index.Packages {
		p := &r.index.Packages[i]
		if r.ours(p) && r.isMain(p, platforms) {
			dirs = append(dirs, p.Dir)
		}
	}
	switch {
	case len(dirs) == 1:
		return r.chosen(dirs[0])
	case len(dirs) == 0:
		r.fail(r.start("no main package in %s", r.moduleNames()).WithHelp("an image needs a program: a directory with package main"))
		return nil
	case slices.Contains(dirs, "."):
		// What go build without arguments means in the module's directory.
		return r.chosen(".")
	}
	r.fail(r.start("several main packages: %s", list(args(dirs))).WithHelp("choose one with main: %s", args(dirs)[0]))
	return nil
}

// noModule says why there is no module.
func (r *resolver) noModule() *spec.Error {
	e := r.start("no go.mod in the context")
	if r.opt.Ignored {
		name := path.Base(r.spec.File()) + ".dockerignore"
		return e.WithHelp(".dockerignore excludes it; a file %s beside the spec is read instead", name)
	}
	return e.WithHelp("expected the directory of a Go module as the context")
}

// brokenModule returns what is wrong with the go.mod of the only module there
// is. Others that cannot be read are none of ours.
func (r *resolver) brokenModule() *spec.Error {
	for i := range r.index.Modules {
		if r.index.Modules[i].Err == nil {
			return nil
		}
	}
	e := r.index.Modules[0].Err
	return &spec.Error{File: e.File, Pos: spec.Pos{Line: e.Line, Column: e.Column}, Msg: e.Msg}
}

// namedMain finds the main package that the spec names.
func (r *resolver) namedMain(platforms []requested) *mainPackage {
	field := &r.spec.Main
	main, ok := r.expand(field)
	if !ok {
		return nil
	}
	if e := r.checkMain(main); e != nil {
		r.fail(e)
		return nil
	}
	dir, found := r.index.Dir(main)
	var p *scan.Package
	if found {
		p = r.index.PackageAt(dir)
	}
	switch {
	case p == nil:
		e := r.spec.Errorf(field, "main: no Go package %s in the context", main)
		r.fail(e.WithHelp("%s", r.mainHelp(main, platforms)))
		return nil
	case !r.isMain(p, platforms):
		e := r.spec.Errorf(field, "main: %s %s", main, describe(p))
		r.fail(e.WithHelp("%s", r.mainHelp(main, platforms)))
		return nil
	}
	return r.chosen(dir)
}

// checkMain refuses what go build would take for something else than one
// package of the context.
func (r *resolver) checkMain(main string) *spec.Error {
	field := &r.spec.Main
	switch {
	case main == "" || strings.HasPrefix(main, "-") || strings.ContainsAny(main, "\n\\*?[@"):
		return r.spec.Errorf(field, "main: %q is not a package", main).WithHelp("expected a directory such as ./cmd/server")
	case strings.Contains(main, "..."):
		return r.spec.Errorf(field, "main: %s is a pattern", main).WithHelp("expected one package, such as ./cmd/server")
	case strings.HasSuffix(main, ".go"):
		return r.spec.Errorf(field, "main: %s is a file", main).WithHelp("expected its directory: %s", arg(path.Dir(main)))
	case strings.HasPrefix(main, "/"):
		return r.spec.Errorf(field, "main: %s is an absolute path", main).WithHelp("expected a path from the context's root, such as ./cmd/server")
	case path.Clean(main) == ".." || strings.HasPrefix(path.Clean(main), "../"):
		return r.spec.Errorf(field, "main: %s is outside of the context", main)
	}
	return nil
}

// mainHelp names the nearest main package, or all of them.
func (r *resolver) mainHelp(main string, platforms []requested) string {
	var dirs []string
	for i := range r.index.Packages {
		if p := &r.index.Packages[i]; r.isMain(p, platforms) {
			dirs = append(dirs, p.Dir)
		}
	}
	names := args(dirs)
	if len(names) == 0 {
		return "the context has no main package"
	}
	if near := spec.Nearest(arg(path.Clean(main)), names); near != "" {
		return "did you mean " + near + "?"
	}
	return "main packages: " + list(names)
}

// chosen completes what is known of a main package.
func (r *resolver) chosen(dir string) *mainPackage {
	m := r.index.ModuleOf(dir)
	rel := "."
	if dir != m.Dir {
		rel = strings.TrimPrefix(dir, m.Dir+"/")
	}
	return &mainPackage{module: m, arg: arg(rel), name: binaryName(m.ImportPath(dir))}
}

// ours reports whether a package may be the main package without being named:
// it belongs to the module in the root or to one of the workspace. Where the
// root has neither, any module will do.
func (r *resolver) ours(p *scan.Package) bool {
	m := r.index.ModuleOf(p.Dir)
	if m == nil {
		return false
	}
	if w := r.index.Work; w != nil {
		return slices.Contains(w.Use, m.Dir)
	}
	return m.Dir == "." || r.index.ModuleOf(".") == nil
}

// isMain reports whether the package is a program on one of the platforms.
func (r *resolver) isMain(p *scan.Package, platforms []requested) bool {
	m := r.index.ModuleOf(p.Dir)
	if m == nil || m.Err != nil {
		return false
	}
	release := strings.TrimPrefix(version.Lang("go"+cmp.Or(r.spec.Go, m.Go)), "go")
	tags := r.tags(nil)
	return slices.ContainsFunc(platforms, func(q requested) bool {
		return p.Main(func(tag string) bool { return q.port.Has(tag, tags, release) })
	})
}

// moduleNames names the modules for a message.
func (r *resolver) moduleNames() string {
	var names []string
	for i := range r.index.Modules {
		names = append(names, "module "+r.index.Modules[i].Path)
	}
	return list(names)
}

// describe says what a package is that is not a main package.
func describe(p *scan.Package) string {
	for i := range p.Files {
		if f := &p.Files[i]; f.Package != "" && f.Package != "main" && !strings.HasSuffix(f.Name, "_test.go") {
			return "is package " + f.Package + ", not a main package"
		}
	}
	return "has no file for the platforms that are built"
}

// versionElement is a path element that go build does not name a binary after.
var versionElement = regexp.MustCompile(`^v([2-9]|[1-9][0-9]+)$`)

// binaryName names a binary as go build does: after the last element of the
// import path that is not a major version.
func binaryName(importPath string) string {
	dir, name := path.Split(importPath)
	if dir != "" && versionElement.MatchString(name) {
		return path.Base(dir)
	}
	return name
}

// arg writes a directory as an argument of the go command.
func arg(dir string) string {
	if dir == "." || strings.HasPrefix(dir, "./") {
		return dir
	}
	return "./" + dir
}

func args(dirs []string) []string {
	out := make([]string, len(dirs))
	for i, d := range dirs {
		out[i] = arg(d)
	}
	return out
}
