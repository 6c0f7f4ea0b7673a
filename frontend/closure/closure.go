// Package closure is what a build reads of a source tree: for one main package
// on one target, the files of the tree that the go command opens, and the import
// paths that lead out of it.
//
// It works on names alone, all of which are in the index of package scan. When
// in doubt a file is in: one too many costs a compilation that was not
// needed, one too few breaks the build.
//
// Invariant: a closure depends on the index, the main package and the target.
// The package reads nothing.
package closure

import (
	"math/bits"
	"path"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// Closure is what a build reads. All lists are sorted.
type Closure struct {
	// Files are the files of the tree, as slash paths from its root: Go files and
	// those beside them, what they embed, the go.mod, go.sum and go.work files
	// that decide, and the symbolic links on the way to any of them.
	Files []string
	// Below are those of Files that the packages of other modules are compiled
	// with: what decides which modules there are, and vendored source.
	Below []string
	// Packages are the directories of the packages that are compiled from the
	// tree, but for the vendored ones.
	Packages []string
	// Std are the import paths of the standard library, and External those of
	// other modules, that Packages and Vendored import directly.
	Std, External []string
	// Vendored are the import paths of the packages in Vendor that are compiled.
	Vendored []string
	// Missing are import paths of modules in the tree that neither the tree nor
	// any requirement has a package for. The go command has the words for that.
	Missing []string
	// Vendor is the directory that the go command takes the packages of other
	// modules from, "" when it takes them from the module cache.
	Vendor string
	// Profile is the default.pgo beside the main package, "" when there is none
	// that is read. It is one of Files. With it, all packages are compiled for this main
	// package alone.
	Profile string
	// Cgo are the directories of the packages that are compiled with cgo. What C
	// source includes is not known.
	Cgo []string
	// Unbuilt are those of Packages of which no Go file is compiled. The go command
	// refuses them.
	Unbuilt []string
}

// Target is what a build is for.
type Target struct {
	// Has reports whether a build tag is satisfied: GOOS, GOARCH, cgo, unix,
	// release and user tags alike.
	Has func(tag string) bool
	// Doubt reports whether it is not known if a build tag is satisfied; Has is
	// not asked then. A file that may be read is in. Nil: nothing is in doubt.
	Doubt func(tag string) bool
	// Also are import paths that other modules import, which may be those of
	// packages of the tree.
	Also []string
	// Mod is the value of the go command's flag -mod, "" when it is not given.
	Mod string
	// NoProfile says that the go command does not look for a default.pgo, as with
	// -pgo=off or another profile.
	NoProfile bool
}

// Of returns the closure of the main package in a directory of the tree. Of many
// closures of a tree, [New] makes each cheaper.
func Of(ix *scan.Index, main string, t Target) (*Closure, error) {
	return New(ix).For(t).Of(main)
}

// Of returns the closure of the main package in a directory of the tree. It must
// not be changed: others may get the same one.
func (s *Selection) Of(main string) (*Closure, error) {
	t := s.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	main = path.Clean(main)
	w, err := t.world(main, s.mod)
	if err != nil {
		return nil, err
	}
	key := closureKey{t.byDir[main], w, strings.Join(s.also, " "), s.noProfile}
	if c := s.closures[key]; c != nil {
		return c, nil
	}
	r := reach{Selection: s, world: w, pkgs: newSet(len(t.pkgs)), files: newSet(len(t.names))}
	for i := range r.paths {
		r.paths[i] = newSet(len(t.paths))
	}
	r.add(chunksOf(append(w.packages(s.also), key.main)))
	for len(r.queue) > 0 {
		next := r.queue[len(r.queue)-1]
		r.queue = r.queue[:len(r.queue)-1]
		r.visit(next)
	}
	c := r.closure(key.main)
	s.closures[key] = c
	return c, nil
}

// reach is what a closure has reached so far.
type reach struct {
	*Selection
	world *world
	queue []int32
	pkgs  set
	files set
	paths [places]set // by where they lead
}

// add puts packages into the queue, each once.
func (r *reach) add(list chunks) {
	for _, c := range list {
		fresh := c.bits &^ r.pkgs[c.word]
		r.pkgs[c.word] |= c.bits
		for ; fresh != 0; fresh &= fresh - 1 {
			r.queue = append(r.queue, c.word*64+int32(bits.TrailingZeros64(fresh)))
		}
	}
}

// visit adds what a package needs.
func (r *reach) visit(pkg int32) {
	p := r.pick(pkg)
	p.addTo(r.files)
	for _, g := range p.groups {
		l := r.world.lead(g)
		r.add(l.pkgs)
		for _, away := range l.away {
			r.paths[away.place].addAll(away.paths)
		}
	}
}

// closure writes down what was reached.
func (r *reach) closure(main int32) *Closure {
	t := r.tree
	c := &Closure{Vendor: r.world.vendor}
	r.files.addAll(r.world.files)
	if p := &t.pkgs[main]; len(p.profile) > 0 && !r.noProfile {
		c.Profile = path.Join(p.dir, profileName)
		r.files.addAll(p.profile)
	}
	c.Files = r.files.of(t.names)
	c.Std, c.External = r.paths[placeStd].of(t.paths), r.paths[placeExternal].of(t.paths)
	c.Missing, c.Vendored = r.paths[placeMissing].of(t.paths), r.paths[placeVendor].of(t.paths)
	below := newSet(len(t.names))
	below.addAll(r.world.files)
	for pkg := range r.pkgs.all() {
		p, picked := &t.pkgs[pkg], &r.picked[pkg]
		switch {
		case p.vendored:
			picked.addTo(below)
		case !picked.built:
			c.Unbuilt = append(c.Unbuilt, p.dir)
			fallthrough
		default:
			c.Packages = append(c.Packages, p.dir)
		}
		if picked.cgo {
			c.Cgo = append(c.Cgo, p.dir)
		}
	}
	c.Below = below.of(t.names)
	return c
}
