package scan

import (
	"errors"
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

// folder is a directory of the tree.
type folder struct {
	dir     string
	module  string   // Dir of the nearest module, "" when there is none
	gomod   bool     // holds a go.mod
	goFiles []string // names of Go files, sorted, without tests
	tests   bool
	dirs    []string // names of directories that may hold packages, sorted
}

// isPackage reports whether the folder holds Go files.
func (f *folder) isPackage() bool { return len(f.goFiles) > 0 || f.tests }

// list reads a directory. Symbolic links to directories are not followed, and
// what cannot be named in an [fs.FS] is left out.
func (s *scan) list(dir string) (*folder, error) {
	entries, err := fs.ReadDir(s.fsys, dir)
	if err != nil {
		return nil, err
	}
	f := &folder{dir: dir}
	for _, e := range entries {
		name := e.Name()
		file := e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0
		switch {
		case !utf8.ValidString(name):
		case e.IsDir():
			if !skipped(name) && path.Base(dir) != "vendor" {
				f.dirs = append(f.dirs, name)
			}
		case !file:
			// A pipe or a device is never opened.
		case name == "go.mod":
			f.gomod = true
		case !isGo(name):
		case strings.HasSuffix(name, "_test.go"):
			f.tests = true
		default:
			f.goFiles = append(f.goFiles, name)
		}
	}
	slices.Sort(f.goFiles)
	slices.Sort(f.dirs)
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
			if f.isPackage() {
				s.folders = append(s.folders, f)
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
		s.listed[f.dir] = true
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

// packages reads the headers of all Go files found.
func (s *scan) packages() ([]Package, error) {
	slices.SortFunc(s.folders, func(a, b *folder) int { return strings.Compare(a.dir, b.dir) })
	s.folders = slices.CompactFunc(s.folders, func(a, b *folder) bool { return a.dir == b.dir })
	type job struct {
		pkg  int
		name string
	}
	var jobs []job
	for i, f := range s.folders {
		for _, name := range f.goFiles {
			jobs = append(jobs, job{i, name})
		}
	}
	files := make([]*File, len(jobs))
	err := parallel(len(jobs), func(i int) (err error) {
		files[i], err = s.file(s.folders[jobs[i].pkg].dir, jobs[i].name)
		return err
	})
	if err != nil {
		return nil, err
	}
	var pkgs []Package
	for _, f := range s.folders {
		pkgs = append(pkgs, Package{Dir: f.dir, Module: f.module, Tests: f.tests})
	}
	for i, f := range files {
		if f != nil {
			p := &pkgs[jobs[i].pkg]
			p.Files = append(p.Files, *f)
		}
	}
	return slices.DeleteFunc(pkgs, func(p Package) bool { return len(p.Files) == 0 && !p.Tests }), nil
}

// file reads one Go file. It returns nil when the name leads to a directory,
// and a File without a package when it leads nowhere, as a dangling symbolic
// link does: the compiler has the words for that.
func (s *scan) file(dir, name string) (*File, error) {
	f, err := s.fsys.Open(path.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return &File{Name: name}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, err := readHeader(f)
	if err != nil {
		if info, e := f.Stat(); e == nil && info.IsDir() {
			return nil, nil
		}
		return nil, fmt.Errorf("read %s: %w", path.Join(dir, name), err)
	}
	return &File{Name: name, Package: h.pkg, Constraint: h.constraint, Cgo: h.cgo}, nil
}
