package scan

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Scan reads the tree of fsys. A go.work in the root or a go.mod that the build
// needs (the root's, one of the workspace, those of Options.Mains) that
// cannot be parsed gives an [*Error]; of other modules that is only noted in
// [Module.Err]. A Go file that cannot be parsed is no error; one that is too large,
// or a header behind too many links, gives an [*Error], too, and so does a tree with
// too many files. All other errors are those of fsys.
func Scan(fsys fs.FS, opt Options) (*Index, error) {
	s := newScan(fsys, opt)
	if err := s.readWork("."); err != nil {
		return nil, err
	}
	if w := s.works["."]; w != nil && w.Err != nil {
		return nil, w.Err
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
	ix, err := s.index()
	if err != nil {
		return nil, err
	}
	if err := ix.Check(opt.Mains); err != nil {
		return nil, err
	}
	return ix, nil
}

// Tree is [Scan] of the whole tree for who does not know yet what will be built:
// an [*Error] is no error but noted in [Index.Err]. Packages that are named are
// in the index even where the go command does not look by itself.
func Tree(fsys fs.FS, opt Options) (*Index, error) {
	s := newScan(fsys, opt)
	if err := s.readWork("."); err != nil {
		return nil, err
	}
	if w := s.works["."]; w != nil && w.Err != nil {
		return &Index{Err: w.Err}, nil // the go command refuses to do anything
	}
	err := s.tree(opt.Mains...)
	var ix *Index
	if err == nil {
		ix, err = s.index()
	}
	if e := asError(err); e != nil {
		return &Index{Err: e}, nil
	}
	if err != nil {
		return nil, err
	}
	var e *Error
	if errors.As(ix.Check(nil), &e) {
		ix.Err = e
	}
	return ix, nil
}

// Noted is [Scan] where an [*Error] has to travel with the index: that of the whole
// tree has it then, and [Index.Check] returns it. When there is none of the whole
// tree either, it is noted alone, and not what else is wrong elsewhere.
func Noted(fsys fs.FS, opt Options) (*Index, error) {
	ix, err := Scan(fsys, opt)
	e := asError(err)
	if e == nil {
		return ix, err
	}
	if ix, err = Tree(fsys, opt); err == nil && ix.Err != nil && len(ix.Modules) == 0 {
		ix.Err = e
	}
	return ix, err
}

// Check returns the error that [Scan] returns for [Options.Mains], nil when it
// returns none.
func (ix *Index) Check(mains []string) error {
	if ix.Err != nil && len(ix.Modules) == 0 {
		return ix.Err // of go.work, or of a file that cannot be read
	}
	needed, works := ix.needed(mains)
	for _, w := range works {
		if w.Err != nil {
			return w.Err
		}
		needed = append(needed, w.Use...)
	}
	for i := range ix.Modules {
		if m := &ix.Modules[i]; m.Err != nil && slices.Contains(needed, m.Dir) {
			return m.Err
		}
	}
	return nil
}

// needed returns the directories of the modules that packages belong to, and
// their workspaces. Where one of the packages is missing, that of the root
// must say so.
func (ix *Index) needed(mains []string) (dirs []string, works []*Work) {
	root := []string{"."}
	if ix.Work != nil {
		works = append(works, ix.Work)
	}
	for _, name := range mains {
		dir, ok := ix.Dir(name)
		if !ok {
			return root, works
		}
		if m := ix.ModuleOf(dir); m != nil {
			dirs = append(dirs, m.Dir)
			if w := ix.WorkOf(m.Dir); w != nil {
				works = append(works, w)
			}
		}
	}
	if len(mains) == 0 {
		return root, works
	}
	return dirs, works
}

// scan is one run of [Scan].
type scan struct {
	fsys    fs.FS
	noWork  bool
	works   map[string]*Work   // by Dir, nil where there is no go.work
	modules map[string]*Module // by Dir, nil where there is no go.mod
	walked  map[string]bool    // directories met by a walk
	folders []*folder          // with Go files
	roots   map[string][]root  // by Path, for imports to follow

	maxFiles, maxGoFiles int
	filesFound           atomic.Int64 // in directories that were listed
	goFilesFound         int          // that were read

	buffers  sync.Pool      // of *[firstRead]byte
	large    sync.Mutex     // held while a large file is
	listings memo[[]entry]  // by directory
	vendors  memo[vendor]   // by the directory above
	sources  memo[assembly] // by name
}

func newScan(fsys fs.FS, opt Options) *scan {
	return &scan{
		fsys:   fsys,
		noWork: opt.NoWork,

		maxFiles:   cmp.Or(opt.MaxFiles, MaxFiles),
		maxGoFiles: cmp.Or(opt.MaxGoFiles, MaxGoFiles),

		works:   map[string]*Work{},
		modules: map[string]*Module{},
		walked:  map[string]bool{},
		buffers: sync.Pool{New: func() any { return new([firstRead]byte) }},
	}
}

// uses returns the directories of all workspaces that lie in the tree.
func (s *scan) uses() []string {
	var dirs []string
	for _, w := range s.knownWorks() {
		dirs = append(dirs, inside(w.Use)...)
	}
	return dirs
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
	var modules []string
	for _, name := range names {
		f, err := s.main(name)
		if err != nil || f == nil {
			s.folders = nil
			return false, err
		}
		modules = append(modules, f.module)
		s.folders = append(s.folders, f)
	}
	if err := s.worksOf(modules); err != nil {
		return false, err
	}
	if err := s.readModules(s.uses()); err != nil {
		return false, err
	}
	if err := s.readModules(s.replaced()); err != nil {
		return false, err
	}
	s.findRoots(append(modules, s.uses()...))
	return true, nil
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
// part of the tree when a directive leads there, and so are the packages that
// mains name.
func (s *scan) tree(mains ...string) error {
	if err := s.walk("."); err != nil {
		return err
	}
	for _, name := range mains {
		f, err := s.main(name)
		if err != nil {
			return err
		}
		if f != nil && !s.walked[f.dir] {
			s.folders = append(s.folders, f)
		}
	}
	// A module may lead to a workspace, and that to more modules.
	for n := -1; n != len(s.modules)+len(s.works); {
		n = len(s.modules) + len(s.works)
		if err := s.worksOf(s.knownDirs()); err != nil {
			return err
		}
		if err := s.walkModules(append(s.uses(), s.replaced()...)); err != nil {
			return err
		}
	}
	s.findRoots(s.knownDirs())
	return nil
}

// walkModules walks the directories that hold a module and were not met yet.
func (s *scan) walkModules(dirs []string) error {
	if err := s.readModules(dirs); err != nil {
		return err
	}
	for _, dir := range dirs {
		if s.modules[dir] == nil || s.walked[dir] {
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
	for _, w := range s.knownWorks() {
		for _, r := range w.Replaces {
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

// knownDirs returns the directories of the modules read so far, sorted.
func (s *scan) knownDirs() []string {
	var dirs []string
	for _, m := range s.known() {
		dirs = append(dirs, m.Dir)
	}
	return dirs
}

// knownWorks returns the workspaces read so far, sorted by Dir.
func (s *scan) knownWorks() []*Work {
	var works []*Work
	for _, w := range s.works {
		if w != nil {
			works = append(works, w)
		}
	}
	slices.SortFunc(works, func(a, b *Work) int { return strings.Compare(a.Dir, b.Dir) })
	return works
}

// index reads the files and returns all that is known.
func (s *scan) index() (*Index, error) {
	if err := s.follow(); err != nil {
		return nil, err
	}
	if err := s.embed(); err != nil {
		return nil, err
	}
	ix := &Index{}
	for _, m := range s.known() {
		ix.Modules = append(ix.Modules, *m)
	}
	for _, w := range s.knownWorks() {
		if w.Dir == "." {
			ix.Work = w
		} else {
			ix.Works = append(ix.Works, *w)
		}
	}
	ix.resolveRequires()
	ix.Packages, ix.Vendored = s.packages()
	var err error
	ix.Links, err = s.links(ix)
	return ix, err
}
