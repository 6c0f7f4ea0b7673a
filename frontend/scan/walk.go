package scan

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// width is how many requests are made of the file system at a time. Each may be
// a remote call, so that the number is one of round trips, not of processors.
const width = 32

// parallel calls do for 0 to n-1 and waits for all. Of several errors it
// returns that of the lowest number, so that the same tree gives the same
// error.
func parallel(n int, do func(i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, width) {
		wg.Go(func() {
			for i := range next {
				errs[i] = caught(do, i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// caught is do(i) with a panic as an error: nobody else's recover reaches a
// goroutine of ours.
func caught(do func(i int) error, i int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the scan of the source tree stopped because of a defect of its own: %v", p)
		}
	}()
	return do(i)
}

// entry is a name in a directory.
type entry struct {
	name string
	kind kind
}

// kind is what a name stands for.
type kind uint8

const (
	kindOther kind = iota // a pipe or a device, which is never opened
	kindFile
	kindLink
	kindDir
)

// entries returns what a directory holds, sorted by name. What cannot be named
// in an [fs.FS] is left out.
func (s *scan) entries(dir string) ([]entry, error) { return s.listings.get(dir, s.readDir) }

func (s *scan) readDir(dir string) ([]entry, error) {
	list, err := fs.ReadDir(s.fsys, dir)
	if err != nil {
		return nil, err
	}
	if err := s.countFiles(len(list)); err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(list))
	for _, e := range list {
		if !utf8.ValidString(e.Name()) {
			continue
		}
		kind := kindOther
		switch {
		case e.IsDir():
			kind = kindDir
		case e.Type().IsRegular():
			kind = kindFile
		case e.Type()&fs.ModeSymlink != 0:
			kind = kindLink
		}
		entries = append(entries, entry{e.Name(), kind})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return entries, nil
}

// lookup returns the entry of that name.
func lookup(entries []entry, name string) (entry, bool) {
	i, ok := slices.BinarySearchFunc(entries, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if !ok {
		return entry{}, false
	}
	return entries[i], true
}

// lacks reports whether the directory was read and has no such entry.
func (s *scan) lacks(dir, name string) bool {
	entries, ok := s.listings.known(dir)
	if !ok {
		return false
	}
	_, ok = lookup(entries, name)
	return !ok
}

// folder is a directory of the tree.
type folder struct {
	dir      string
	module   string   // Dir of the nearest module, "" when there is none
	vendored bool     // reached through a vendor directory
	gomod    bool     // holds a go.mod
	gowork   bool     // holds a go.work
	goFiles  []string // names of Go files, sorted, without tests
	tests    bool
	others   []string // names of other files of a package, sorted
	dirs     []string // names of directories that may hold packages, sorted

	// What was read of the files.
	files  []File
	beside []Other
	embeds []Embed
}

// isPackage reports whether the folder holds Go files.
func (f *folder) isPackage() bool { return len(f.goFiles) > 0 || f.tests }

// list reads a directory. Symbolic links to directories are not followed.
func (s *scan) list(dir string) (*folder, error) {
	entries, err := s.entries(dir)
	if err != nil {
		return nil, err
	}
	f := &folder{dir: dir}
	for _, e := range entries {
		switch name := e.name; {
		case e.kind == kindDir:
			if !skipped(name) && path.Base(dir) != "vendor" {
				f.dirs = append(f.dirs, name)
			}
		case e.kind == kindOther:
		case name == "go.mod":
			f.gomod = true
		case name == "go.work":
			f.gowork = true
		case isOther(name):
			f.others = append(f.others, name)
		case !isGo(name):
		case strings.HasSuffix(name, "_test.go"):
			f.tests = true
		default:
			f.goFiles = append(f.goFiles, name)
		}
	}
	return f, nil
}

// skipped reports whether the go command never looks into directories of that
// name. A directory named vendor may be a package, its directories are none.
func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata"
}

// isGo reports whether the go command takes a file of that name for Go source.
func isGo(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "_")
}

// walk lists the tree below root, one level after the other.
func (s *scan) walk(root string) error {
	level := []*folder{{dir: root}}
	for len(level) > 0 {
		if err := s.listAll(level); err != nil {
			return err
		}
		var next []*folder
		for _, f := range level {
			s.walked[f.dir] = true
			if f.isPackage() {
				s.folders = append(s.folders, f)
			}
			if f.gowork {
				if err := s.readWork(f.dir); err != nil {
					return err
				}
			}
			next = append(next, s.below(f)...)
		}
		level = next
	}
	return nil
}

// listAll fills folders of which dir and the parent's module are set.
func (s *scan) listAll(level []*folder) error {
	err := parallel(len(level), func(i int) error {
		f, err := s.list(level[i].dir)
		if err != nil {
			return err
		}
		f.module = level[i].module
		level[i] = f
		return nil
	})
	if err != nil {
		return err
	}
	var mods []string
	for _, f := range level {
		if f.gomod {
			mods = append(mods, f.dir)
		}
	}
	if err := s.readModules(mods); err != nil {
		return err
	}
	for _, f := range level {
		if s.modules[f.dir] != nil {
			f.module = f.dir
		}
	}
	return nil
}

// below returns the directories of f that belong to the tree.
func (s *scan) below(f *folder) []*folder {
	var next []*folder
	m := s.modules[f.module]
	for _, name := range f.dirs {
		dir := path.Join(f.dir, name)
		if m == nil || !m.ignores(dir) {
			next = append(next, &folder{dir: dir, module: f.module})
		}
	}
	return next
}
