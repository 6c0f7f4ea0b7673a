package verify

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// Loadable says what a dynamic ELF program at a path of an image lacks there: its
// loader and its libraries, for the same machine. Links are for root to follow,
// inside of itself. What the libraries need in turn is not looked at.
func Loadable(f *Facts, root fs.FS, at string) ([]Problem, error) {
	if f.Format != FormatELF || !f.Dynamic() {
		return nil, nil
	}
	var problems []Problem
	if f.Loader != "" {
		found, err := headAt(root, f.Loader)
		const help = "choose an image.from with it, or build a static program"
		switch {
		case errors.Is(err, scan.ErrLinks):
			problems = append(problems, Problem{Found: "the loader " + f.Loader + ", which is " + linksInCircle, Expected: "that file in the image", Effect: "too many levels of symbolic links", Help: help})
		case err != nil:
			return nil, err
		case found == nil:
			problems = append(problems, Problem{Found: "a program that " + f.Loader + " loads", Expected: "that file in the image", Effect: effectMissing, Help: help})
		case found.Format == "":
			problems = append(problems, Problem{Found: "the loader " + f.Loader + ", which is no program", Expected: f.String(), Effect: effectFormat, Help: help})
		case *found != f.Header:
			problems = append(problems, Problem{Found: fmt.Sprintf("the loader %s for %s", f.Loader, found), Expected: f.String(), Effect: effectFormat, Help: help})
		}
	}
	l := &looker{root: root, want: f.Header, left: maxTried}
	if err := l.libraryDirs(f, at); err != nil {
		return nil, err
	}
	for _, name := range f.Libraries {
		if l.musl && (isMusl(name) || name == f.Loader) {
			continue // the loader is the library
		}
		p, err := l.library(name)
		if err != nil {
			return nil, err
		}
		if p != nil {
			problems = append(problems, *p)
		}
	}
	return problems, nil
}

// linksInCircle is what a file is that links lead to and never reach.
const linksInCircle = "a link that leads to no file"

// maxTried is how many files are looked at in an image, where each look is a call
// to the daemon: 256 libraries that are all there need no more than a few each.
const maxTried = 4096

// looker looks for libraries in an image, as a loader does.
type looker struct {
	root fs.FS
	want Header
	// musl says that the loader is that of musl, and takes the first file of the
	// name.
	musl bool
	dirs []string
	// cut says where the image names more directories than are in dirs.
	cut  string
	left int // how many files may still be tried
}

// library looks for one library. Nil: it is there. What was not looked at is
// said: then the library may be there all the same.
func (l *looker) library(name string) (*Problem, error) {
	candidates := []string{name}
	bare := !strings.Contains(name, "/")
	if bare {
		candidates = nil
		for _, dir := range l.dirs {
			candidates = append(candidates, path.Join(dir, name))
		}
	}
	p := &Problem{
		Found:    "a program that needs " + name,
		Expected: "that library in the image",
		Effect:   "error while loading shared libraries: " + name + ": cannot open shared object file",
		Help:     "choose an image.from with it, or build a static program",
	}
	for _, c := range candidates {
		if l.left--; l.left < 0 {
			p.Found += fmt.Sprintf(" (not looked for any further: %d files were tried for all libraries)", maxTried)
			return p, nil
		}
		found, err := headAt(l.root, c)
		switch {
		case errors.Is(err, scan.ErrLinks):
			p.Found += fmt.Sprintf(" (%s is %s)", c, linksInCircle)
		case err != nil:
			return nil, err
		case found == nil:
			continue
		case *found == l.want:
			return nil, nil
		default:
			p.Found += fmt.Sprintf(" (%s is %s)", c, found)
		}
		if l.musl { // others go on
			return p, nil
		}
	}
	if bare && l.cut != "" {
		p.Found += fmt.Sprintf(" (of %s were looked at)", l.cut)
	}
	return p, nil
}

// headAt reads the header of a file. Nil: there is none that a loader would read.
func headAt(root fs.FS, name string) (*Header, error) {
	head, err := headOf(root, name, 20)
	switch {
	case isNothing(err):
		return nil, nil
	case err != nil:
		return nil, err
	case len(head) < 20 || string(head[:4]) != "\x7fELF":
		return &Header{}, nil
	}
	h := &Header{Format: FormatELF, Bits: 32 * int(head[elf.EI_CLASS]), BigEndian: head[elf.EI_DATA] == byte(elf.ELFDATA2MSB)}
	f := Facts{Header: *h}
	h.Machine = elfMachine(elf.Machine(f.order().Uint16(head[18:])))
	return h, nil
}

// headOf reads the start of a file of an image, at most n bytes.
func headOf(root fs.FS, name string, n int64) ([]byte, error) {
	file, err := root.Open(strings.TrimPrefix(path.Clean("/"+name), "/"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	head, err := io.ReadAll(io.LimitReader(file, n))
	if err == nil {
		return head, nil
	}
	if info, e := file.Stat(); e == nil && info.IsDir() {
		err = &fs.PathError{Op: "read", Path: name, Err: fs.ErrInvalid}
	}
	return nil, err
}

// isNothing reports whether an error says of an image that a file is not there, or
// is none.
func isNothing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, scan.ErrIrregular)
}
