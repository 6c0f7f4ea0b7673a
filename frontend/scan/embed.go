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
// of its package. What the go command refuses is left out, unless another file
// could be embedded without it: then the go command must see it, to refuse.
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
		if e.kind == kindDir {
			err = m.walk(e.name)
		} else if e.kind != kindOther {
			m.files = append(m.files, e.name)
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

// list lists a directory. One that begins a module is none of the package's.
func (m *matcher) list(name string) ([]entry, error) {
	entries, err := m.entries(path.Join(m.dir, name))
	if err != nil {
		return nil, err
	}
	if _, nested := lookup(entries, "go.mod"); nested && name != "." {
		return nil, nil
	}
	return entries, nil
}

// glob returns what matches the elements of a path.
func (m *matcher) glob(elems []string) ([]entry, error) {
	found := []entry{{".", kindDir}}
	for _, elem := range elems {
		var next []entry
		for _, above := range found {
			if above.kind != kindDir || badDir(above.name) {
				continue // the go command does not embed from there, nor through links
			}
			entries, err := m.list(above.name)
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

// walk adds the files below a directory.
func (m *matcher) walk(name string) error {
	entries, err := m.list(name)
	if err != nil || badDir(name) {
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
