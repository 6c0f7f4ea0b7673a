package closure

import (
	"go/build/constraint"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// profileName is the profile that the go command looks for beside a main
// package.
const profileName = "default.pgo"

// Tree is an index from which many closures can be made. It may be used by
// several goroutines.
type Tree struct {
	index *scan.Index
	names []string // of files, sorted
	paths []string // of imports, sorted
	pkgs  []pkg    // sorted by dir
	byDir map[string]int32
	conds []cond
	count int // of groups

	mu       sync.Mutex
	worlds   map[worldKey]*world
	verdicts map[string]*verdict
}

// pkg is a package.
type pkg struct {
	dir      string
	module   string
	vendored bool
	groups   []group
	profile  chunks
}

// group is the files of a package that are read under the same condition.
type group struct {
	id      int32 // among all groups
	cond    int32
	cgo     bool // is only read with cgo
	beside  bool // of files that are no Go files
	imports []int32
	// files are the Go files and what they embed, or other files and what they
	// include, with the links on the way to any of them.
	files chunks
	// names are the Go files alone.
	names chunks
}

// parts are the files of a group, as numbers of names that are not in order yet.
type parts struct{ files, names []int32 }

// cond is what must hold for a file to be read.
type cond struct {
	tags []string
	expr constraint.Expr // nil: nothing
}

// New prepares an index.
func New(ix *scan.Index) *Tree {
	t := &Tree{
		index: ix, byDir: map[string]int32{},
		worlds: map[worldKey]*world{}, verdicts: map[string]*verdict{},
	}
	b := builder{Tree: t, paths: map[string]int32{}, conds: map[condKey]int32{}}
	packages := make([]*scan.Package, 0, len(ix.Packages)+len(ix.Vendored))
	for i := range ix.Packages {
		packages = append(packages, &ix.Packages[i])
	}
	for i := range ix.Vendored {
		packages = append(packages, &ix.Vendored[i])
	}
	for i, p := range packages {
		b.pkg(p, i >= len(ix.Packages))
	}
	b.moduleFiles()
	b.sort()
	t.count = len(b.parts)
	return t
}

// builder numbers what a tree holds, first as it comes and then in order. A name
// gets a number each time that it comes.
type builder struct {
	*Tree
	paths map[string]int32
	conds map[condKey]int32
	// parts are those of the groups, by number, and profiles by package.
	parts    []parts
	profiles [][]int32
}

// condNever is the condition of what is never built.
const condNever = -1

// condKey tells conditions apart.
type condKey struct{ name, constraint string }

// pkg adds a package.
func (b *builder) pkg(p *scan.Package, vendored bool) {
	if _, ok := b.byDir[p.Dir]; ok {
		return // nothing is both: an index has a directory once
	}
	out := pkg{dir: p.Dir, module: p.Module, vendored: vendored}
	embeds := map[string][]int32{}
	for _, e := range p.Embeds {
		for _, name := range e.Files {
			embeds[e.Pattern] = b.name(embeds[e.Pattern], join(p.Dir, name))
		}
	}
	for i := range p.Files {
		f := &p.Files[i]
		cond := b.cond(f.Name, f.Constraint)
		if f.Package == "documentation" {
			cond = condNever
		}
		g := b.group(&out, group{cond: cond, cgo: f.Cgo})
		names, part := b.name(nil, join(p.Dir, f.Name)), &b.parts[g.id]
		part.names = append(part.names, names...)
		part.files = append(part.files, names...)
		for _, pattern := range f.Embeds {
			part.files = append(part.files, embeds[pattern]...)
		}
		for _, importPath := range f.Imports {
			g.imports = append(g.imports, b.importPath(importPath))
		}
	}
	var profile []int32
	for i := range p.Others {
		o := &p.Others[i]
		names := b.name(nil, join(p.Dir, o.Name))
		if o.Name == profileName {
			profile = names
			continue
		}
		for _, name := range o.Includes {
			names = b.name(names, name)
		}
		g := b.group(&out, group{cond: b.cond(o.Name, o.Constraint), cgo: needsCgo(o.Name), beside: true})
		b.parts[g.id].files = append(b.parts[g.id].files, names...)
	}
	b.profiles = append(b.profiles, profile)
	b.byDir[p.Dir] = int32(len(b.pkgs))
	b.pkgs = append(b.pkgs, out)
}

// group returns the group of a package that is like g, which may be new.
func (b *builder) group(p *pkg, g group) *group {
	for i := range p.groups {
		if x := &p.groups[i]; x.cond == g.cond && x.cgo == g.cgo && x.beside == g.beside {
			return x
		}
	}
	g.id = int32(len(b.parts))
	b.parts = append(b.parts, parts{})
	p.groups = append(p.groups, g)
	return &p.groups[len(p.groups)-1]
}

// needsCgo reports whether the go command leaves out files of that name when
// cgo is off. It takes headers for assembly's, refuses Fortran, and files for
// SWIG add imports before they are left out.
func needsCgo(name string) bool {
	switch path.Ext(name) {
	case ".c", ".cc", ".cpp", ".cxx", ".m", ".S", ".sx":
		return true
	}
	return false
}

// moduleFiles numbers the files that no package has.
func (b *builder) moduleFiles() {
	for i := range b.index.Modules {
		for _, name := range moduleFiles(&b.index.Modules[i]) {
			b.name(nil, name)
		}
	}
	for i := range b.index.Works {
		for _, name := range workFiles(&b.index.Works[i]) {
			b.name(nil, name)
		}
	}
	if w := b.index.Work; w != nil {
		for _, name := range workFiles(w) {
			b.name(nil, name)
		}
	}
}

// name adds to list the numbers of a file and of the links on the way to it.
func (b *builder) name(list []int32, name string) []int32 {
	if len(b.index.Links) == 0 {
		b.names = append(b.names, name)
		return append(list, int32(len(b.names)-1))
	}
	for _, n := range b.index.Reach(name) {
		b.names = append(b.names, n)
		list = append(list, int32(len(b.names)-1))
	}
	return list
}

// importPath returns the number of an import path, which may be new.
func (b *builder) importPath(text string) int32 {
	n, ok := b.paths[text]
	if !ok {
		n = int32(len(b.Tree.paths))
		b.paths[text] = n
		b.Tree.paths = append(b.Tree.paths, text)
	}
	return n
}

// cond returns the number of a file's condition.
func (b *builder) cond(name, expr string) int32 {
	tags := scan.NameTags(name)
	key := condKey{strings.Join(tags, " "), expr}
	n, ok := b.conds[key]
	if ok {
		return n
	}
	c := cond{tags: tags}
	if expr != "" {
		// An error would be one of the scan, which wrote the expression: no
		// constraint then, since in doubt a file is in.
		c.expr, _ = constraint.Parse("//go:build " + expr)
	}
	n = int32(len(b.Tree.conds))
	b.conds[key] = n
	b.Tree.conds = append(b.Tree.conds, c)
	return n
}

// sort numbers files, import paths and packages in the order of their names, so
// that a set of numbers is a sorted list.
func (b *builder) sort() {
	var names, paths []int32
	b.names, names = renumber(b.names)
	b.Tree.paths, paths = renumber(b.Tree.paths)
	translate := func(list, table []int32) []int32 {
		for i, n := range list {
			list[i] = table[n]
		}
		return list
	}
	for i := range b.pkgs {
		p := &b.pkgs[i]
		for j := range p.groups {
			g := &p.groups[j]
			part := b.parts[g.id]
			g.files, g.names = chunksOf(translate(part.files, names)), chunksOf(translate(part.names, names))
			g.imports = translate(g.imports, paths)
		}
		p.profile = chunksOf(translate(b.profiles[i], names))
	}
	slices.SortFunc(b.pkgs, func(x, y pkg) int { return strings.Compare(x.dir, y.dir) })
	for i := range b.pkgs {
		b.byDir[b.pkgs[i].dir] = int32(i)
	}
}

// renumber sorts a table, drops repetitions and returns the new numbers of its
// old ones.
func renumber(table []string) (sorted []string, numbers []int32) {
	order := make([]int32, len(table))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(table[a], table[b]) })
	numbers = make([]int32, len(table))
	for _, old := range order {
		if n := len(sorted); n == 0 || sorted[n-1] != table[old] {
			sorted = append(sorted, table[old])
		}
		numbers[old] = int32(len(sorted) - 1)
	}
	return sorted, numbers
}

// join is path.Join of names that are clean.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}
