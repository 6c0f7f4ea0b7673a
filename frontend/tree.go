package frontend

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// files is a file system that can be asked for names.
type files interface {
	fs.ReadDirFS
	fs.StatFS
}

// tree is a solved state as a file system. Every call is a call to the daemon;
// it may be used by several goroutines.
type tree struct {
	// ctx is that of the request: fs.FS has no place for one.
	ctx context.Context
	ref client.Reference
	// listed are the directories that were listed, by name: a state does not
	// change.
	listed sync.Map
}

// chunk is how much of a file is read in one call. The head of a Go file
// nearly always fits.
const chunk = 32 << 10

// Open opens a regular file and reads its first bytes. A directory is opened
// too, to be described: a link may lead to one, whatever its name.
func (t *tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if name == "." {
		return &treeDir{tree: t, name: name}, nil
	}
	f := &treeFile{tree: t, name: name}
	err := f.fill()
	if err == nil {
		return f, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		if info, e := t.Stat(name); e == nil && info.IsDir() {
			return &treeDir{tree: t, name: name}, nil
		}
	}
	return nil, err
}

// ReadDir lists a directory, sorted by name.
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) {
	if known, ok := t.listed.Load(name); ok {
		return slices.Clone(known.([]fs.DirEntry)), nil
	}
	stats, err := t.ref.ReadDir(t.ctx, client.ReadDirRequest{Path: name})
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	entries := make([]fs.DirEntry, 0, len(stats))
	for _, st := range stats {
		entries = append(entries, fs.FileInfoToDirEntry(fileInfo{st}))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	t.listed.Store(name, entries)
	return slices.Clone(entries), nil
}

// Lstat describes a file or a link. The daemon tells of links where it lists a
// directory, and follows them elsewhere.
func (t *tree) Lstat(name string) (fs.FileInfo, error) {
	if name == "." || !fs.ValidPath(name) {
		return t.Stat(name)
	}
	entries, err := t.ReadDir(path.Dir(name))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name() == path.Base(name) {
			return e.Info()
		}
	}
	return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
}

// ReadLink returns what a link leads to.
func (t *tree) ReadLink(name string) (string, error) {
	info, err := t.Lstat(name)
	if err != nil {
		return "", err
	}
	st, ok := info.Sys().(*fstypes.Stat)
	if !ok || info.Mode()&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	return st.Linkname, nil
}

// Stat describes a file.
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	st, err := t.ref.StatFile(t.ctx, client.StatRequest{Path: name})
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return fileInfo{st}, nil
}

// pathError restores the errors of package fs, which do not travel.
func pathError(op, name string, err error) error {
	for _, known := range []struct {
		text string
		err  error
	}{
		{"no such file or directory", fs.ErrNotExist},
		{"not a directory", fs.ErrNotExist}, // below a file there is nothing
		{"permission denied", fs.ErrPermission},
		{"file name too long", fs.ErrInvalid},
		{"invalid argument", fs.ErrInvalid},
		{"too many levels of symbolic links", scan.ErrLinks},
		{"too many links", scan.ErrLinks},
		{"not a regular file", scan.ErrIrregular},
	} {
		if strings.Contains(err.Error(), known.text) {
			err = known.err
			break
		}
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// treeFile reads a file in chunks.
type treeFile struct {
	tree   *tree
	name   string
	buf    []byte
	offset int
	end    bool
}

func (f *treeFile) fill() error {
	dt, err := f.tree.ref.ReadFile(f.tree.ctx, client.ReadRequest{
		Filename: f.name,
		Range:    &client.FileRange{Offset: f.offset, Length: chunk},
	})
	if err != nil {
		return pathError("read", f.name, err)
	}
	f.buf, f.offset, f.end = dt, f.offset+len(dt), len(dt) < chunk
	return nil
}

// Read reads the next bytes of the file.
func (f *treeFile) Read(p []byte) (int, error) {
	if len(f.buf) == 0 {
		if f.end {
			return 0, io.EOF
		}
		if err := f.fill(); err != nil {
			return 0, err
		}
		if len(f.buf) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, f.buf)
	f.buf = f.buf[n:]
	return n, nil
}

// Stat describes the file.
func (f *treeFile) Stat() (fs.FileInfo, error) { return f.tree.Stat(f.name) }

// Close does nothing: the daemon keeps no file open.
func (f *treeFile) Close() error { return nil }

// treeDir is a directory as a file, for fs.Stat and fs.WalkDir.
type treeDir struct {
	tree *tree
	name string
}

// Stat describes the directory.
func (d *treeDir) Stat() (fs.FileInfo, error) { return d.tree.Stat(d.name) }

// Read fails: a directory is listed with [tree.ReadDir].
func (d *treeDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a directory")}
}

// Close does nothing.
func (d *treeDir) Close() error { return nil }

// fileInfo is a Stat of the daemon as a fs.FileInfo.
type fileInfo struct{ st *fstypes.Stat }

func (i fileInfo) Name() string       { return path.Base(i.st.Path) }
func (i fileInfo) Size() int64        { return i.st.Size }
func (i fileInfo) Mode() fs.FileMode  { return fs.FileMode(i.st.Mode) }
func (i fileInfo) ModTime() time.Time { return time.Unix(0, i.st.ModTime) }
func (i fileInfo) IsDir() bool        { return i.Mode().IsDir() }
func (i fileInfo) Sys() any           { return i.st }
