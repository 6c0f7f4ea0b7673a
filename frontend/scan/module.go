package scan

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// readModules reads the go.mod of each directory that was not asked for before.
func (s *scan) readModules(dirs []string) error {
	dirs = slices.Clone(dirs)
	slices.Sort(dirs)
	dirs = slices.DeleteFunc(slices.Compact(dirs), func(dir string) bool {
		_, ok := s.modules[dir]
		return ok || s.lacks(dir, "go.mod")
	})
	mods := make([]*Module, len(dirs))
	err := parallel(len(dirs), func(i int) (err error) {
		mods[i], err = s.readModule(dirs[i])
		return err
	})
	for i, dir := range dirs {
		s.modules[dir] = mods[i]
	}
	return err
}

// readModule reads the go.mod of dir and looks at what lies beside it. It
// returns nil when there is none.
func (s *scan) readModule(dir string) (*Module, error) {
	name := path.Join(dir, "go.mod")
	data, err := s.read(name)
	if err == nil && data == nil {
		return nil, nil
	}
	var m *Module
	if err == nil {
		m, err = parseModule(name, data)
	}
	if err == nil {
		m.Sum, m.Own, err = s.sum(dir, m.Path)
	}
	if err == nil {
		m.Vendor, err = s.vendored(dir, vendorModule)
	}
	if e := asError(err); e != nil {
		return &Module{Dir: dir, Err: e}, nil
	}
	return m, err
}

// readWork reads the go.work of a directory, if there is one.
func (s *scan) readWork(dir string) error {
	if _, ok := s.works[dir]; ok || s.noWork || s.lacks(dir, "go.work") {
		return nil
	}
	s.works[dir] = nil
	name := path.Join(dir, "go.work")
	data, err := s.read(name)
	if err == nil && data == nil {
		return nil
	}
	var w *Work
	if err == nil {
		w, err = parseWork(name, data)
	}
	if err == nil {
		w.Sum, err = s.exists(path.Join(dir, "go.work.sum"))
	}
	if err == nil {
		w.Vendor, err = s.vendored(dir, vendorWork)
	}
	if e := asError(err); e != nil {
		w, err = &Work{Dir: dir, Err: e}, nil
	}
	s.works[dir] = w
	return err
}

// sum reports whether a module has a go.sum, and whether that has a line about
// the module itself. One that is too large to tell may have.
func (s *scan) sum(dir, modulePath string) (exists, own bool, err error) {
	name := path.Join(dir, "go.sum")
	if exists, err = s.exists(name); err != nil || !exists {
		return false, false, err
	}
	f, err := s.open(name)
	switch {
	case err != nil && s.absent(name, err):
		return true, false, nil // the tree has the name alone
	case err != nil:
		return true, false, ours(name, err)
	}
	defer f.Close()
	start := []byte(modulePath + " ")
	ended, err := eachLine(bufio.NewReaderSize(f, maxLine), func(line []byte) bool {
		own = bytes.HasPrefix(line, start)
		return !own
	})
	if err != nil {
		return true, false, fmt.Errorf("read %s: %w", name, err)
	}
	return true, own || !ended || len(start) > maxLine, nil
}

// asError returns the [*Error] in err, nil when there is none. No content is nil,
// as it is behind JSON.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) && len(e.Data) == 0 {
		e.Data = nil
	}
	return e
}

// worksOf reads the go.work files that the go command obeys in directories.
func (s *scan) worksOf(dirs []string) error {
	for _, dir := range dirs {
		for dir != "." && dir != "" {
			if err := s.readWork(dir); err != nil {
				return err
			}
			if s.works[dir] != nil {
				break
			}
			dir = path.Dir(dir)
		}
	}
	return nil
}

// read returns the bytes of a go.mod or go.work, nil when there is no such file.
func (s *scan) read(name string) ([]byte, error) {
	data, err := s.readAll(name)
	switch {
	case err == nil && len(data) > maxModule:
		return nil, tooLarge(name, maxModule, "")
	case err == nil:
		return data, nil
	case s.absent(name, err):
		return nil, nil
	}
	if info, e := fs.Stat(s.fsys, name); e == nil && info.IsDir() {
		return nil, nil
	}
	return nil, ours(name, err)
}

// readAll returns the bytes of a file, of one that is too large some more than it
// may have.
func (s *scan) readAll(name string) ([]byte, error) {
	f, err := s.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxModule+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// absent reports whether an error in opening name says that there is no such
// file. A file in place of its directory has many ways to say so.
func (s *scan) absent(name string, err error) bool {
	if errors.Is(err, fs.ErrNotExist) || isNoName(err) {
		return true
	}
	info, e := fs.Stat(s.fsys, path.Dir(name))
	return e == nil && !info.IsDir()
}

// vendor says for what a vendor directory was made. The go command does not use
// that of a module for a workspace, nor the other way round.
type vendor int

const (
	vendorNone vendor = iota
	vendorModule
	vendorWork
)

// vendored reports whether the vendor directory of dir was made for that.
func (s *scan) vendored(dir string, what vendor) (bool, error) {
	v, err := s.vendors.get(dir, s.readVendor)
	return v == what, err
}

func (s *scan) readVendor(dir string) (vendor, error) {
	if s.lacks(dir, "vendor") {
		return vendorNone, nil
	}
	name := path.Join(dir, "vendor", "modules.txt")
	f, err := s.open(name)
	if err != nil {
		if s.absent(name, err) {
			err = nil
		}
		return vendorNone, ours(name, err)
	}
	defer f.Close()
	buf := make([]byte, 512) // the first line is short, and all that matters
	n, err := f.Read(buf)
	if err != nil && !errors.Is(err, io.EOF) {
		return vendorNone, fmt.Errorf("read %s: %w", name, err)
	}
	line, _, _ := strings.Cut(string(buf[:n]), "\n")
	notes, _ := strings.CutPrefix(line, "## ")
	for note := range strings.SplitSeq(notes, ";") {
		if strings.TrimSpace(note) == "workspace" {
			return vendorWork, nil
		}
	}
	return vendorModule, nil
}

// parseModule interprets a go.mod file.
func parseModule(name string, data []byte) (*Module, error) {
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, fileError(name, data, err)
	}
	if f.Module == nil {
		return nil, noModule(name, data)
	}
	m := &Module{Dir: path.Dir(name), Path: f.Module.Mod.Path}
	if err := module.CheckImportPath(m.Path); err != nil {
		msg := fmt.Sprintf("invalid module path %q", m.Path)
		if e := (*module.InvalidPathError)(nil); errors.As(err, &e) {
			msg += ": " + e.Err.Error()
		}
		return nil, &Error{File: name, Line: f.Module.Syntax.Start.Line, Column: f.Module.Syntax.Start.LineRune, Msg: msg, Data: data}
	}
	m.Go, m.GoLine = goLine(f.Go)
	m.Toolchain, m.ToolchainLine = toolchainLine(f.Toolchain)
	m.Replaces = replaces(m.Dir, f.Replace)
	for _, r := range f.Require {
		m.Requirements = append(m.Requirements, r.Mod.String())
	}
	for _, i := range f.Ignore {
		m.Ignore = append(m.Ignore, i.Path)
	}
	return m, nil
}

// noModule says that a go.mod names no module.
func noModule(name string, data []byte) *Error {
	e := &Error{File: name, Line: 1, Column: 1, Msg: "there is no module line", Data: data}
	if len(bytes.TrimSpace(data)) == 0 {
		e.Msg, e.Line, e.Column = "the file is empty", 0, 0
	}
	e.Msg += " (expected one such as module example.com/app, which go mod init writes)"
	return e
}

// parseWork interprets a go.work file.
func parseWork(name string, data []byte) (*Work, error) {
	f, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return nil, fileError(name, data, err)
	}
	w := &Work{Dir: path.Dir(name)}
	w.Go, w.GoLine = goLine(f.Go)
	w.Toolchain, w.ToolchainLine = toolchainLine(f.Toolchain)
	w.Replaces = replaces(path.Dir(name), f.Replace)
	for _, u := range f.Use {
		w.Use = append(w.Use, resolveDir(path.Dir(name), u.Path))
		w.UseLines = append(w.UseLines, u.Syntax.Start.Line)
	}
	return w, nil
}

// goLine returns the version in a go line and where it stands.
func goLine(g *modfile.Go) (version string, line int) {
	if g == nil {
		return "", 0
	}
	return g.Version, g.Syntax.Start.Line
}

// toolchainLine returns the name in a toolchain line, if it chooses one, and
// where it stands.
func toolchainLine(t *modfile.Toolchain) (name string, line int) {
	if t == nil {
		return "", 0
	}
	if t.Name == "default" {
		return "", t.Syntax.Start.Line
	}
	return t.Name, t.Syntax.Start.Line
}

// replaces returns the replacements by directories of a file in dir.
func replaces(dir string, list []*modfile.Replace) []Replace {
	var local []Replace
	for _, r := range list {
		if r.New.Version == "" {
			local = append(local, Replace{
				Path:    r.Old.Path,
				Version: r.Old.Version,
				Dir:     resolveDir(dir, r.New.Path),
				Line:    r.Syntax.Start.Line,
			})
		}
	}
	return local
}

// resolveDir returns the directory that a file in dir names. A rooted one, be
// it a Windows path, stays as it is: it is not in the tree.
func resolveDir(dir, name string) string {
	if path.IsAbs(name) || strings.Contains(name, `\`) || len(name) > 1 && name[1] == ':' {
		return name
	}
	return path.Join(dir, name)
}

// Root returns the go line and the toolchain line of the module at the root of a
// tree. Nil: there is none, it is part of a workspace, or it cannot be read.
func Root(fsys fs.FS) *Module {
	if _, err := fs.Stat(fsys, "go.work"); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	data, err := newScan(fsys, Options{}).read("go.mod")
	if err != nil || data == nil {
		return nil
	}
	m, err := parseModule("go.mod", data)
	if err != nil {
		return nil
	}
	return m
}
