package closure

import (
	"go/build/constraint"
	"slices"
)

// Selection is what a target selects of a tree. It may be used by several
// goroutines.
type Selection struct {
	tree *Tree
	mod  string
	also []string
	// noProfile is Target.NoProfile.
	noProfile bool
	*verdict
}

// verdict says which conditions hold. Targets for which the same ones do select
// the same files.
type verdict struct {
	holds    []bool // by condition
	cgo      bool
	picked   []pick // by package
	closures map[closureKey]*Closure
}

// closureKey tells the closures of a verdict apart.
type closureKey struct {
	main      int32
	world     *world
	also      string
	noProfile bool
}

// For returns what a target selects.
func (t *Tree) For(target Target) *Selection {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := make([]byte, len(t.conds)+1)
	for i := range t.conds {
		if t.conds[i].mayHold(target) {
			key[i+1] = 1
		}
	}
	cgo := target.Has("cgo")
	if cgo {
		key[0] = 1
	}
	v := t.verdicts[string(key)]
	if v == nil {
		v = &verdict{holds: make([]bool, len(t.conds)), cgo: cgo, picked: make([]pick, len(t.pkgs)), closures: map[closureKey]*Closure{}}
		for i := range v.holds {
			v.holds[i] = key[i+1] == 1
		}
		t.verdicts[string(key)] = v
	}
	return &Selection{t, target.Mod, target.Also, target.NoProfile, v}
}

// mayHold reports whether a condition holds for a target, as far as that is
// known.
func (c *cond) mayHold(target Target) bool {
	return !slices.ContainsFunc(c.tags, func(tag string) bool { return !target.Has(tag) }) &&
		(c.expr == nil || target.eval(c.expr) != no)
}

// truth is what is known of a condition.
type truth uint8

const (
	no truth = iota
	doubt
	yes
)

// eval is what is known of an expression.
func (target Target) eval(x constraint.Expr) truth {
	switch x := x.(type) {
	case *constraint.AndExpr:
		return min(target.eval(x.X), target.eval(x.Y))
	case *constraint.OrExpr:
		return max(target.eval(x.X), target.eval(x.Y))
	case *constraint.NotExpr:
		return yes - target.eval(x.X)
	case *constraint.TagExpr:
		switch {
		case target.Doubt != nil && target.Doubt(x.Tag):
			return doubt
		case target.Has(x.Tag):
			return yes
		}
		return no
	}
	return doubt
}

// pick is what a target selects of a package.
type pick struct {
	known  bool
	cgo    bool
	built  bool // of some Go file
	groups []*group
	files  chunks // besides those of groups, when nothing can be built
}

// addTo adds the files that are selected.
func (p *pick) addTo(files set) {
	files.addAll(p.files)
	for _, g := range p.groups {
		files.addAll(g.files)
	}
}

// pick returns what is selected of a package.
func (s *Selection) pick(n int32) *pick {
	out := &s.picked[n]
	if out.known {
		return out
	}
	out.known = true
	p := &s.tree.pkgs[n]
	out.groups = make([]*group, 0, len(p.groups))
	for i := range p.groups {
		g := &p.groups[i]
		if g.cgo && !s.cgo || g.cond == condNever || !s.holds[g.cond] {
			continue
		}
		out.built = out.built || !g.beside
		out.cgo = out.cgo || g.cgo && !g.beside
		out.groups = append(out.groups, g)
	}
	if !out.built {
		// The go command says why when it sees the Go files.
		for i := range p.groups {
			out.files = append(out.files, p.groups[i].names...)
		}
	}
	return out
}
