package closure

import (
	"path"
	"slices"
	"strings"
)

// Stratum is packages of a closure that can be compiled when those of the strata
// before it are.
type Stratum struct {
	// Packages are the directories of its packages, sorted.
	Packages []string
	// Files are what is read to compile them and all strata before it, sorted.
	Files []string
}

// Strata splits the packages of a closure, without the main package and what is
// vendored, into at most n strata of about the same number: first what imports
// nothing of the tree, last what the main package imports. An edit of a package
// leaves the strata before its own alone.
func (s *Selection) Strata(main string, n int) ([]Stratum, error) {
	c, err := s.Of(main)
	if err != nil {
		return nil, err
	}
	t := s.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	w, err := t.world(path.Clean(main), s.mod)
	if err != nil {
		return nil, err
	}
	d := depths{Selection: s, world: w, known: map[int32]int{}}
	var pkgs []int32
	for _, dir := range c.Packages {
		if p := t.byDir[dir]; dir != path.Clean(main) {
			d.of(p)
			pkgs = append(pkgs, p)
		}
	}
	slices.SortFunc(pkgs, func(a, b int32) int {
		if d.known[a] != d.known[b] {
			return d.known[a] - d.known[b]
		}
		return strings.Compare(t.pkgs[a].dir, t.pkgs[b].dir)
	})
	var strata []Stratum
	files := newSet(len(t.names))
	files.addAll(w.files)
	for start := 0; start < len(pkgs); {
		end := d.cut(pkgs, start, (len(strata)+1)*len(pkgs)/n)
		strata = append(strata, s.stratum(pkgs[start:end], files))
		start = end
	}
	return strata, nil
}

// cut is where a stratum ends that begins at start and should end at want: where
// the next depth begins.
func (d *depths) cut(pkgs []int32, start, want int) int {
	end := max(start+1, want)
	for end < len(pkgs) && d.known[pkgs[end]] == d.known[pkgs[end-1]] {
		end++
	}
	return end
}

// stratum adds the files of packages to those of the strata before.
func (s *Selection) stratum(pkgs []int32, files set) Stratum {
	var out Stratum
	for _, n := range pkgs {
		s.pick(n).addTo(files)
		out.Packages = append(out.Packages, s.tree.pkgs[n].dir)
	}
	slices.Sort(out.Packages)
	out.Files = files.of(s.tree.names)
	return out
}

// depths is how many packages of the tree lie below each other.
type depths struct {
	*Selection
	world *world
	known map[int32]int
}

// of is the depth of a package, 0 when it imports none of the tree. Packages that
// import each other, which no compiler takes, get some depth.
func (d *depths) of(pkg int32) int {
	if n, ok := d.known[pkg]; ok {
		return n
	}
	d.known[pkg] = 0
	depth := 0
	for _, g := range d.pick(pkg).groups {
		for b := range d.world.lead(g).pkgs.all() {
			if !d.tree.pkgs[b].vendored {
				depth = max(depth, d.of(b)+1)
			}
		}
	}
	d.known[pkg] = depth
	return depth
}
