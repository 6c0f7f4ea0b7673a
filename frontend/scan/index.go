package scan

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// ModuleOf returns the module that a directory of the tree belongs to, nil when
// there is none.
func (ix *Index) ModuleOf(dir string) *Module {
	for fs.ValidPath(dir) {
		i, ok := slices.BinarySearchFunc(ix.Modules, dir, func(m Module, dir string) int {
			return strings.Compare(m.Dir, dir)
		})
		if ok {
			return &ix.Modules[i]
		}
		parent := path.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return nil
}

// ModuleAt returns the module whose go.mod is in a directory itself, nil when there
// is none.
func (ix *Index) ModuleAt(dir string) *Module {
	if m := ix.ModuleOf(dir); m != nil && m.Dir == dir {
		return m
	}
	return nil
}

// WorkOf returns the go.work file that the go command obeys in a directory of
// the tree, nil when there is none.
func (ix *Index) WorkOf(dir string) *Work {
	for fs.ValidPath(dir) && dir != "." {
		i, ok := slices.BinarySearchFunc(ix.Works, dir, func(w Work, dir string) int {
			return strings.Compare(w.Dir, dir)
		})
		if ok {
			return &ix.Works[i]
		}
		dir = path.Dir(dir)
	}
	return ix.Work
}

// PackageAt returns the package in a directory of the tree, nil when there is
// none.
func (ix *Index) PackageAt(dir string) *Package {
	i, ok := slices.BinarySearchFunc(ix.Packages, dir, func(p Package, dir string) int {
		return strings.Compare(p.Dir, dir)
	})
	if !ok {
		return nil
	}
	return &ix.Packages[i]
}

// Dir returns the directory of the package that main stands for: a directory
// (".", "./cmd/x", "cmd/x") or an import path of a module in the tree. The
// directory wins. The result is false when the index has no such package.
func (ix *Index) Dir(main string) (dir string, ok bool) {
	mods := make([]*Module, len(ix.Modules))
	for i := range ix.Modules {
		mods[i] = &ix.Modules[i]
	}
	for _, c := range candidates(main, mods) {
		p := ix.PackageAt(c.dir)
		if p == nil {
			continue
		}
		if m := ix.ModuleOf(c.dir); c.byPath && (m == nil || m.ImportPath(c.dir) != main) {
			continue
		}
		return c.dir, true
	}
	return "", false
}

// candidate is a directory that may be meant by the name of a package.
type candidate struct {
	dir    string
	byPath bool // the name is an import path
}

// candidates returns the directories that name may stand for, most likely
// first.
func candidates(name string, mods []*Module) []candidate {
	var list []candidate
	if dir := path.Clean(name); name != "" && fs.ValidPath(dir) {
		list = append(list, candidate{dir: dir})
	}
	mods = slices.Clone(mods)
	slices.SortStableFunc(mods, func(a, b *Module) int { return cmp.Compare(len(b.Path), len(a.Path)) })
	for _, m := range mods {
		rest, ok := strings.CutPrefix(name, m.Path)
		if !ok || m.Path == "" || rest != "" && rest[0] != '/' {
			continue
		}
		if dir := path.Join(m.Dir, rest); fs.ValidPath(dir) {
			list = append(list, candidate{dir: dir, byPath: true})
		}
	}
	return list
}

// ImportPath returns the import path of a directory of the module, "" when dir
// is not below the module.
func (m *Module) ImportPath(dir string) string {
	rel, ok := m.rel(dir)
	if !ok {
		return ""
	}
	return path.Join(m.Path, rel)
}

// rel returns the path from the module's directory to dir, "" when they are the
// same.
func (m *Module) rel(dir string) (string, bool) {
	if dir == m.Dir {
		return "", true
	}
	if m.Dir == "." {
		return dir, fs.ValidPath(dir)
	}
	return strings.CutPrefix(dir, m.Dir+"/")
}

// ignores reports whether an ignore directive covers a directory: ./x is that
// directory of the module, x any directory of that name, or path of names.
func (m *Module) ignores(dir string) bool {
	rel, ok := m.rel(dir)
	if !ok || rel == "" {
		return false
	}
	rel = slashed(rel)
	for _, p := range m.Ignore {
		if p, ok := strings.CutPrefix(p, "./"); ok {
			if strings.HasPrefix(rel, slashed(p)) {
				return true
			}
		} else if strings.Contains(rel, slashed(p)) {
			return true
		}
	}
	return false
}

// slashed returns p with a slash at both ends, so that only whole names match.
func slashed(p string) string {
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	if !strings.HasSuffix(p, "/") {
		p += "/"
	}
	return p
}

// resolveRequires sets Requires of all modules.
func (ix *Index) resolveRequires() {
	shared := map[*Work]stands{}
	for i := range ix.Modules {
		m := &ix.Modules[i]
		local := stands{}
		if w := ix.WorkOf(m.Dir); w == nil || !slices.Contains(w.Use, m.Dir) {
			local.add(m.Replaces)
		} else if local = shared[w]; local == nil {
			local = ix.workspace(w)
			shared[w] = local
		}
		m.Requires = slices.ContainsFunc(m.Requirements, func(r string) bool {
			path, version, _ := strings.Cut(r, "@")
			versions := local[path]
			return !slices.Contains(versions, "") && !slices.Contains(versions, version)
		})
	}
}

// stands are the versions of modules that something local stands in place of,
// "" for all of them.
type stands map[string][]string

func (s stands) add(list []Replace) {
	for _, r := range list {
		s[r.Path] = append(s[r.Path], r.Version)
	}
}

// workspace returns what stands in place of requirements in a workspace: its
// modules and all replacements.
func (ix *Index) workspace(w *Work) stands {
	local := stands{}
	local.add(w.Replaces)
	for i := range ix.Modules {
		if m := &ix.Modules[i]; slices.Contains(w.Use, m.Dir) {
			local[m.Path] = append(local[m.Path], "")
			local.add(m.Replaces)
		}
	}
	return local
}
