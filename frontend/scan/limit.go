package scan

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"syscall"
)

// How much is read of a file, in bytes. Beyond that it is no source that people
// or programs write, and the scan would hold or read it for nothing.
const (
	// maxEmbedder is of a Go file that may embed others, which is held as a
	// whole. Generated code has tens of MiB.
	maxEmbedder = 64 << 20
	// maxModule is of a go.mod or go.work, which is held as a whole and many
	// times over once it is parsed. The largest that are known have 100 KiB.
	maxModule = 4 << 20
	// maxText is of a file that is read line by line, of which little is held:
	// assembly, headers, which may be data, and go.sum.
	maxText = 256 << 20
	// maxLine is of the start of a line of such a file, in which all stands that
	// the scan looks for: the names of files and of modules are far shorter.
	maxLine = 64 << 10
)

// MaxName is how long a name in a tree may be, in bytes: what Linux takes for
// a path. Directories are entered one in another, so that it is their depth, too.
const MaxName = 4096

// How many files a tree may have, unless [Options] say otherwise. Every name and
// what is known of a Go file is held until the index is written. Large repositories
// have tens of thousands of Go files: a context with more than this holds what no
// build reads.
const (
	MaxFiles   = 1_000_000
	MaxGoFiles = 200_000
)

// ignoreHelp says how a tree gets smaller.
const ignoreHelp = "leave out with .dockerignore what no build reads, such as node_modules; of a main: that is written only what it imports is read"

// countFiles notes how many files a directory holds. Directories are listed beside
// each other: the message must not depend on which of them comes last.
func (s *scan) countFiles(n int) error {
	if s.filesFound.Add(int64(n)) <= int64(s.maxFiles) {
		return nil
	}
	return &Error{Msg: fmt.Sprintf("the context has more than %d files and directories where packages are looked for (%s)", s.maxFiles, ignoreHelp)}
}

// countGoFiles notes how many Go files are going to be read.
func (s *scan) countGoFiles(n int) error {
	if s.goFilesFound += n; s.goFilesFound <= s.maxGoFiles {
		return nil
	}
	return &Error{Msg: fmt.Sprintf("the context has more than %d Go files that a build may read (%s)", s.maxGoFiles, ignoreHelp)}
}

// ErrLinks is wrapped when so many links lead from one to another that the
// system gives up.
var ErrLinks = fmt.Errorf("more than %d symbolic links, one behind another", maxLinks)

// ErrIrregular is wrapped when a file is a pipe or a device, the reading of which
// may have no end.
var ErrIrregular = errors.New("it is no regular file")

// tooLarge says that a file has more than a limit.
func tooLarge(name string, limit int, help string) *Error {
	return &Error{File: name, Msg: fmt.Sprintf("it has more than %d MiB%s", limit>>20, help)}
}

// ours makes an [*Error] of what the tree itself puts in the way of reading a
// file. Other errors are those of the file system.
func ours(name string, err error) error {
	switch {
	case isLoop(err):
		return &Error{File: name, Msg: ErrLinks.Error()}
	case errors.Is(err, ErrIrregular):
		return &Error{File: name, Msg: ErrIrregular.Error()}
	}
	return err
}

// isLoop reports whether links lead in a circle, or too far.
func isLoop(err error) bool { return errors.Is(err, ErrLinks) || errors.Is(err, syscall.ELOOP) }

// isNoName reports whether no file can have the name that was asked for: the
// tree may ask for any.
func isNoName(err error) bool {
	return errors.Is(err, fs.ErrInvalid) || errors.Is(err, syscall.ENAMETOOLONG)
}

// open opens a file, but no pipe and no device, which would make the scan wait for
// ever. Where names were not listed it is for the file system to refuse them.
func (s *scan) open(name string) (fs.File, error) {
	entries, _ := s.listings.known(path.Dir(name))
	if e, ok := lookup(entries, path.Base(name)); ok && e.kind != kindFile {
		info, err := fs.Stat(s.fsys, name)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() && !info.IsDir() {
			return nil, &fs.PathError{Op: "open", Path: name, Err: ErrIrregular}
		}
	}
	return s.fsys.Open(name)
}

// eachLine calls do with the lines of a file until it returns false, of each with
// [maxLine] bytes. It reports whether the file ended, or do: otherwise it
// is too large.
func eachLine(r *bufio.Reader, do func(line []byte) bool) (ended bool, err error) {
	start, left := true, maxText
	for {
		line, err := r.ReadSlice('\n')
		if start && len(line) > 0 && !do(bytes.TrimSuffix(line, []byte("\n"))) {
			return true, nil
		}
		left -= len(line)
		switch {
		case left < 0:
			return false, nil
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return false, err
		}
		start = err == nil
	}
}
