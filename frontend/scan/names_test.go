package scan

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// namesOf lists a tree in which links have their target as content.
func namesOf(files fstest.MapFS) *Names {
	n := &Names{}
	for name, file := range files {
		n.Add(name, file.Mode, string(file.Data))
	}
	return n
}

// linkedTree is a tree with all that a name can stand for.
func linkedTree() fstest.MapFS {
	link := func(to string) *fstest.MapFile { return &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte(to)} }
	return fstest.MapFS{
		"a/b/c.txt": {Data: []byte("c")}, "a/d.txt": {Data: []byte("d")}, "a-b": {}, "e.txt": {Data: []byte("e")},
		"empty": {Mode: fs.ModeDir}, "pipe": {Mode: fs.ModeNamedPipe}, "new\nline": {},
		"l/file": link("../a/d.txt"), "l/dir": link("../a/b"), "l/chain": link("dir/c.txt"), "l/none": link("none"),
		"l/loop": link("loop"), "l/root": link("/e.txt"), "l/out": link("../../../e.txt"), "l/up": link(".."),
	}
}

// TestNamesBinary checks that the binary form is that of the names alone, and
// that it comes back.
func TestNamesBinary(t *testing.T) {
	tree := linkedTree()
	data, err := namesOf(tree).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 { // the map has another order every time
		tree["e.txt"].Mode ^= 0o111
		if again, _ := namesOf(tree).MarshalBinary(); !bytes.Equal(data, again) {
			t.Fatalf("got %q, then %q", data, again)
		}
	}
	back := &Names{}
	if err := back.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	if again, _ := back.MarshalBinary(); !bytes.Equal(data, again) {
		t.Errorf("got %q, want %q", again, data)
	}
	if got, want := len(slices.Collect(back.Links())), 8; got != want {
		t.Errorf("got %d links, want %d", got, want)
	}
	whole := 0
	for i := range data {
		if err := back.UnmarshalBinary(data[:i]); err == nil {
			whole++ // between two names of the root
		}
	}
	if whole != 7 {
		t.Errorf("%d parts of the list are lists, want 7", whole)
	}
	for _, text := range []string{"x", "f\x00", "\x00", "fa/b\x00", "llink\x00", "ddir\x00", "l\x00x\x00"} {
		if err := back.UnmarshalBinary([]byte(text)); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
	if data, _ := (&Names{}).MarshalBinary(); len(data) != 0 {
		t.Errorf("empty tree: got %q", data)
	}
}

// TestNamedFS checks the file system: with links as they are for who compiles,
// and as they are for BuildKit.
func TestNamedFS(t *testing.T) {
	files := linkedTree()
	tree := &NamedFS{Names: namesOf(files), Content: fstest.MapFS{"a/d.txt": files["a/d.txt"], "e.txt": files["e.txt"]}}
	for name, want := range map[string]string{
		"a/d.txt": "d", "e.txt": "e", "l/file": "d", "l/up/e.txt": "e", "l/dir/../file": "", "a/b/c.txt": "", "l/chain": "",
		"x": "", "a/x": "", "e.txt/x": "", "../x": "", "/e.txt": "", "l/none": "", "l/loop": "", "l/root": "", "l/out": "",
	} {
		got, err := fs.ReadFile(tree, name)
		known := errors.Is(err, fs.ErrNotExist) || (name == "l/loop" || name == "l/none") && errors.Is(err, ErrLinks)
		if string(got) != want || (err == nil) != (want != "") || err != nil && !known {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	for name, want := range map[string]string{"l/chain": "a/b/c.txt", "l/dir": "a/b", "l/root": "", "l/out": "", ".": "."} {
		if got := tree.Real(name); got != want {
			t.Errorf("%s: got real name %q, want %q", name, got, want)
		}
	}
	tree.Rooted = true
	for name, want := range map[string]string{"l/root": "e.txt", "l/out": "e.txt", "l/none": "", "l/loop": "", "l/up": "."} {
		if got := tree.Real(name); got != want {
			t.Errorf("%s: got real name %q in a rooted tree, want %q", name, got, want)
		}
	}
	var names []string
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		names = append(names, fmt.Sprint(name, " ", d.Type()))
		return err
	})
	want := []string{
		". d---------", "a d---------", "a/b d---------", "a/b/c.txt ----------", "a/d.txt ----------", "a-b ----------",
		"e.txt ----------", "empty d---------", "l d---------", "l/chain L---------", "l/dir L---------", "l/file L---------",
		"l/loop L---------", "l/none L---------", "l/out L---------", "l/root L---------", "l/up L---------",
		"new\nline ----------", "pipe p---------",
	}
	if diff := cmp.Diff(want, names); diff != "" || err != nil {
		t.Errorf("%v\n-want +got:\n%s", err, diff)
	}
	if _, err := tree.ReadDir("e.txt"); err == nil {
		t.Error("listed e.txt, which is a file")
	}
	if list, err := tree.ReadDir("l/dir"); err != nil || len(list) != 1 {
		t.Errorf("l/dir: got %v, %v", list, err)
	}
	if f, err := tree.Open("l/up/empty"); err != nil {
		t.Error(err)
	} else if info, err := f.Stat(); err != nil || !info.IsDir() {
		t.Errorf("empty: got %v, %v, want a directory", info, err)
	}
}

// recorder remembers what was opened.
type recorder struct {
	fs.FS
	mu     sync.Mutex
	opened []string
}

func (r *recorder) Open(name string) (fs.File, error) {
	r.mu.Lock()
	r.opened = append(r.opened, name)
	r.mu.Unlock()
	return r.FS.Open(name)
}

// TestReads checks that a scan reads what [Reads] says, and gives the same index
// when there is nothing else.
func TestReads(t *testing.T) {
	tree := fstest.MapFS{
		"go.mod": {Data: []byte("module m\n")}, "go.sum": {}, "go.work": {Data: []byte("use .\n")}, "go.work.sum": {},
		"vendor/modules.txt": {Data: []byte("## workspace\n# v v1.0.0\nv\n")}, "vendor/v/v.go": {Data: []byte("package v\n")},
		"modules.txt": {}, "main.go": {Data: []byte("package main\n\nimport _ \"v\"\n\n//go:embed x\nvar x string\n")},
		"main_test.go": {Data: []byte("package main\n")}, "x": {}, "README.md": {},
		"asm/asm.go": {Data: []byte("package asm\n")}, "asm/asm.s": {Data: []byte("#include \"asm.h\"\n#include \"x.inc\"\n")},
		"asm/asm.h": {}, "asm/x.inc": {}, "asm/x.c": {}, "asm/default.pgo": {}, "asm/x.S": {}, "asm/x.syso": {},
	}
	// What assembly includes is not known by its name.
	names, left := &Names{}, fstest.MapFS{}
	for name, file := range tree {
		names.Add(name, file.Mode, "")
		if Reads(name) {
			left[name] = file
		}
	}
	content := &recorder{FS: left}
	got, err := Tree(&NamedFS{Names: names, Content: content}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := Tree(struct{ fs.FS }{tree}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("-all contents +those that it reads:\n%s", diff)
	}
	for _, name := range content.opened {
		if !Reads(name) && path.Ext(name) != ".inc" {
			t.Errorf("%s: was read", name)
		}
	}
	if want := 9; len(left) != want {
		t.Errorf("got %d files with content, want %d", len(left), want)
	}
}

// TestNamesSize checks which sizes are written, and that they come back.
func TestNamesSize(t *testing.T) {
	sizes := map[string]int64{"go.mod": 25, "main.go": 0, "a/asm.s": 7, "a/a_test.go": 8, "README.md": 9, "words.txt": 10}
	list := func(change func(n *Names)) []byte {
		n := &Names{}
		for name, size := range sizes {
			n.Add(name, 0, "")
			n.SetSize(name, size)
		}
		change(n)
		data, err := n.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	data := list(func(*Names) {})
	back := &Names{}
	if err := back.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	for name, want := range sizes {
		size, ok := back.Size(name)
		if ok != Reads(name) || ok && size != want {
			t.Errorf("%s: got %d, %v, want %d only if a scan reads it", name, size, ok, want)
		}
	}
	if again, _ := back.MarshalBinary(); !bytes.Equal(again, data) {
		t.Errorf("got %q, want %q", again, data)
	}
	for name, size := range sizes {
		other := list(func(n *Names) { n.SetSize(name, size+1) })
		if same := bytes.Equal(other, data); same == Reads(name) {
			t.Errorf("%s: the list with another size is the same: %v", name, same)
		}
	}
	if diff := cmp.Diff([]string{"a/asm.s"}, back.Starting("a/")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	none := list(func(n *Names) {
		n.SetSize("main.go", -1)
		n.SetSize("nowhere", 1)
		n.Add("d", fs.ModeDir, "")
		n.SetSize("d", 1)
	})
	if !bytes.Contains(none, []byte("dd\x00\x00")) {
		t.Errorf("got %q, want no size of what is no file", none)
	}
	for _, text := range []string{"Fa.go\x00", "Fa.go\x00-1\x00", "Fa.go\x00x\x00", "Fa.go\x00\x00", "Fa.go\x0099999999999999999999\x00"} {
		if err := back.UnmarshalBinary([]byte(text)); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}

// TestNamedFSExact checks that a file of another size is an error where sizes
// count, and only there.
func TestNamedFSExact(t *testing.T) {
	names := &Names{}
	for _, name := range []string{"same.go", "less.go", "gone.go", "unknown.go"} {
		names.Add(name, 0, "")
	}
	names.Add("link.go", fs.ModeSymlink, "less.go")
	names.SetSize("same.go", 4)
	names.SetSize("less.go", 5)
	names.SetSize("gone.go", 1)
	content := fstest.MapFS{"same.go": {Data: []byte("same")}, "less.go": {Data: []byte("less")}, "unknown.go": {Data: []byte("unknown")}}
	for name, want := range map[string]error{"same.go": nil, "unknown.go": nil, "less.go": ErrChanged, "link.go": ErrChanged, "gone.go": fs.ErrNotExist} {
		f, err := (&NamedFS{Names: names, Content: content, Exact: true}).Open(name)
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: got error %v, want %v", name, err, want)
		}
		if err == nil {
			f.Close()
		}
		if f, err := (&NamedFS{Names: names, Content: content}).Open(name); errors.Is(err, ErrChanged) {
			t.Errorf("%s: got error %v where sizes do not count", name, err)
		} else if err == nil {
			f.Close()
		}
	}
	names.Add("go.mod", 0, "")
	content["go.mod"] = &fstest.MapFile{Data: []byte("module example.com/a\n")}
	_, err := Scan(&NamedFS{Names: names, Content: content, Exact: true}, Options{})
	if want := "less.go has 4 bytes instead of 5: it changed while it was sent"; !errors.Is(err, ErrChanged) || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
