package lint

import (
	"fmt"
	"go/build/constraint"
	"path"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
)

// knownTags returns the tags that Go files of the context name. It returns
// false when there may be others: in modules from elsewhere, in files that were
// not read, or in another standard library than the rules know.
func (in *Input) knownTags() (tags []string, ok bool) {
	ix := in.Index
	foreign := func(m scan.Module) bool { return m.Err != nil || m.Requires || m.Vendor }
	if plan.Mains(in.Spec) != nil || !in.sameRelease() || slices.ContainsFunc(ix.Modules, foreign) || ix.Work != nil && ix.Work.Vendor {
		return nil, false
	}
	for i := range ix.Packages {
		p := &ix.Packages[i]
		if p.Tests {
			return nil, false
		}
		for _, f := range p.Files {
			named, ok := constrained(f)
			if !ok {
				return nil, false
			}
			tags = append(tags, named...)
		}
	}
	return tags, true
}

// constrained returns the tags that decide whether a file is built, false when
// that is not known. The words of its name may be among them.
func constrained(f scan.File) (tags []string, ok bool) {
	stem, _, _ := strings.Cut(f.Name, ".")
	tags = strings.Split(stem, "_")[1:]
	if f.Cgo {
		tags = append(tags, "cgo")
	}
	if f.Constraint == "" {
		return tags, f.Package != ""
	}
	expr, err := constraint.Parse("//go:build " + f.Constraint)
	if err != nil {
		return nil, false
	}
	var walk func(constraint.Expr)
	walk = func(expr constraint.Expr) {
		switch x := expr.(type) {
		case *constraint.AndExpr:
			walk(x.X)
			walk(x.Y)
		case *constraint.OrExpr:
			walk(x.X)
			walk(x.Y)
		case *constraint.NotExpr:
			walk(x.X)
		case *constraint.TagExpr:
			tags = append(tags, x.Tag)
		}
	}
	walk(expr)
	return tags, true
}

func cgoDisabledButImported() Rule {
	return Rule{
		Name:    "CgoDisabledButImported",
		Summary: `Files of a package are left out, since they import "C"`,
		Why: `
Binaries are built without cgo, and the go command leaves out every file that
imports "C" then, without a word. What the file declares is undefined, or what it
registers is missing at run time.

A package that is written for both has a file for the other case, with the
constraint !cgo. Where a file of the package names cgo in its constraint, the
author thought of it, and the rule says nothing.

It looks at the packages of the context that a binary is made of; of one whose
compile reads the whole context, at the main package alone. A package that has no
file at all for builds without cgo is no matter of this rule: it is an error.
`,
		Bad: Example{Spec: `
main: ./cmd/server
`, Tree: `
-- cmd/server/main.go --
package main

func main() {}
-- cmd/server/sound.go --
package main

// #include <math.h>
import "C"

func init() { println(C.sqrt(2)) }
`},
		Good: Example{Spec: `
main: ./cmd/server
`, Tree: `
-- cmd/server/main.go --
package main

func main() {}
-- cmd/server/sound.go --
//go:build cgo

package main

// #include <math.h>
import "C"

func init() { println(C.sqrt(2)) }
`},
		Check: checkCgoDisabledButImported,
	}
}

func checkCgoDisabledButImported(in *Input) (out []finding) {
	for _, u := range in.units() {
		for _, t := range u.targets {
			files := in.leftOut(t)
			if len(files) == 0 {
				continue
			}
			format := `%s imports "C" and is left out: binaries are built without cgo`
			if len(files) > 1 {
				format = `%s import "C" and are left out: binaries are built without cgo`
			}
			at := in.written(&in.Spec.Main)
			if u.field != nil {
				at = in.written(&u.field.Main, &u.field.Name)
			}
			out = append(out, finding{at, fmt.Sprintf(format, strings.Join(files, ", "))})
		}
	}
	return out
}

// leftOut returns the files that would be built with cgo, and are not without,
// of the packages that a target's binary is made of.
func (in *Input) leftOut(t *plan.Target) []string {
	b := &t.Binaries[0]
	if value := goflags.Getenv(b.Env, "CGO_ENABLED"); value != "0" {
		return nil
	}
	dirs := []string{path.Join(b.Dir, b.Main)}
	for _, name := range b.Files {
		if path.Ext(name) == ".go" {
			dirs = append(dirs, path.Dir(name))
		}
	}
	slices.Sort(dirs)
	var files []string
	for _, dir := range slices.Compact(dirs) {
		if p := in.Index.PackageAt(dir); p != nil {
			files = append(files, in.leftOutOf(p, t)...)
		}
	}
	return files
}

// leftOutOf is leftOut for one package.
func (in *Input) leftOutOf(p *scan.Package, t *plan.Target) []string {
	has := func(tag string) bool { return t.Port.Has(tag, tagsOf(&t.Binaries[0]), in.Plan.Release) }
	with := func(tag string) bool { return tag == "cgo" || has(tag) }
	var files []string
	for i := range p.Files {
		f := p.Files[i]
		tags, _ := constrained(scan.File{Name: "x.go", Constraint: f.Constraint})
		if slices.Contains(tags, "cgo") {
			return nil
		}
		if f.Package != "" && f.Match(with) && !f.Match(has) {
			files = append(files, path.Join(p.Dir, f.Name))
		}
	}
	return files
}
