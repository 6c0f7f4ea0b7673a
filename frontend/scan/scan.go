// Package scan is what a source tree is: its modules, its packages and the
// build constraints of their files.
//
// It reads the tree as the go command does, through an [fs.FS] only, and reads
// no more of a file than its header. It is not a package loader: no import is
// followed and no type is known.
//
// Invariant: an [Index] depends on the tree alone. The package knows no target,
// no BuildKit and no environment, and writes nothing.
package scan

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

// Index is what a source tree holds. It survives a round trip through JSON.
type Index struct {
	// Modules are sorted by Dir. When only one package was read, they are those
	// that its build may need.
	Modules []Module `json:"modules,omitempty"`
	// Work is go.work in the root, nil when there is none.
	Work *Work `json:"work,omitempty"`
	// Packages are the directories that hold Go files, sorted by Dir. What the
	// go command skips (testdata, directories of a vendor, names that begin with
	// . or _, ignore directives) is left out, unless a directive leads there or
	// it is what was asked for.
	Packages []Package `json:"packages,omitempty"`
}

// Module is a directory with a go.mod file.
type Module struct {
	// Dir is the slash path from the root of the tree, "." for the root itself.
	Dir string `json:"dir"`
	// Path is the module path.
	Path string `json:"path"`
	// Go is the version in the go line, such as "1.26.0", "" when absent.
	Go string `json:"go,omitempty"`
	// Toolchain is the name in the toolchain line, such as "go1.26.3", ""
	// when absent or "default".
	Toolchain string `json:"toolchain,omitempty"`
	// GoLine and ToolchainLine count the lines of go.mod from 1, 0 when absent.
	GoLine        int `json:"goLine,omitempty"`
	ToolchainLine int `json:"toolchainLine,omitempty"`
	// Requires is true when a module is required that is neither replaced by a
	// local directory nor in the same workspace, so that it must be downloaded.
	Requires bool `json:"requires,omitempty"`
	// Sum is true when there is a go.sum.
	Sum bool `json:"sum,omitempty"`
	// Vendor is true when there is a vendor/modules.txt made for the module.
	Vendor bool `json:"vendor,omitempty"`
	// Replaces are the replacements by local directories, in the file's order.
	Replaces []Replace `json:"replaces,omitempty"`
	// Ignore are the paths of the ignore directives as written.
	Ignore []string `json:"ignore,omitempty"`
	// Err says what is wrong with go.mod, nil when nothing is. Only Dir is set
	// beside it. It is never set where [Scan] returns such an error itself.
	Err *Error `json:"err,omitempty"`

	requires []requirement
}

// Work is a go.work file.
type Work struct {
	// Go and Toolchain are as in [Module].
	Go        string `json:"go,omitempty"`
	Toolchain string `json:"toolchain,omitempty"`
	// GoLine and ToolchainLine count the lines of go.work from 1, 0 when absent.
	GoLine        int `json:"goLine,omitempty"`
	ToolchainLine int `json:"toolchainLine,omitempty"`
	// Use are the directories used, in the file's order, written as
	// [Replace.Dir]. Nothing says that they hold a module.
	Use []string `json:"use,omitempty"`
	// UseLines are the lines of Use.
	UseLines []int `json:"useLines,omitempty"`
	// Sum is true when there is a go.work.sum.
	Sum bool `json:"sum,omitempty"`
	// Vendor is true when there is a vendor/modules.txt made for the workspace.
	Vendor bool `json:"vendor,omitempty"`
	// Replaces are the replacements by local directories, in the file's order.
	Replaces []Replace `json:"replaces,omitempty"`
}

// Replace is a module replaced by a local directory.
type Replace struct {
	// Path is the path of the module replaced.
	Path string `json:"path"`
	// Version is the only version replaced, "" when all are.
	Version string `json:"version,omitempty"`
	// Dir is the slash path from the root of the tree. It begins with ".." when
	// it leaves the root; a rooted path is as written.
	Dir string `json:"dir"`
	// Line is where it is written, counted from 1.
	Line int `json:"line"`
}

// Package is a directory that holds Go files.
type Package struct {
	// Dir is the slash path from the root of the tree, "." for the root itself.
	Dir string `json:"dir"`
	// Module is the Dir of the nearest module, "" when there is none.
	Module string `json:"module,omitempty"`
	// Files are the files that are not tests, sorted by Name.
	Files []File `json:"files,omitempty"`
	// Tests is true when there are test files. They are not read.
	Tests bool `json:"tests,omitempty"`
}

// File is a Go file that is not a test.
type File struct {
	// Name is the name without the directory.
	Name string `json:"name"`
	// Package is the name in the package clause, "" when the file's header
	// cannot be parsed.
	Package string `json:"package,omitempty"`
	// Constraint is the expression of the //go:build line, or the one equal to
	// the +build lines, "" when there is none.
	Constraint string `json:"constraint,omitempty"`
	// Cgo is true when the file imports "C".
	Cgo bool `json:"cgo,omitempty"`
}

// Options says what to scan. The zero value asks for the whole tree.
type Options struct {
	// Mains are directories or import paths of packages, as [Index.Dir] takes
	// them. When each names one, no other package is read. When one does not,
	// the whole tree is.
	Mains []string
}

// Scan reads the tree of fsys. A go.work in the root or a go.mod that the build
// needs (the root's, one of the workspace, those of Options.Mains) that
// cannot be parsed gives an [*Error]; of other modules that is only noted in
// [Module.Err]. A Go file that cannot be parsed is no error. All other errors
// are those of fsys.
func Scan(fsys fs.FS, opt Options) (*Index, error) {
	s := &scan{fsys: fsys, modules: map[string]*Module{}, listed: map[string]bool{}}
	s.rootVendor = sync.OnceValues(func() (vendor, error) { return s.vendor(".") })
	if err := s.readWork(); err != nil {
		return nil, err
	}
	found, err := s.mains(opt.Mains)
	if err != nil {
		return nil, err
	}
	if !found {
		if err := s.tree(); err != nil {
			return nil, err
		}
	}
	return s.index()
}

// scan is one run of [Scan].
type scan struct {
	fsys    fs.FS
	work    *Work
	modules map[string]*Module // by Dir, nil where there is no go.mod
	listed  map[string]bool    // directories met by a walk
	folders []*folder          // with Go files
	needed  []string           // modules whose errors are the caller's

	// rootVendor is the kind of vendor in the root, which matters twice.
	rootVendor func() (vendor, error)
}

// uses returns the directories of go.work that lie in the tree.
func (s *scan) uses() []string {
	if s.work == nil {
		return nil
	}
	return inside(s.work.Use)
}

// inside returns the directories that lie in the tree.
func inside(dirs []string) []string {
	var in []string
	for _, d := range dirs {
		if fs.ValidPath(d) {
			in = append(in, d)
		}
	}
	return in
}

// mains reads the packages that names stand for and the modules around them. It
// reports whether there are such packages.
func (s *scan) mains(names []string) (bool, error) {
	if len(names) == 0 {
		return false, nil
	}
	if err := s.readModules(append([]string{"."}, s.uses()...)); err != nil {
		return false, err
	}
	needed := s.uses()
	for _, name := range names {
		f, err := s.main(name)
		if err != nil || f == nil {
			s.folders = nil
			return false, err
		}
		needed = append(needed, f.module)
		s.folders = append(s.folders, f)
	}
	s.needed = needed
	return true, s.readModules(s.replaced())
}

// main lists the package that name stands for, nil when there is none.
func (s *scan) main(name string) (*folder, error) {
	for _, c := range candidates(name, s.known()) {
		f, err := s.list(c.dir)
		if err != nil || !f.isPackage() {
			continue // error ignored: no such directory, and the tree says which there are
		}
		m, err := s.nearest(c.dir)
		if err != nil {
			return nil, err
		}
		if m != nil {
			f.module = m.Dir
		}
		if c.byPath && (m == nil || m.ImportPath(c.dir) != name) {
			continue
		}
		return f, nil
	}
	return nil, nil
}

// nearest returns the module that dir belongs to, nil when there is none.
func (s *scan) nearest(dir string) (*Module, error) {
	for {
		if err := s.readModules([]string{dir}); err != nil {
			return nil, err
		}
		if m := s.modules[dir]; m != nil || dir == "." {
			return m, nil
		}
		dir = path.Dir(dir)
	}
}

// tree reads everything. Modules in directories that the go command skips are
// part of the tree when a directive leads there.
func (s *scan) tree() error {
	s.needed = append(s.uses(), ".")
	if err := s.walk("."); err != nil {
		return err
	}
	if err := s.walkModules(s.uses()); err != nil {
		return err
	}
	return s.walkModules(s.replaced())
}

// walkModules walks the directories that hold a module and were not met yet.
func (s *scan) walkModules(dirs []string) error {
	if err := s.readModules(dirs); err != nil {
		return err
	}
	for _, dir := range dirs {
		if s.modules[dir] == nil || s.listed[dir] {
			continue
		}
		if err := s.walk(dir); err != nil {
			return err
		}
	}
	return nil
}

// replaced returns the directories in the tree that replace modules.
func (s *scan) replaced() []string {
	var dirs []string
	for _, m := range s.known() {
		for _, r := range m.Replaces {
			dirs = append(dirs, r.Dir)
		}
	}
	if s.work != nil {
		for _, r := range s.work.Replaces {
			dirs = append(dirs, r.Dir)
		}
	}
	slices.Sort(dirs)
	return inside(slices.Compact(dirs))
}

// known returns the modules read so far, sorted by Dir.
func (s *scan) known() []*Module {
	var mods []*Module
	for _, m := range s.modules {
		if m != nil {
			mods = append(mods, m)
		}
	}
	slices.SortFunc(mods, func(a, b *Module) int { return strings.Compare(a.Dir, b.Dir) })
	return mods
}

// index reads the Go files and returns all that is known.
func (s *scan) index() (*Index, error) {
	ix := &Index{Work: s.work}
	for _, m := range s.known() {
		if m.Err != nil && slices.Contains(s.needed, m.Dir) {
			return nil, m.Err
		}
		ix.Modules = append(ix.Modules, *m)
	}
	ix.resolveRequires()
	var err error
	ix.Packages, err = s.packages()
	return ix, err
}

// exists reports whether name is a file.
func (s *scan) exists(name string) (bool, error) {
	info, err := fs.Stat(s.fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return !info.IsDir(), nil
}
