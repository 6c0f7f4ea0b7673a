package scan

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// readFiles reads the headers of all files in folders.
func (s *scan) readFiles(folders []*folder) error {
	type job struct {
		f    *folder
		i    int
		file *File
	}
	var jobs []job
	for _, f := range folders {
		for i := range f.goFiles {
			jobs = append(jobs, job{f: f, i: i})
		}
	}
	if err := s.countGoFiles(len(jobs)); err != nil {
		return err
	}
	err := parallel(len(jobs), func(i int) (err error) {
		jobs[i].file, err = s.file(jobs[i].f.dir, jobs[i].f.goFiles[jobs[i].i])
		return err
	})
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.file != nil {
			j.f.files = append(j.f.files, *j.file)
		}
	}
	return parallel(len(folders), func(i int) (err error) {
		folders[i].beside, err = s.readOthers(folders[i])
		return err
	})
}

// file reads one Go file. It returns nil when the name leads to no regular file,
// and a File without a package when it leads nowhere, as a symbolic link may:
// the compiler has the words for that.
func (s *scan) file(dir, name string) (*File, error) {
	f, err := s.open(path.Join(dir, name))
	switch {
	case errors.Is(err, ErrIrregular):
		return nil, nil
	case errors.Is(err, fs.ErrNotExist) || err != nil && s.isLink(dir, name):
		return &File{Name: name}, nil
	case err != nil:
		return nil, err
	}
	defer f.Close()
	buf := s.buffers.Get().(*[firstRead]byte)
	defer s.buffers.Put(buf)
	h, err := readHeader(f, buf[:0], &s.large)
	if errors.Is(err, errLarge) {
		return nil, tooLarge(path.Join(dir, name), maxEmbedder, " and imports embed: move what it embeds into a file of its own")
	}
	if err != nil {
		if info, e := f.Stat(); e == nil && info.IsDir() {
			return nil, nil
		}
		return nil, fmt.Errorf("read %s: %w", path.Join(dir, name), err)
	}
	return &File{
		Name: name, Package: h.pkg, Constraint: h.constraint, Cgo: h.cgo,
		Imports: h.imports, Embeds: h.embeds,
	}, nil
}

// isLink reports whether a directory that was listed has a link of that name.
func (s *scan) isLink(dir, name string) bool {
	entries, _ := s.listings.known(dir)
	e, _ := lookup(entries, name)
	return e.kind == kindLink
}

// packages returns the packages of all folders, and apart the vendored ones.
// Equal texts share their memory.
func (s *scan) packages() (packages, vendored []Package) {
	slices.SortFunc(s.folders, func(a, b *folder) int { return strings.Compare(a.dir, b.dir) })
	texts, paths := map[string]string{}, map[string]string{}
	for _, f := range s.folders {
		if len(f.files) == 0 && !f.tests {
			continue
		}
		for i := range f.files {
			file := &f.files[i]
			file.Package = share(texts, file.Package)
			file.Constraint = share(texts, file.Constraint)
			file.Imports = importable(paths, file.Imports)
		}
		p := Package{Dir: f.dir, Module: f.module, Files: f.files, Tests: f.tests, Others: f.beside, Embeds: f.embeds}
		if f.vendored {
			vendored = append(vendored, p)
		} else {
			packages = append(packages, p)
		}
	}
	return packages, vendored
}

// share returns the known text that equals s.
func share(texts map[string]string, s string) string {
	if known, ok := texts[s]; ok {
		return known
	}
	s = strings.Clone(s)
	texts[s] = s
	return s
}

// importable returns the import paths that the go command takes, which known
// has with "" for those that it does not: they could be flags once they are
// arguments.
func importable(known map[string]string, paths []string) []string {
	kept := paths[:0]
	for _, p := range paths {
		path, ok := known[p]
		if !ok {
			if module.CheckImportPath(p) == nil {
				path = strings.Clone(p)
			}
			known[strings.Clone(p)] = path
		}
		if path != "" {
			kept = append(kept, path)
		}
	}
	return slices.Clip(slices.Clone(kept))
}
