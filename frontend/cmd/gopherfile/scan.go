package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// indexName is the file that the scan writes, and metadataName the one in which
// BuildKit lists a tree of which it has transferred only some contents.
const (
	indexName    = "index.json"
	metadataName = ".fsutil-metadata"
)

// scanCommand writes the index of a source tree. The graph runs it on the
// frontend's own image. What is wrong with go.mod and go.work is part of the
// index: only who reads it knows what matters.
func scanCommand(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("scan: expected a source tree, a folder to write to, and main packages that are nowhere to be looked for, found %d arguments", len(args))
	}
	from, to, mains := args[0], args[1], args[2:]
	if err := writeIndex(from, to, mains); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	return nil
}

func writeIndex(from, to string, mains []string) error {
	if info, err := os.Stat(from); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("expected a source tree, found the file %s", from)
	}
	tree, err := openTree(from)
	if err != nil {
		return err
	}
	ix, err := scan.Tree(tree, mains...)
	if err != nil {
		return err
	}
	data, err := json.Marshal(ix)
	if err != nil {
		return err
	}
	name := filepath.Join(to, indexName)
	if err := writeFile(name, data); err != nil {
		return err
	}
	// A layer with the index has the same bytes whenever it is made.
	epoch := time.Unix(0, 0)
	return errors.Join(os.Chtimes(name, epoch, epoch), os.Chtimes(to, epoch, epoch))
}

// openTree opens a source tree. When BuildKit says what there is, that counts,
// whatever of it was transferred.
func openTree(dir string) (fs.FS, error) {
	data, err := os.ReadFile(filepath.Join(dir, metadataName))
	if errors.Is(err, fs.ErrNotExist) {
		return os.DirFS(dir), nil
	}
	if err != nil {
		return nil, err
	}
	tree := &namedTree{content: os.DirFS(dir), entries: map[string]treeEntry{".": {stat: &fstypes.Stat{Mode: uint32(fs.ModeDir | 0o755)}}}}
	if err := tree.read(data); err != nil {
		return nil, fmt.Errorf("read %s: %w", metadataName, err)
	}
	return tree, nil
}

// namedTree is a tree of which all names are known, and of some files the
// content.
type namedTree struct {
	content fs.FS
	entries map[string]treeEntry
}

// treeEntry is a file, and what it holds if it is a directory.
type treeEntry struct {
	stat  *fstypes.Stat
	names []string
}

// read reads the entries: each is a number of bytes and so many bytes of a
// message.
func (t *namedTree) read(data []byte) error {
	for len(data) > 0 {
		if len(data) < 4 {
			return errors.New("the last entry is cut short")
		}
		n := binary.LittleEndian.Uint32(data)
		if data = data[4:]; uint64(n) > uint64(len(data)) {
			return errors.New("the last entry is cut short")
		}
		stat := &fstypes.Stat{}
		if err := stat.Unmarshal(bytes.Clone(data[:n])); err != nil {
			return err
		}
		data = data[n:]
		if name := strings.TrimPrefix(stat.Path, "/"); fs.ValidPath(name) && name != "." {
			t.add(name, stat)
		}
	}
	return nil
}

func (t *namedTree) add(name string, stat *fstypes.Stat) {
	if old, ok := t.entries[name]; ok {
		t.entries[name] = treeEntry{stat, old.names}
		return
	}
	t.entries[name] = treeEntry{stat: stat}
	dir := path.Dir(name)
	if _, ok := t.entries[dir]; !ok {
		t.add(dir, &fstypes.Stat{Mode: uint32(fs.ModeDir | 0o755)})
	}
	above := t.entries[dir]
	above.names = append(above.names, path.Base(name))
	t.entries[dir] = above
}

// find returns an entry by the name that it has when no link is left on the way
// to it, nor itself is one if last is set.
func (t *namedTree) find(op, name string, last bool) (string, treeEntry, error) {
	missing := &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	if !fs.ValidPath(name) {
		return "", treeEntry{}, missing
	}
	for range 40 { // links, as in most systems
		link, e, ok := t.walk(name, last)
		if !ok {
			return "", treeEntry{}, missing
		}
		if link == "" {
			return name, e, nil
		}
		to := e.stat.Linkname
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(link), to)
		}
		name = path.Join(to, strings.TrimPrefix(name, link))
		if !fs.ValidPath(name) {
			break
		}
	}
	return "", treeEntry{}, missing
}

// walk returns the first link on the way to name, or the entry itself.
func (t *namedTree) walk(name string, last bool) (link string, e treeEntry, ok bool) {
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		if e, ok = t.entries[name[:i]]; !ok {
			return "", e, false
		}
		if (i < len(name) || last) && fs.FileMode(e.stat.Mode)&fs.ModeSymlink != 0 {
			return name[:i], e, true
		}
	}
	return "", e, true
}

// Open opens a file of which the content is known.
func (t *namedTree) Open(name string) (fs.File, error) {
	real, _, err := t.find("open", name, true)
	if err != nil {
		return nil, err
	}
	return t.content.Open(real)
}

// ReadDir lists a directory.
func (t *namedTree) ReadDir(name string) ([]fs.DirEntry, error) {
	real, e, err := t.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if !fs.FileMode(e.stat.Mode).IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	var list []fs.DirEntry
	for _, base := range e.names {
		list = append(list, fs.FileInfoToDirEntry(entryInfo{base, t.entries[path.Join(real, base)].stat}))
	}
	return list, nil
}

// Stat describes a file.
func (t *namedTree) Stat(name string) (fs.FileInfo, error) { return t.stat("stat", name, true) }

// Lstat describes a file or a link.
func (t *namedTree) Lstat(name string) (fs.FileInfo, error) { return t.stat("lstat", name, false) }

func (t *namedTree) stat(op, name string, last bool) (fs.FileInfo, error) {
	_, e, err := t.find(op, name, last)
	if err != nil {
		return nil, err
	}
	return entryInfo{path.Base(name), e.stat}, nil
}

// ReadLink returns what a link leads to.
func (t *namedTree) ReadLink(name string) (string, error) {
	_, e, err := t.find("readlink", name, false)
	if err == nil && fs.FileMode(e.stat.Mode)&fs.ModeSymlink == 0 {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	return e.stat.Linkname, nil
}

// entryInfo is a Stat of BuildKit as a fs.FileInfo.
type entryInfo struct {
	name string
	stat *fstypes.Stat
}

func (i entryInfo) Name() string       { return i.name }
func (i entryInfo) Size() int64        { return i.stat.Size }
func (i entryInfo) Mode() fs.FileMode  { return fs.FileMode(i.stat.Mode) }
func (i entryInfo) ModTime() time.Time { return time.Unix(0, i.stat.ModTime) }
func (i entryInfo) IsDir() bool        { return i.Mode().IsDir() }
func (i entryInfo) Sys() any           { return i.stat }
