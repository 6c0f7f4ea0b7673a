package frontend

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// testTree is a tree with files around the size of a chunk, links and folders.
func testTree(t *testing.T) (*tree, fstest.MapFS) {
	t.Helper()
	files := fstest.MapFS{
		"empty":          {Mode: 0o644},
		"small":          {Data: []byte("small"), Mode: 0o600},
		"below":          {Data: pattern(chunk - 1)},
		"exact":          {Data: pattern(chunk)},
		"above":          {Data: pattern(chunk + 1)},
		"large":          {Data: pattern(3*chunk + 7)},
		"a/b/c.go":       {Data: []byte("package c\n")},
		"z":              {Mode: fs.ModeDir | 0o755},
		"link":           {Data: []byte("small"), Mode: fs.ModeSymlink | 0o777},
		"link.go":        {Data: []byte("a"), Mode: fs.ModeSymlink | 0o777},
		"dangling.go":    {Data: []byte("nowhere"), Mode: fs.ModeSymlink | 0o777},
		"a/name with \"": {Data: []byte("x")},
	}
	return &tree{ctx: t.Context(), ref: &fakeRef{tree: files}}, files
}

// pattern returns n bytes of which no two chunks are equal.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>8 ^ i*7)
	}
	return b
}

// TestTreeRead reads every file in several ways.
func TestTreeRead(t *testing.T) {
	files, want := testTree(t)
	for name, file := range want {
		if !file.Mode.IsRegular() {
			continue
		}
		got, err := fs.ReadFile(files, name)
		if err != nil || !bytes.Equal(got, file.Data) {
			t.Errorf("%s: got %d bytes and error %v, want %d bytes", name, len(got), err, len(file.Data))
		}
		f, err := files.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(f, file.Data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n, err := f.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: got %d bytes and error %v at the end, want EOF", name, n, err)
		}
		info, err := f.Stat()
		if err != nil || info.Size() != int64(len(file.Data)) || info.IsDir() {
			t.Errorf("%s: got info %v and error %v, want a file of %d bytes", name, info, err, len(file.Data))
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
	}
	if got, err := fs.ReadFile(files, "link"); string(got) != "small" || err != nil {
		t.Errorf("link: got %q and error %v, want what it leads to", got, err)
	}
}

// counter counts the reads of a reference.
type counter struct {
	client.Reference
	reads int
}

func (c *counter) ReadFile(ctx context.Context, req client.ReadRequest) ([]byte, error) {
	c.reads++
	return c.Reference.ReadFile(ctx, req)
}

// TestTreeReads counts the calls: a file that fits in a chunk costs one.
func TestTreeReads(t *testing.T) {
	files, _ := testTree(t)
	for name, want := range map[string]int{"empty": 1, "below": 1, "exact": 2, "above": 2, "large": 4} {
		c := &counter{Reference: files.ref}
		if _, err := fs.ReadFile(&tree{ctx: t.Context(), ref: c}, name); err != nil {
			t.Fatal(err)
		}
		if c.reads != want {
			t.Errorf("%s: got %d reads, want %d", name, c.reads, want)
		}
	}
}

// TestTreeErrors checks that the errors of package fs are back.
func TestTreeErrors(t *testing.T) {
	files, _ := testTree(t)
	open := func(name string) error { _, err := files.Open(name); return err }
	stat := func(name string) error { _, err := files.Stat(name); return err }
	list := func(name string) error { _, err := files.ReadDir(name); return err }
	for _, tt := range []struct {
		call string
		f    func(string) error
		name string
		want error
	}{
		{"open", open, "none", fs.ErrNotExist},
		{"open", open, "a/none/none", fs.ErrNotExist},
		{"open", open, "small/none", fs.ErrNotExist},
		{"open", open, "dangling.go", fs.ErrNotExist},
		{"open", open, "../small", fs.ErrInvalid},
		{"open", open, "/small", fs.ErrInvalid},
		{"open", open, "", fs.ErrInvalid},
		{"stat", stat, "none", fs.ErrNotExist},
		{"stat", stat, "small/none", fs.ErrNotExist},
		{"readdir", list, "none", fs.ErrNotExist},
	} {
		err := tt.f(tt.name)
		var pe *fs.PathError
		if !errors.Is(err, tt.want) || !errors.As(err, &pe) || pe.Path != tt.name {
			t.Errorf("%s %q: got %v, want a path error with %v", tt.call, tt.name, err, tt.want)
		}
	}
	for text, want := range map[string]error{
		"openat x: permission denied":           fs.ErrPermission,
		"Unknown: open x: file does not exist":  nil,
		"transport is closing":                  nil,
		"stat x: no such file or directory (2)": fs.ErrNotExist,
		"open x: file name too long":            fs.ErrInvalid,
		"openat x: invalid argument":            fs.ErrInvalid,
		"stat x: too many links":                scan.ErrLinks,
		"open x: not a regular file":            scan.ErrIrregular,

		"openat x: too many levels of symbolic links": scan.ErrLinks,
	} {
		err := pathError("open", "x", errors.New(text))
		if want != nil && !errors.Is(err, want) || want == nil && !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want %v", text, err, want)
		}
	}
}

// TestTreeDir opens, describes and lists folders, the root among them.
func TestTreeDir(t *testing.T) {
	files, _ := testTree(t)
	for _, name := range []string{".", "a", "a/b", "z", "link.go"} {
		f, err := files.Open(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if info, err := f.Stat(); err != nil || !info.IsDir() {
			t.Errorf("%s: got info %v and error %v, want a folder", name, info, err)
		}
		if n, err := f.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
			t.Errorf("%s: got %d bytes and error %v, want an error", name, n, err)
		}
	}
	var names []string
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		names = append(names, fs.FormatDirEntry(d))
		return err
	})
	const want = "d ./, d a/, d b/, - c.go, - name with \", - above, - below, L dangling.go, - empty, - exact, - large, L link, L link.go, - small, d z/"
	if got := strings.Join(names, ", "); got != want || err != nil {
		t.Errorf("got %s and error %v, want %s", got, err, want)
	}
}

// TestTreeConcurrent reads from many goroutines, as a scan does; the race
// detector looks on.
func TestTreeConcurrent(t *testing.T) {
	files, want := testTree(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, name := range []string{"large", "exact", "small"} {
				if got, err := fs.ReadFile(files, name); err != nil || !bytes.Equal(got, want[name].Data) {
					t.Errorf("%s: got %d bytes and error %v, want %d bytes", name, len(got), err, len(want[name].Data))
				}
			}
			if _, err := fs.Stat(files, "a/b"); err != nil {
				t.Error(err)
			}
			if _, err := files.ReadDir("."); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
