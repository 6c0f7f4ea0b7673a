package plan

import (
	"go/build/constraint"
	"slices"

	"github.com/gopherfile/gopherfile/frontend/closure"
	"github.com/gopherfile/gopherfile/frontend/scan"
)

// needsCgo reports packages of a closure that hold Go files for builds with cgo
// and none for builds without. The go command refuses them without a word of
// cgo. In doubt it may choose other files, and this says nothing.
func (sc *scope) needsCgo(c *closure.Closure, target closure.Target) bool {
	// Doubts take long to find, and nearly every program has nothing of the kind.
	if len(c.Unbuilt) == 0 || slices.ContainsFunc(c.Packages, func(dir string) bool { return sc.inDoubt(c, dir, target) }) {
		return false
	}
	failed := false
	for _, dir := range c.Unbuilt {
		p := sc.index.PackageAt(dir)
		files := cgoOnly(p, target)
		if len(files) == 0 {
			continue
		}
		failed = true
		e := sc.mainErrorf(sc.unit, "%s needs cgo (%s), and binaries are built without cgo", arg(p.Dir), list(files))
		if sc.field == nil {
			e.Pos = sc.spec.At(&sc.spec.Main)
		}
		sc.fail(e.WithHelp("do not import it, or add a file to it for builds without cgo: //go:build !cgo"))
	}
	return failed
}

// inDoubt reports whether it is not known which package a directory of a closure
// is, or which of its files are built.
func (sc *scope) inDoubt(c *closure.Closure, dir string, target closure.Target) bool {
	p := sc.index.PackageAt(dir)
	return p == nil || filesInDoubt(p, target) || slices.Contains(c.External, sc.index.ModuleOf(dir).ImportPath(dir))
}

// cgoOnly returns the Go files of a package when none of them is built without
// cgo.
func cgoOnly(p *scan.Package, target closure.Target) []string {
	var files []string
	for i := range p.Files {
		f := &p.Files[i]
		if f.Match(target.Has) {
			return nil
		}
		if f.Match(func(tag string) bool { return tag == "cgo" || target.Has(tag) }) {
			files = append(files, join(p.Dir, f.Name))
		}
	}
	return files
}

// filesInDoubt reports whether it is not known which files of a package are built.
func filesInDoubt(p *scan.Package, target closure.Target) bool {
	return slices.ContainsFunc(p.Files, func(f scan.File) bool {
		if f.Constraint == "" {
			return false
		}
		expr, err := constraint.Parse("//go:build " + f.Constraint)
		doubt := err != nil
		if err == nil {
			expr.Eval(func(tag string) bool { // of all tags
				doubt = doubt || target.Doubt(tag)
				return true
			})
		}
		return doubt
	})
}
