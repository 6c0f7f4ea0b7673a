package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Names are the names in a source tree: what each stands for and where links
// lead, but no content and no time. Of files the size may be known. The zero
// value is an empty tree.
//
// Their binary form is the same for the same names and the same sizes of what a
// scan reads. Other sizes are not in it.
type Names struct {
	entries map[string]named
}

// named is a name in a tree, and the names in it if it is a directory.
type named struct {
	kind  fs.FileMode
	link  string
	names []string
	// size is that of a file plus 1, 0 when it is not known.
	size int64
}

// Add adds a name. Of the mode only the type matters; link is where a symbolic
// link leads. The directories above are added, too. What cannot be named in an
// [fs.FS] is left out.
func (n *Names) Add(name string, mode fs.FileMode, link string) {
	if !fs.ValidPath(name) || name == "." {
		return
	}
	if n.entries == nil {
		n.entries = map[string]named{".": {kind: fs.ModeDir}}
	}
	e := named{kind: mode.Type()}
	if e.kind == fs.ModeSymlink {
		e.link = link
	}
	old, met := n.entries[name]
	e.names = old.names
	n.entries[name] = e
	if met {
		return
	}
	dir := path.Dir(name)
	if _, ok := n.entries[dir]; !ok {
		n.Add(dir, fs.ModeDir, "")
	}
	above := n.entries[dir]
	above.names = append(above.names, path.Base(name))
	n.entries[dir] = above
}

// SetSize notes how large a file is that was added.
func (n *Names) SetSize(name string, size int64) {
	if e, ok := n.entries[name]; ok && e.kind == 0 && size >= 0 {
		e.size = size + 1
		n.entries[name] = e
	}
}

// Size returns how large a file is, if that is known.
func (n *Names) Size(name string) (size int64, ok bool) {
	e := n.entries[name]
	return e.size - 1, e.size > 0
}

// Starting returns the files of known size whose names start like this, sorted.
func (n *Names) Starting(prefix string) []string {
	var files []string
	for name, e := range n.entries {
		if e.size > 0 && strings.HasPrefix(name, prefix) {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return files
}

// Links yields the symbolic links among the names, in no order.
func (n *Names) Links() func(yield func(name string) bool) {
	return func(yield func(string) bool) {
		for name, e := range n.entries {
			if e.kind == fs.ModeSymlink && !yield(name) {
				return
			}
		}
	}
}

// The letters of the binary form. Whatever is neither a file, a directory nor a
// link is only there to be left alone.
const (
	letterFile  = 'f'
	letterSized = 'F'
	letterDir   = 'd'
	letterLink  = 'l'
	letterOther = 'o'
)

// MarshalBinary writes the tree in depth: of each name a letter, the name in
// its directory and a zero byte. Then a file that a scan reads has its size and
// a zero byte, a link its target and a zero byte, and a directory what is in it
// and a zero byte.
func (n *Names) MarshalBinary() ([]byte, error) { return n.appendDir(nil, "."), nil }

func (n *Names) appendDir(data []byte, dir string) []byte {
	for _, base := range n.sorted(dir) {
		name := path.Join(dir, base)
		e := n.entries[name]
		letter := byte(letterOther)
		switch e.kind {
		case 0:
			letter = letterFile
			if e.size > 0 && Reads(name) {
				letter = letterSized
			}
		case fs.ModeDir:
			letter = letterDir
		case fs.ModeSymlink:
			letter = letterLink
		}
		data = append(data, letter)
		data = append(append(data, base...), 0)
		switch letter {
		case letterSized:
			data = append(strconv.AppendInt(data, e.size-1, 10), 0)
		case letterLink:
			data = append(append(data, e.link...), 0)
		case letterDir:
			data = append(n.appendDir(data, name), 0)
		}
	}
	return data
}

// sorted returns what is in a directory.
func (n *Names) sorted(dir string) []string {
	names := n.entries[dir].names
	if !slices.IsSorted(names) {
		names = slices.Sorted(slices.Values(names))
	}
	return names
}

// UnmarshalBinary reads what [Names.MarshalBinary] wrote.
func (n *Names) UnmarshalBinary(data []byte) error {
	n.entries = nil
	dir, depth := ".", 0
	// next cuts off what stands before a zero byte.
	next := func() (text string, ok bool) {
		before, after, ok := bytes.Cut(data, []byte{0})
		data = after
		return string(before), ok
	}
	for len(data) > 0 {
		entry, ok := next()
		if entry == "" && ok && depth > 0 {
			dir, depth = path.Dir(dir), depth-1
			continue
		}
		if len(entry) < 2 || strings.Contains(entry, "/") || !ok {
			return errors.New("no list of names")
		}
		kind, link := fs.ModeIrregular, ""
		size := int64(-1)
		switch entry[0] {
		case letterSized:
			text, _ := next() // without the zero byte it is no list either
			var err error
			if size, err = strconv.ParseInt(text, 10, 63); err != nil || size < 0 {
				return errors.New("no list of names")
			}
			kind = 0
		case letterFile:
			kind = 0
		case letterDir:
			kind = fs.ModeDir
		case letterLink:
			kind = fs.ModeSymlink
			if link, ok = next(); !ok {
				return errors.New("no list of names")
			}
		}
		name := path.Join(dir, entry[1:])
		if len(name) > MaxName {
			return errors.New("no list of names")
		}
		n.Add(name, kind, link)
		n.SetSize(name, size)
		if kind == fs.ModeDir {
			dir, depth = name, depth+1
		}
	}
	if depth > 0 {
		return errors.New("no list of names")
	}
	return nil
}

// NamedFS is a tree of which all names are known, and of some files the
// content. Other files are missing when they are opened.
type NamedFS struct {
	// Names are all names.
	Names *Names
	// Content holds files, by the names that they have when no link is left on
	// the way.
	Content fs.FS
	// Rooted says that the root of the tree is where a link leads that is rooted
	// or climbs out, as it is for BuildKit. Otherwise it leads nowhere, as it does
	// for who compiles in the tree.
	Rooted bool
	// Exact says that a file has to have the size that is known of it.
	Exact bool
}

// find returns an entry by the name that it has when no link is left on the way
// to it, nor itself is one if last is set.
func (t *NamedFS) find(op, name string, last bool) (string, named, error) {
	missing := &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	if !fs.ValidPath(name) {
		return "", named{}, missing
	}
	for range maxLinks + 1 {
		link, e, ok := t.walk(name, last)
		if !ok {
			return "", named{}, missing
		}
		if link == "" {
			return name, e, nil
		}
		to := e.link
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(link), to)
		}
		name = path.Join(to, strings.TrimPrefix(name, link))
		if t.Rooted {
			name = path.Join(".", path.Join("/", name)[1:])
		}
		if !fs.ValidPath(name) || len(name) > MaxName {
			return "", named{}, missing
		}
	}
	missing.Err = ErrLinks
	return "", named{}, missing
}

// walk returns the first link on the way to name, or the entry itself.
func (t *NamedFS) walk(name string, last bool) (link string, e named, ok bool) {
	if name == "." {
		return "", named{kind: fs.ModeDir, names: t.Names.entries["."].names}, true
	}
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		if e, ok = t.Names.entries[name[:i]]; !ok {
			return "", e, false
		}
		if (i < len(name) || last) && e.kind == fs.ModeSymlink {
			return name[:i], e, true
		}
	}
	return "", e, true
}

// Real returns the name of a file when no link is left on the way to it, ""
// when there is no such file.
func (t *NamedFS) Real(name string) string {
	real, _, _ := t.find("stat", name, true) // error ignored: the name is empty then
	return real
}

// Open opens a file of which the content is known, or a directory to be
// described.
func (t *NamedFS) Open(name string) (fs.File, error) {
	real, e, err := t.find("open", name, true)
	if err != nil {
		return nil, err
	}
	if e.kind == fs.ModeDir {
		return namedDir{namedInfo{path.Base(name), e.kind}}, nil
	}
	if e.kind != 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrIrregular}
	}
	f, err := t.Content.Open(real)
	if err != nil || !t.Exact || e.size == 0 {
		return f, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != e.size-1 {
		err = fmt.Errorf("%s has %d bytes instead of %d: %w", name, info.Size(), e.size-1, ErrChanged)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// namedDir is a directory as a file: what holds no content is not in
// [NamedFS.Content].
type namedDir struct{ info namedInfo }

// Stat describes the directory.
func (d namedDir) Stat() (fs.FileInfo, error) { return d.info, nil }

// Read fails: a directory is listed with [NamedFS.ReadDir].
func (d namedDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errors.New("is a directory")}
}

// Close does nothing.
func (d namedDir) Close() error { return nil }

// ReadDir lists a directory, sorted by name.
func (t *NamedFS) ReadDir(name string) ([]fs.DirEntry, error) {
	real, e, err := t.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	if e.kind != fs.ModeDir {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	list := make([]fs.DirEntry, 0, len(e.names))
	for _, base := range t.Names.sorted(real) {
		list = append(list, namedInfo{base, t.Names.entries[path.Join(real, base)].kind})
	}
	return list, nil
}

// Stat says what a name stands for when links are followed.
func (t *NamedFS) Stat(name string) (fs.FileInfo, error) { return t.stat("stat", name, true) }

// Lstat says what a name stands for.
func (t *NamedFS) Lstat(name string) (fs.FileInfo, error) { return t.stat("lstat", name, false) }

func (t *NamedFS) stat(op, name string, last bool) (fs.FileInfo, error) {
	_, e, err := t.find(op, name, last)
	if err != nil {
		return nil, err
	}
	return namedInfo{path.Base(name), e.kind}, nil
}

// ReadLink returns what a link leads to.
func (t *NamedFS) ReadLink(name string) (string, error) {
	_, e, err := t.find("readlink", name, false)
	if err == nil && e.kind != fs.ModeSymlink {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	return e.link, nil
}

// Reads reports whether a scan may read the content of a file of that name,
// not counting what assembly includes. Of all others it needs the name alone.
func Reads(name string) bool {
	switch base := path.Base(name); {
	case base == "go.mod", base == "go.sum", base == "go.work":
		return true
	case base == "modules.txt":
		return path.Base(path.Dir(name)) == "vendor"
	case path.Ext(base) == ".go":
		return !strings.HasSuffix(base, "_test.go")
	default:
		return path.Ext(base) == ".s" || path.Ext(base) == ".h"
	}
}

// namedInfo is what is known of a file by its name.
type namedInfo struct {
	name string
	kind fs.FileMode
}

func (i namedInfo) Name() string               { return i.name }
func (i namedInfo) Size() int64                { return 0 }
func (i namedInfo) Mode() fs.FileMode          { return i.kind }
func (i namedInfo) Type() fs.FileMode          { return i.kind }
func (i namedInfo) ModTime() time.Time         { return time.Time{} }
func (i namedInfo) IsDir() bool                { return i.kind.IsDir() }
func (i namedInfo) Sys() any                   { return nil }
func (i namedInfo) Info() (fs.FileInfo, error) { return i, nil }
