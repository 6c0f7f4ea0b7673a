package scan

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"

	"golang.org/x/mod/module"
)

// root is a directory that imports may lead to.
type root struct {
	dir    string
	owner  string // of a vendor directory: the module or workspace, else the same as dir
	vendor bool
}

// findRoots decides where imports may lead to when packages of modules are
// built. In which of these directories a build looks is for package closure to
// say.
func (s *scan) findRoots(modules []string) {
	s.roots = map[string][]root{}
	add := func(importPath string, r root) {
		if fs.ValidPath(r.dir) && !slices.Contains(s.roots[importPath], r) {
			s.roots[importPath] = append(s.roots[importPath], r)
		}
	}
	addReplaces := func(list []Replace) {
		for _, r := range list {
			add(r.Path, root{dir: r.Dir, owner: r.Dir})
		}
	}
	addVendor := func(dir string) {
		add("", root{dir: path.Join(dir, "vendor"), owner: dir, vendor: true})
	}
	slices.Sort(modules)
	for _, dir := range slices.Compact(modules) {
		m := s.modules[dir]
		if m == nil || m.Err != nil {
			continue
		}
		add(m.Path, root{dir: dir, owner: dir})
		addReplaces(m.Replaces)
		if m.Vendor {
			addVendor(dir)
		}
	}
	for _, w := range s.knownWorks() {
		addReplaces(w.Replaces)
		if w.Vendor {
			addVendor(w.Dir)
		}
	}
}

// follow reads the files of all folders, and those of the folders that their
// imports lead to.
func (s *scan) follow() error {
	f := follower{scan: s, met: map[string]bool{}, read: map[string]bool{}, tried: map[led]bool{}}
	s.folders = slices.DeleteFunc(s.folders, func(folder *folder) bool {
		twice := f.read[folder.dir]
		f.read[folder.dir] = true
		return twice
	})
	fresh := s.folders
	for len(fresh) > 0 {
		if err := s.readFiles(fresh); err != nil {
			return err
		}
		var err error
		if fresh, err = f.reach(f.leads(fresh)); err != nil {
			return err
		}
		s.folders = append(s.folders, fresh...)
	}
	return nil
}

// follower is the state of [scan.follow].
type follower struct {
	*scan
	met   map[string]bool // import paths
	read  map[string]bool // directories
	tried map[led]bool
}

// led is where an import path leads.
type led struct {
	dir string
	root
}

// leads returns where the imports of folders lead to that was not tried yet.
func (f *follower) leads(folders []*folder) []led {
	var list []led
	for _, folder := range folders {
		for i := range folder.files {
			for _, p := range folder.files[i].Imports {
				if f.met[p] {
					continue
				}
				f.met[p] = true
				if module.CheckImportPath(p) == nil {
					list = f.leadsOf(list, p)
				}
			}
		}
	}
	return list
}

// leadsOf adds to list where an import path leads.
func (f *follower) leadsOf(list []led, importPath string) []led {
	add := func(prefix, rest string) {
		for _, r := range f.roots[prefix] {
			l := led{path.Join(r.dir, rest), r}
			if f.read[l.dir] || f.tried[l] || l.dir != "." && f.lacks(path.Dir(l.dir), path.Base(l.dir)) {
				continue
			}
			f.tried[l] = true
			list = append(list, l)
		}
	}
	add("", importPath)
	for i, c := range importPath {
		if c == '/' {
			add(importPath[:i], importPath[i+1:])
		}
	}
	add(importPath, "")
	return list
}

// reach lists the directories and returns those that are packages of the module
// that the import path leads to.
func (f *follower) reach(leads []led) ([]*folder, error) {
	folders := make([]*folder, len(leads))
	err := parallel(len(leads), func(i int) error {
		found, err := f.list(leads[i].dir)
		if err != nil {
			if f.noDir(leads[i].dir, err) {
				err = nil
			}
			return err
		}
		folder := *found
		folder.module, folder.vendored = leads[i].owner, leads[i].vendor
		folders[i] = &folder
		return nil
	})
	if err != nil {
		return nil, err
	}
	folders = slices.DeleteFunc(folders, func(f *folder) bool { return f == nil || !f.isPackage() })
	between := map[string]bool{}
	for _, folder := range folders {
		for _, dir := range folder.between() {
			between[dir] = true
		}
	}
	if err := f.readModules(slices.Collect(maps.Keys(between))); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(folders, func(folder *folder) bool {
		if f.read[folder.dir] || slices.ContainsFunc(folder.between(), func(dir string) bool { return f.modules[dir] != nil }) {
			return true
		}
		f.read[folder.dir] = true
		return false
	}), nil
}

// between returns the directories in which a go.mod would make the folder one of
// another module. In a vendor directory the go command does not look for one.
func (f *folder) between() []string {
	var dirs []string
	if f.vendored {
		return nil
	}
	for dir := f.dir; dir != f.module && dir != "."; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
	}
	return dirs
}

// noDir reports whether an error in listing dir says that there is no such
// directory.
func (s *scan) noDir(dir string, err error) bool {
	if errors.Is(err, fs.ErrNotExist) || isNoName(err) || isLoop(err) {
		return true
	}
	info, e := fs.Stat(s.fsys, dir)
	return e == nil && !info.IsDir() || s.absent(dir, err)
}
