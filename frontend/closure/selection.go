package closure

import (
	"slices"
)

// Selection is what a target selects of a tree. It may be used by several
// goroutines.
type Selection struct {
	tree *Tree
	mod  string
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
	main  int32
	world *world
}

// For returns what a target selects.
func (t *Tree) For(target Target) *Selection {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := make([]byte, len(t.conds)+1)
	for i := range t.conds {
		if t.conds[i].holds(target.Has) {
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
	return &Selection{t, target.Mod, v}
}

// holds reports whether a condition holds where has says which tags are
// satisfied.
func (c *cond) holds(has func(tag string) bool) bool {
	return !slices.ContainsFunc(c.tags, func(tag string) bool { return !has(tag) }) && (c.expr == nil || c.expr.Eval(has))
}

// pick is what a target selects of a package.
type pick struct {
	known  bool
	cgo    bool
	groups []*group
	files  chunks // besides those of groups, when nothing can be built
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
	built := false
	for i := range p.groups {
		g := &p.groups[i]
		if g.cgo && !s.cgo || g.cond == condNever || !s.holds[g.cond] {
			continue
		}
		built = built || !g.beside
		out.cgo = out.cgo || g.cgo && !g.beside
		out.groups = append(out.groups, g)
	}
	if !built {
		// The go command says why when it sees the Go files.
		for i := range p.groups {
			out.files = append(out.files, p.groups[i].names...)
		}
	}
	return out
}
