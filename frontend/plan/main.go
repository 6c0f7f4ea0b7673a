package plan

import (
	"cmp"
	"errors"
	"go/version"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// Mains returns what the spec names as main packages, for the scan to look at
// nothing else. It returns nil when the whole tree must be read. A URL with a password
// is no main package, and what the scan looks at is in the graph.
func Mains(s *spec.Spec) []string {
	mains := []string{s.Main}
	if len(s.Binaries) > 0 {
		mains = nil
	}
	for i := range s.Binaries {
		mains = append(mains, cmp.Or(s.Binaries[i].Main, s.Main))
	}
	if slices.ContainsFunc(mains, func(main string) bool { return main == "" || redact.Has(main) }) {
		return nil
	}
	return mains
}

// BlamesMain reports whether an error of Resolve is about a main package that the
// spec names. With an index of the whole tree it says which others there are.
func BlamesMain(s *spec.Spec, err error) bool {
	var list spec.ErrorList
	if !errors.As(err, &list) {
		return false
	}
	named := (&resolver{spec: s}).mainFields()
	return slices.ContainsFunc(list, func(e *spec.Error) bool {
		return e.File == s.File() && slices.ContainsFunc(named, func(field *string) bool { return s.Pos(field) == e.Pos })
	})
}

// mainPackage is the main package that was chosen.
type mainPackage struct {
	module *scan.Module
	// dir is its directory, "" when it stands in for one that was not found.
	dir string
	// arg is the package as an argument of go build in the module's directory.
	arg string
	// name is the name of the binary.
	name string
}

// findMain finds the main package of a binary: the one that the spec names, the
// only one, or the one that go build would name like the binary. It returns
// nil when there is none, which was reported then.
func (r *resolver) findMain(u *unit, platforms []requested) *mainPackage {
	field := &r.spec.Main
	if u.field != nil && r.written(&u.field.Main) {
		field = &u.field.Main
	}
	if r.written(field) {
		return r.namedMain(u, field, platforms)
	}
	if e := r.brokenModule(); e != nil {
		r.fail(e)
		return nil
	}
	var dirs []string
	for i := range r.index.Packages {
		p := &r.index.Packages[i]
		if r.ours(p) && r.isMain(u, p, platforms) {
			dirs = append(dirs, p.Dir)
		}
	}
	named := slices.IndexFunc(dirs, func(dir string) bool { return r.chosen(dir).name == u.name })
	switch {
	case len(dirs) == 1:
		return r.chosen(dirs[0])
	case len(dirs) == 0:
		e := r.mainErrorf(u, "no main package in %s", r.moduleNames()).WithHelp("an image needs a program: a directory with package main")
		if name := r.ignoredMain(); name != "" {
			e.WithHelp("%s", r.ignoredHelp(name))
		}
		r.fail(e)
		return nil
	case named >= 0:
		return r.chosen(dirs[named])
	case slices.Contains(dirs, "."):
		// What go build without arguments means in the module's directory.
		return r.chosen(".")
	}
	r.fail(r.mainErrorf(u, "several main packages: %s", list(args(dirs))).WithHelp("choose one with main: %s", args(dirs)[0]))
	return nil
}

// mainErrorf is an error about a binary that names no main package.
func (r *resolver) mainErrorf(u *unit, format string, a ...any) *spec.Error {
	if u.field == nil {
		return r.start(format, a...)
	}
	return r.spec.Errorf(&u.field.Name, "binaries."+u.name+": "+format, a...)
}

// noModule says why there is no module.
func (r *resolver) noModule() *spec.Error {
	e := r.start("no go.mod in the context")
	for _, field := range r.mainFields() {
		if dir, ok := r.index.Dir(*field); ok {
			e = r.spec.Errorf(field, "main: no go.mod in %s, nor above it", arg(dir))
			break
		}
	}
	if r.ignored("go.mod") {
		return e.WithHelp("%s", r.ignoredHelp("it"))
	}
	return e.WithHelp("expected the directory of a Go module as the context")
}

// mainFields are the fields that name main packages.
func (r *resolver) mainFields() []*string {
	fields := []*string{&r.spec.Main}
	for i := range r.spec.Binaries {
		fields = append(fields, &r.spec.Binaries[i].Main)
	}
	return slices.DeleteFunc(fields, func(field *string) bool { return !r.written(field) })
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
	return moduleError(e)
}

// moduleError is what is wrong with a go.mod.
func moduleError(e *scan.Error) *spec.Error {
	return &spec.Error{File: e.File, Pos: spec.Pos{Line: max(e.Line, 1), Column: max(e.Column, 1)}, Msg: e.Msg}
}

// namedMain finds the main package that a field names.
func (r *resolver) namedMain(u *unit, field *string, platforms []requested) *mainPackage {
	main, ok := r.expand(field)
	if !ok {
		return nil
	}
	if e := r.checkMain(field, main); e != nil {
		r.fail(e)
		return nil
	}
	dir, found := r.index.Dir(main)
	var p *scan.Package
	if found {
		p = r.index.PackageAt(dir)
	}
	switch m := r.index.ModuleOf(dir); {
	case p == nil:
		e, mains := r.spec.Errorf(field, "main: no Go package %s in the context", main), r.mains(u, platforms)
		e.WithHelp("%s", mainsHelp(mains))
		if near := spec.Nearest(arg(path.Clean(main)), mains); near != "" {
			e.WithHelp("did you mean %s?", near)
		}
		r.fail(r.unlessIgnored(e, main))
		return nil
	case m == nil:
		r.fail(r.spec.Errorf(field, "main: %s is in no module", main).WithHelp("expected a directory below a go.mod"))
		return nil
	case m.Err != nil:
		r.fail(moduleError(m.Err))
		return nil
	case !r.used(m):
		w := r.index.WorkOf(m.Dir)
		r.fail(r.spec.Errorf(field, "main: %s is in a module that %s does not use", main, join(w.Dir, "go.work")).
			WithHelp("add it: go work use %s; build.env: {GOWORK: off} ignores go.work", arg(relative(w.Dir, m.Dir))))
		return nil
	case !r.isMain(u, p, platforms):
		e := r.spec.Errorf(field, "main: %s %s", main, describe(p))
		r.fail(r.unlessIgnored(e.WithHelp("%s", mainsHelp(r.mains(u, platforms))), main))
		return nil
	}
	return r.chosen(dir)
}

// checkMain refuses what go build would take for something else than one
// package of the context.
func (r *resolver) checkMain(field *string, main string) *spec.Error {
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
		return r.spec.Errorf(field, "main: %s is outside of the context", main).WithHelp("make the common parent directory the context, and name the program from there")
	}
	return nil
}

// mains are the main packages of the index that a binary can be made of, as
// arguments of go build.
func (r *resolver) mains(u *unit, platforms []requested) []string {
	var dirs []string
	for i := range r.index.Packages {
		p := &r.index.Packages[i]
		if r.isMain(u, p, platforms) && r.used(r.index.ModuleOf(p.Dir)) {
			dirs = append(dirs, p.Dir)
		}
	}
	return args(dirs)
}

// unlessIgnored tells of .dockerignore where that keeps the usual file of a main
// package away.
func (r *resolver) unlessIgnored(e *spec.Error, main string) *spec.Error {
	if name := path.Join(main, "main.go"); r.ignored(name) {
		return e.WithHelp("%s", r.ignoredHelp(name))
	}
	return e
}

// mainsHelp says which main packages there are.
func mainsHelp(mains []string) string {
	if len(mains) == 0 {
		return "expected a directory with package main" // the index may be of that package alone
	}
	return "main packages: " + list(mains)
}

// chosen completes what is known of a main package.
func (r *resolver) chosen(dir string) *mainPackage {
	m := r.index.ModuleOf(dir)
	rel := "."
	if dir != m.Dir {
		rel = strings.TrimPrefix(dir, m.Dir+"/")
	}
	return &mainPackage{module: m, dir: dir, arg: arg(rel), name: binaryName(m.ImportPath(dir))}
}

// ours reports whether a package may be the main package without being named:
// it belongs to the module in the root or to one of the workspace. Where the
// root has neither, any module will do.
func (r *resolver) ours(p *scan.Package) bool {
	m := r.index.ModuleOf(p.Dir)
	if m == nil || !r.used(m) {
		return false
	}
	if w := r.index.Work; w != nil {
		return slices.Contains(w.Use, m.Dir)
	}
	return m.Dir == "." || r.index.ModuleOf(".") == nil
}

// used reports whether the go command takes a module for a main module in its
// own directory: the go.work file that it obeys there uses it. One that uses none
// is an error by itself.
func (r *resolver) used(m *scan.Module) bool {
	w := r.index.WorkOf(m.Dir)
	return w == nil || len(w.Use) == 0 || slices.Contains(w.Use, m.Dir)
}

// isMain reports whether the package is a program on one of the platforms.
func (r *resolver) isMain(u *unit, p *scan.Package, platforms []requested) bool {
	m := r.index.ModuleOf(p.Dir)
	if m == nil || m.Err != nil {
		return false
	}
	if r.badPlatform {
		return slices.ContainsFunc(p.Files, func(f scan.File) bool { return f.Package == "main" })
	}
	release := strings.TrimPrefix(version.Lang("go"+cmp.Or(r.spec.Go, m.Go)), "go")
	if u.early == nil {
		u.early = append([]string{}, (&scope{resolver: r, unit: u}).tags()...)
	}
	return slices.ContainsFunc(platforms, func(q requested) bool {
		return p.Main(func(tag string) bool { return q.port.Has(tag, u.early, release) })
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
	if p.Tests && len(p.Files) == 0 {
		return "holds tests only"
	}
	if slices.ContainsFunc(p.Files, func(f scan.File) bool { return f.Package == "main" && f.Cgo }) {
		return "imports C, and binaries are built without cgo"
	}
	return "has no file for the platforms and build tags of this spec"
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
