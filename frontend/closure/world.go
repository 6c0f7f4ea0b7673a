package closure

import (
	"fmt"
	"go/version"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// world is where the go command looks for packages when it builds one of a
// module: the main modules, and what stands in place of others.
type world struct {
	tree     *Tree
	roots    map[string][]root // by module path
	required map[string]string // versions of required modules by path, the highest
	pruned   bool              // each module that is needed is required
	vendor   string
	numbers  []int32 // of files
	files    chunks
	known    []resolution // by import path
	leads    []*lead      // by group
}

// lead is where the imports of a group lead.
type lead struct {
	pkgs chunks
	away []away
}

// away are import paths that lead elsewhere than to packages of the tree that
// are not vendored.
type away struct {
	place place
	paths chunks
}

type worldKey struct{ module, mod string }

// root is a directory that holds a module of the tree.
type root struct {
	dir string
	// doubtful says that the module may not be in use.
	doubtful bool
}

// place is where an import path leads.
type place uint8

const (
	placeUnknown place = iota
	placeTree
	placeVendor
	placeStd
	placeExternal
	placeMissing
	places
)

// resolution is what an import path stands for. A package in doubt is in the
// tree and external.
type resolution struct {
	place place
	pkg   int32 // -1: none
}

// world returns that of the module to which a package belongs.
func (t *Tree) world(main, mod string) (*world, error) {
	n, ok := t.byDir[main]
	if !ok || t.pkgs[n].vendored {
		return nil, fmt.Errorf("no package in %s", main)
	}
	m := t.index.ModuleOf(main)
	if m == nil {
		return nil, fmt.Errorf("no go.mod in %s, nor above it", main)
	}
	if m.Err != nil {
		return nil, m.Err
	}
	work := t.index.WorkOf(m.Dir)
	if work != nil && work.Err != nil {
		return nil, work.Err
	}
	key := worldKey{m.Dir, mod}
	if work != nil && slices.Contains(work.Use, m.Dir) {
		key.module = path.Join(work.Dir, "go.work")
	}
	if t.worlds[key] == nil {
		w := t.newWorld(m, work, mod)
		w.files = chunksOf(w.numbers)
		t.worlds[key] = w
	}
	return t.worlds[key], nil
}

// newWorld finds out where the go command looks in the directory of a module.
func (t *Tree) newWorld(m *scan.Module, work *scan.Work, mod string) *world {
	w := &world{
		tree:     t,
		roots:    map[string][]root{},
		required: map[string]string{},
		pruned:   true,
		known:    make([]resolution, len(t.paths)),
		leads:    make([]*lead, t.count),
	}
	mains, replaces := []*scan.Module{m}, []scan.Replace(nil)
	vendored, line := m.Vendor, m.Go
	owner := m.Dir
	if work != nil {
		vendored, line, owner = work.Vendor, work.Go, work.Dir
		replaces = append(replaces, work.Replaces...)
		for _, dir := range work.Use {
			if used := t.index.ModuleAt(dir); used != nil && used != m {
				mains = append(mains, used)
			}
		}
		w.addFiles(workFiles(work))
	}
	for _, main := range mains {
		w.addFiles(moduleFiles(main))
		if main.Err != nil {
			continue
		}
		w.roots[main.Path] = []root{{dir: main.Dir}}
		w.pruned = w.pruned && atLeast(main.Go, "1.17")
		w.require(main.Requirements)
		replaces = append(replaces, main.Replaces...)
	}
	if mod == "vendor" || mod == "" && atLeast(line, "1.14") {
		if vendored {
			w.vendor = path.Join(owner, "vendor")
			return w // the go command reads no directory that replaces a module
		}
	}
	w.replace(replaces)
	return w
}

// atLeast reports whether the version of a go line is v or later.
func atLeast(line, v string) bool { return line != "" && version.Compare("go"+line, "go"+v) >= 0 }

// require notes requirements, written path@version.
func (w *world) require(list []string) {
	for _, r := range list {
		p, v, _ := strings.Cut(r, "@")
		if known, ok := w.required[p]; !ok || semver.Compare(v, known) > 0 {
			w.required[p] = v
		}
	}
}

// replace notes the directories that stand in place of modules. One that is not
// required is in use only if another module requires it: a main module of
// before Go 1.17 need not say so.
func (w *world) replace(list []scan.Replace) {
	exact := map[string]bool{} // paths of which the version in use is replaced
	for _, r := range list {
		if v, ok := w.required[r.Path]; ok && v == r.Version {
			exact[r.Path] = true
		}
	}
	mains := maps.Clone(w.roots)
	for _, r := range list {
		v, required := w.required[r.Path]
		if mains[r.Path] != nil || !fs.ValidPath(r.Dir) {
			continue // a main module is not replaced
		}
		// The go command reads this to find out which version is in use, and so it
		// does for one that is not: another module may require it.
		if m := w.tree.index.ModuleAt(r.Dir); m != nil {
			w.addFiles([]string{path.Join(r.Dir, "go.mod")})
		}
		if required && r.Version != v && (r.Version != "" || exact[r.Path]) {
			continue
		}
		w.roots[r.Path] = append(w.roots[r.Path], root{dir: r.Dir, doubtful: !required && w.pruned})
	}
}

// addFiles adds files by name.
func (w *world) addFiles(names []string) {
	for _, name := range names {
		for _, real := range w.tree.index.Reach(name) {
			if n, ok := slices.BinarySearch(w.tree.names, real); ok {
				w.numbers = append(w.numbers, int32(n))
			}
		}
	}
}

// moduleFiles are the files of a main module that the go command reads whatever
// it builds.
func moduleFiles(m *scan.Module) []string {
	files := []string{path.Join(m.Dir, "go.mod")}
	if m.Sum {
		files = append(files, path.Join(m.Dir, "go.sum"))
	}
	if m.Vendor {
		files = append(files, path.Join(m.Dir, "vendor", "modules.txt"))
	}
	return files
}

// workFiles are the files of a workspace, apart from those of its modules.
func workFiles(w *scan.Work) []string {
	files := []string{path.Join(w.Dir, "go.work")}
	if w.Sum {
		files = append(files, path.Join(w.Dir, "go.work.sum"))
	}
	if w.Vendor {
		files = append(files, path.Join(w.Dir, "vendor", "modules.txt"))
	}
	return files
}

// lead says where the imports of a group lead.
func (w *world) lead(g *group) *lead {
	if w.leads[g.id] == nil {
		var pkgs []int32
		var paths [places][]int32
		for _, id := range g.imports {
			to := w.resolve(id)
			if to.pkg >= 0 {
				pkgs = append(pkgs, to.pkg)
			}
			if to.place != placeTree {
				paths[to.place] = append(paths[to.place], id)
			}
		}
		l := &lead{pkgs: chunksOf(pkgs)}
		for p, list := range paths {
			if len(list) > 0 {
				l.away = append(l.away, away{place(p), chunksOf(list)})
			}
		}
		w.leads[g.id] = l
	}
	return w.leads[g.id]
}

// resolve says where an import path leads.
func (w *world) resolve(id int32) resolution {
	r := &w.known[id]
	if r.place == placeUnknown {
		*r = w.find(w.tree.paths[id])
	}
	return *r
}

// packages returns those of the tree that import paths stand for.
func (w *world) packages(paths []string) []int32 {
	var list []int32
	for _, p := range paths {
		if r := w.find(p); r.pkg >= 0 {
			list = append(list, r.pkg)
		}
	}
	return list
}

// find is resolve for a path.
func (w *world) find(importPath string) resolution {
	ours := false // a module of the tree could have it
	for prefix, rest := importPath, ""; ; {
		for _, root := range w.roots[prefix] {
			ours = true
			n, ok := w.tree.byDir[path.Join(root.dir, rest)]
			switch {
			case !ok || w.tree.pkgs[n].vendored || w.tree.pkgs[n].module != root.dir:
			case root.doubtful:
				return resolution{placeExternal, n}
			default:
				return resolution{placeTree, n}
			}
		}
		i := strings.LastIndexByte(prefix, '/')
		if i < 0 {
			break
		}
		prefix, rest = prefix[:i], importPath[i+1:]
	}
	if w.vendor != "" {
		if n, ok := w.tree.byDir[path.Join(w.vendor, importPath)]; ok && w.tree.pkgs[n].vendored {
			return resolution{placeVendor, n}
		}
	}
	return resolution{w.elsewhere(importPath, ours), -1}
}

// elsewhere says where a path leads that is none of the tree.
func (w *world) elsewhere(importPath string, ours bool) place {
	first, _, _ := strings.Cut(importPath, "/")
	required := false
	for p := importPath; p != "." && p != "/"; p = path.Dir(p) {
		if _, ok := w.required[p]; ok && w.roots[p] == nil {
			required = true
		}
	}
	dotted := strings.Contains(first, ".")
	switch {
	case required && w.vendor == "":
		return placeExternal
	case ours && w.pruned && (dotted || !isStd(first)):
		return placeMissing
	case !dotted:
		return placeStd
	case w.vendor != "":
		return placeMissing
	}
	return placeExternal
}

// isStd reports whether import paths of the standard library begin with that
// element. It matters for modules of such a name only.
func isStd(first string) bool {
	switch first {
	case "archive", "bufio", "builtin", "bytes", "cmp", "compress", "container",
		"context", "crypto", "database", "debug", "embed", "encoding", "errors",
		"expvar", "flag", "fmt", "go", "hash", "html", "image", "index",
		"internal", "io", "iter", "log", "maps", "math", "mime", "net", "os",
		"path", "plugin", "reflect", "regexp", "runtime", "slices", "sort",
		"strconv", "strings", "structs", "sync", "syscall", "testing", "text",
		"time", "unicode", "unique", "unsafe", "weak":
		return true
	}
	return false
}
