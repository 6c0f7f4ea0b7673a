package scan

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// maxLinks is how many links may lead to one file, as in most systems.
const maxLinks = 40

// links finds the symbolic links among the names of an index and above them.
func (s *scan) links(ix *Index) ([]Link, error) {
	rl, ok := s.fsys.(fs.ReadLinkFS)
	if !ok {
		return nil, nil
	}
	l := linker{scan: s, fs: rl, found: map[string]string{}, real: map[string]bool{".": true}}
	for name := range ix.names() {
		if err := l.follow(name); err != nil {
			return nil, err
		}
	}
	var list []Link
	for name, to := range l.found {
		list = append(list, Link{Name: name, To: to})
	}
	slices.SortFunc(list, func(a, b Link) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// names returns all names of files in the index.
func (ix *Index) names() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range ix.Modules {
			for _, name := range []string{"go.mod", "go.sum", "vendor/modules.txt"} {
				if !yield(path.Join(ix.Modules[i].Dir, name)) {
					return
				}
			}
		}
		works := ix.Works
		if ix.Work != nil {
			works = append(slices.Clip(works), *ix.Work)
		}
		for i := range works {
			for _, name := range []string{"go.work", "go.work.sum", "vendor/modules.txt"} {
				if !yield(path.Join(works[i].Dir, name)) {
					return
				}
			}
		}
		for _, list := range [][]Package{ix.Packages, ix.Vendored} {
			for i := range list {
				if !list[i].names(yield) {
					return
				}
			}
		}
	}
}

// names yields all names of files in the package.
func (p *Package) names(yield func(string) bool) bool {
	for i := range p.Files {
		if !yield(path.Join(p.Dir, p.Files[i].Name)) {
			return false
		}
	}
	for _, o := range p.Others {
		if !yield(path.Join(p.Dir, o.Name)) {
			return false
		}
		for _, name := range o.Includes {
			if !yield(name) {
				return false
			}
		}
	}
	for _, e := range p.Embeds {
		for _, name := range e.Files {
			if !yield(path.Join(p.Dir, name)) {
				return false
			}
		}
	}
	return true
}

// linker follows names.
type linker struct {
	*scan
	fs    fs.ReadLinkFS
	found map[string]string // targets of links
	real  map[string]bool   // directories that no link leads to
}

// follow notes the links on the way to name.
func (l *linker) follow(name string) error {
	for range maxLinks {
		link, err := l.first(name)
		if err != nil || link == "" {
			return err
		}
		to := l.found[link]
		if to == "" {
			return nil
		}
		name = path.Join(to, strings.TrimPrefix(name, link))
	}
	return nil
}

// first returns the link that comes first on the way to name, "" when there is
// none.
func (l *linker) first(name string) (string, error) {
	if dir := path.Dir(name); !l.real[dir] {
		link, err := l.first(dir)
		if err != nil || link != "" {
			return link, err
		}
		l.real[dir] = true
	}
	if _, ok := l.found[name]; ok {
		return name, nil
	}
	is, err := l.leads(name)
	if err != nil || !is {
		return "", err
	}
	to, err := l.fs.ReadLink(name)
	if err != nil {
		return "", err
	}
	l.found[name] = ""
	if !path.IsAbs(to) {
		to = path.Join(path.Dir(name), to)
	}
	if fs.ValidPath(to) {
		l.found[name] = to
	}
	return name, nil
}

// leads reports whether name is a link. What was listed is not asked for.
func (l *linker) leads(name string) (bool, error) {
	if _, ok := l.listings.known(path.Dir(name)); ok {
		return l.isLink(path.Dir(name), path.Base(name)), nil
	}
	info, err := l.fs.Lstat(name)
	if err != nil {
		if l.absent(name, err) {
			err = nil
		}
		return false, err
	}
	return info.Mode()&fs.ModeSymlink != 0, nil
}

// Reach returns the names that a file is reached through: each link on the way to
// it, and in the end itself, unless a link leads out of the tree.
func (ix *Index) Reach(name string) []string {
	var names []string
	for len(ix.Links) > 0 && len(names) < maxLinks {
		link := ix.firstLink(name)
		if link == nil {
			break
		}
		names = append(names, link.Name)
		if link.To == "" {
			return names
		}
		name = path.Join(link.To, strings.TrimPrefix(name, link.Name))
	}
	return append(names, name)
}

// firstLink returns the first link on the way to name, nil when there is none.
func (ix *Index) firstLink(name string) *Link {
	for i, c := range name + "/" {
		if c != '/' {
			continue
		}
		at, found := slices.BinarySearchFunc(ix.Links, name[:i], func(l Link, name string) int { return strings.Compare(l.Name, name) })
		if found {
			return &ix.Links[at]
		}
	}
	return nil
}
