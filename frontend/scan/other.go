package scan

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// profileName is the profile that the go command looks for beside a main
// package.
const profileName = "default.pgo"

// isOther reports whether the go command may read a file of that name in a build
// of the package beside it.
func isOther(name string) bool {
	if name == profileName {
		return true
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return false
	}
	switch path.Ext(name) {
	case ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx",
		".f", ".F", ".for", ".f90", ".s", ".S", ".sx", ".swig", ".swigcxx", ".syso":
		return true
	}
	return false
}

// readOthers returns the other files of a folder. Assembly and the headers
// beside it are read: they may include what no name of the package says.
func (s *scan) readOthers(f *folder) ([]Other, error) {
	isAssembly := func(name string) bool { return path.Ext(name) == ".s" }
	read := slices.ContainsFunc(f.others, isAssembly)
	var others []Other
	for _, name := range f.others {
		o := Other{Name: name}
		if file := path.Join(f.dir, name); read && (isAssembly(name) || path.Ext(name) == ".h") {
			a, err := s.sources.get(file, s.readAssembly)
			if err != nil {
				return nil, err
			}
			o.Constraint = a.constraint
			if isAssembly(name) {
				if o.Includes, err = s.includes(f.dir, file); err != nil {
					return nil, err
				}
			}
		}
		others = append(others, o)
	}
	return others, nil
}

// assembly is what assembly or a header says of itself.
type assembly struct {
	constraint string
	includes   []string // as written
}

// includeLine is a line of assembly that includes a file.
var includeLine = regexp.MustCompile(`^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"`)

// readAssembly reads a file that may be missing: the tree may hold the name
// alone.
func (s *scan) readAssembly(name string) (assembly, error) {
	f, err := s.open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrIrregular) {
		return assembly{}, nil
	}
	if err != nil {
		return assembly{}, ours(name, err)
	}
	defer f.Close()
	src := bufio.NewReaderSize(f, maxLine)
	a := assembly{constraint: startConstraint(src)}
	ended, err := eachLine(src, func(line []byte) bool {
		if bytes.Contains(line, []byte("include")) { // the pattern alone takes ten times as long
			if match := includeLine.FindSubmatch(line); match != nil {
				a.includes = append(a.includes, string(match[1]))
			}
		}
		return true
	})
	if err != nil {
		if info, e := f.Stat(); e == nil && info.IsDir() {
			return assembly{}, nil
		}
		return assembly{}, fmt.Errorf("read %s: %w", name, err)
	}
	if !ended {
		return assembly{}, tooLarge(name, maxText, "")
	}
	return a, nil
}

// includes returns the files of the tree that assembly of a package includes,
// directly or not. The assembler looks for each from the directory of the
// package, and then among files of the toolchain.
func (s *scan) includes(dir, name string) ([]string, error) {
	met := map[string]bool{name: true}
	for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
		a, err := s.sources.get(queue[0], s.readAssembly)
		if err != nil {
			return nil, err
		}
		for _, written := range a.includes {
			file := path.Join(dir, written)
			if met[file] || !fs.ValidPath(file) {
				continue
			}
			ok, err := s.exists(file)
			if err != nil {
				return nil, err
			}
			if ok {
				met[file] = true
				queue = append(queue, file)
			}
		}
	}
	delete(met, name)
	return slices.Sorted(maps.Keys(met)), nil
}

// exists reports whether name is a file.
func (s *scan) exists(name string) (bool, error) {
	if s.lacks(path.Dir(name), path.Base(name)) {
		return false, nil
	}
	info, err := fs.Stat(s.fsys, name)
	if err != nil {
		if s.absent(name, err) {
			err = nil
		}
		return false, ours(name, err)
	}
	return !info.IsDir(), nil
}

// textConstraint returns the build constraint of a file that is no Go file, ""
// when there is none that can be parsed: the go command says what is wrong.
func textConstraint(src []byte) string {
	c, err := findConstraint(leadingComments(src))
	if err != nil {
		return ""
	}
	return c
}

// startConstraint returns the build constraint of a file that is no Go file. When
// the comments do not end in what the reader holds, it is not known, and the file
// is in whatever the target.
func startConstraint(r *bufio.Reader) string {
	src, err := r.Peek(maxLine)
	if err == nil && len(leadingComments(src)) == len(bytes.TrimPrefix(src, []byte("\ufeff"))) {
		return ""
	}
	return textConstraint(src)
}

// leadingComments returns what stands before the first byte that is neither
// space nor part of a comment.
func leadingComments(src []byte) []byte {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	rest := src
	for {
		rest = bytes.TrimLeft(rest, " \f\t\r\n;")
		end := 0
		switch {
		case bytes.HasPrefix(rest, []byte("//")):
			if end = bytes.IndexByte(rest, '\n'); end < 0 {
				end = len(rest)
			}
		case bytes.HasPrefix(rest, []byte("/*")):
			if end = bytes.Index(rest[2:], []byte("*/")); end < 0 {
				return src[:len(src)-len(rest)]
			}
			end += 4
		default:
			return src[:len(src)-len(rest)]
		}
		rest = rest[end:]
	}
}
