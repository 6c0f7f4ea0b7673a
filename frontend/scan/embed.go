package scan

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// embed finds what the patterns of all folders match.
func (s *scan) embed() error {
	type job struct {
		f       *folder
		pattern string
		files   []string
	}
	var jobs []*job
	for _, f := range s.folders {
		var patterns []string
		for i := range f.files {
			patterns = append(patterns, f.files[i].Embeds...)
		}
		slices.Sort(patterns)
		for _, p := range slices.Compact(patterns) {
			jobs = append(jobs, &job{f: f, pattern: p})
		}
	}
	err := parallel(len(jobs), func(i int) (err error) {
		jobs[i].files, err = s.match(jobs[i].f.dir, jobs[i].pattern)
		return err
	})
	if err != nil {
		return err
	}
	for _, j := range jobs {
		j.f.embeds = append(j.f.embeds, Embed{Pattern: j.pattern, Files: j.files})
	}
	return nil
}

// match returns the files that a pattern matches, as paths from the directory
// of its package. What the go command refuses is among them: it must see it, to
// refuse. Nothing says so of an empty directory, nor of a pipe or a device.
func (s *scan) match(dir, pattern string) ([]string, error) {
	glob, all := strings.CutPrefix(pattern, "all:")
	if _, err := path.Match(glob, ""); err != nil || glob == "." || !fs.ValidPath(glob) {
		return nil, nil
	}
	m := matcher{scan: s, dir: dir, all: all}
	found, err := m.glob(strings.Split(glob, "/"))
	if err != nil {
		return nil, err
	}
	for _, e := range found {
		if e.kind != kindOther {
			err = m.add(e)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(m.files)
	return slices.Compact(m.files), nil
}

// matcher matches one pattern. Names are paths from the package's directory.
type matcher struct {
	*scan
	dir   string
	all   bool
	files []string
}

// list lists a directory, and says whether it begins a module.
func (m *matcher) list(name string) (entries []entry, nested bool, err error) {
	dir := path.Join(m.dir, name)
	if entries, err = m.entries(dir); err != nil || name == "." {
		return entries, false, err
	}
	e, nested := lookup(entries, "go.mod")
	if e.kind == kindLink {
		_, err := fs.Stat(m.fsys, path.Join(dir, "go.mod"))
		nested = err == nil // error ignored: for the go command there is none
	}
	return entries, nested, nil
}

// glob returns what matches the elements of a path. It looks into directories
// that nothing can be embedded from, and through links, as the go command does
// before it refuses what it finds.
func (m *matcher) glob(elems []string) ([]entry, error) {
	found := []entry{{".", kindDir}}
	for _, elem := range elems {
		var next []entry
		for _, above := range found {
			if above.kind != kindDir && above.kind != kindLink {
				continue
			}
			entries, _, err := m.list(above.name)
			if err != nil && above.kind == kindLink && m.noDir(path.Join(m.dir, above.name), err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				if ok, _ := path.Match(elem, e.name); ok { // error ignored: the pattern was checked
					next = append(next, entry{path.Join(above.name, e.name), e.kind})
				}
			}
		}
		found = next
	}
	return found, nil
}

// add adds what the pattern matches: a file, or those below a directory. The
// go.mod files on the way are added, since a package embeds nothing of another
// module.
func (m *matcher) add(e entry) error {
	above := e.name
	if e.kind != kindDir {
		m.files = append(m.files, e.name)
		above = path.Dir(e.name)
	}
	refused := false
	for ; above != "."; above = path.Dir(above) {
		_, nested, err := m.list(above)
		if err != nil {
			return err
		}
		if nested {
			refused = true
			m.files = append(m.files, path.Join(above, "go.mod"))
		}
	}
	if e.kind != kindDir {
		return nil
	}
	if before := len(m.files); !refused {
		if err := m.walk(e.name); err != nil || len(m.files) > before {
			return err
		}
	}
	_, err := m.witness(e.name)
	return err
}

// walk adds the files below a directory.
func (m *matcher) walk(name string) error {
	entries, nested, err := m.list(name)
	if err != nil || nested || badDir(name) {
		return err
	}
	for _, e := range entries {
		hidden := e.name[0] == '.' || e.name[0] == '_'
		if hidden && (!m.all || badName(e.name)) {
			continue
		}
		switch e.kind {
		case kindDir:
			if err := m.walk(path.Join(name, e.name)); err != nil {
				return err
			}
		case kindFile:
			m.files = append(m.files, path.Join(name, e.name))
		}
	}
	return nil
}

// witness adds a file of a directory that holds none to embed, so that there is
// such a directory. Of another module that is its go.mod.
func (m *matcher) witness(name string) (found bool, err error) {
	entries, nested, err := m.list(name)
	if err != nil {
		return false, err
	}
	if nested {
		entries = []entry{{"go.mod", kindFile}}
	}
	for _, e := range entries {
		switch below := path.Join(name, e.name); e.kind {
		case kindFile, kindLink:
			m.files = append(m.files, below)
			found = true
		case kindDir:
			found, err = m.witness(below)
		}
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// badDir reports whether nothing can be embedded from a directory of that name.
func badDir(name string) bool { return name != "." && badName(path.Base(name)) }

// badName reports whether a module cannot hold a file or a directory of that
// name.
func badName(name string) bool {
	switch name {
	case ".bzr", ".hg", ".git", ".svn":
		return true
	}
	return module.CheckFilePath(name) != nil
}
