package draft

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// reserved are the targets that no binary may be called.
func reserved() []string {
	return []string{"binaries", "test", "cover", "debug", "modules", "size", "vet", "vuln"}
}

// goName names a binary as go build does: after the last element of the import
// path that is not a major version.
func goName(importPath string) string {
	dir, name := path.Split(importPath)
	if dir != "" && isVersion(name) {
		return path.Base(dir)
	}
	return name
}

// isVersion reports whether a path element is a major version: v2 and above.
func isVersion(elem string) bool {
	digits, ok := strings.CutPrefix(elem, "v")
	return ok && digits != "" && digits != "1" && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}

// assign sets the keys of programs: no two are the same, not even where upper
// and lower case are one. The first ones, which are the important ones, do not
// give way to the rest.
//
// Programs of the same name get names of more of their directories, all of
// them and by one directory at a time. Only where the directories do not tell
// them apart they are numbered, in their order.
func assign(programs []*program, important int) {
	taken := map[string]bool{}
	for _, name := range reserved() {
		taken[name] = true
	}
	for _, group := range [][]*program{programs[:important], programs[important:]} {
		extend(group, taken)
		for _, p := range group {
			key := p.key
			for n := 2; taken[strings.ToLower(p.key)]; n++ {
				p.key = fmt.Sprintf("%s-%d", key, n)
			}
			taken[strings.ToLower(p.key)] = true
		}
	}
}

// naming is a program on its way to a key.
type naming struct {
	*program
	names []string // that it may have, the best first
	next  int      // the one to try next
}

// extend sets the keys of programs to names that are not taken and differ, as
// far as the directories allow.
func extend(programs []*program, taken map[string]bool) {
	var all []*naming
	for _, p := range programs {
		n := &naming{program: p, names: candidates(p)}
		n.extend()
		all = append(all, n)
	}
	for {
		holders := map[string][]*naming{}
		for _, n := range all {
			key := strings.ToLower(n.key)
			holders[key] = append(holders[key], n)
		}
		changed := false
		for key, same := range holders {
			if len(same) == 1 && !taken[key] {
				continue
			}
			for _, n := range yielding(same) {
				changed = n.extend() || changed
			}
		}
		if !changed {
			return
		}
	}
}

// extend takes the next name. It reports whether there was one.
func (n *naming) extend() bool {
	if n.next == len(n.names) {
		return false
	}
	n.key = n.names[n.next]
	n.next++
	return true
}

// yielding are those of the same name that must take another one: those that
// have been given it here, else all of them.
func yielding(same []*naming) []*naming {
	first := slices.MinFunc(same, func(a, b *naming) int { return a.next - b.next }).next
	var given []*naming
	for _, n := range same {
		if n.next > first && n.next < len(n.names) {
			given = append(given, n)
		}
	}
	if len(given) > 0 {
		return given
	}
	return same
}

// candidates are the names that a program may have, the best first: that of
// go build, then with the directories above it. Directories called cmd tell
// nothing, so they come last.
func candidates(p *program) []string {
	name := clean(p.name)
	names := []string{name}
	if p.dir == "." {
		return names
	}
	elems := strings.Split(p.dir, "/")
	for len(elems) > 0 && (isVersion(elems[len(elems)-1]) || elems[len(elems)-1] == p.name) {
		elems = elems[:len(elems)-1]
	}
	telling := slices.DeleteFunc(slices.Clone(elems), func(e string) bool { return e == "cmd" })
	for i := len(telling) - 1; i >= 0; i-- {
		names = append(names, clean(strings.Join(append(slices.Clip(telling[i:]), name), "-")))
	}
	if len(telling) < len(elems) {
		names = append(names, clean(strings.Join(append(slices.Clip(elems), name), "-")))
	}
	return names
}

// clean makes a name of letters, digits and - . _, as a spec has it.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '.', r == '-':
			return r
		}
		return '-'
	}, name)
	if name = strings.TrimLeft(name, "-."); name == "" {
		return "program"
	}
	return name
}
