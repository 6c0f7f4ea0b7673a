package scan

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// countingFS notes what is asked of a file system.
type countingFS struct {
	fstest.MapFS
	mu    *sync.Mutex
	calls *[]string
	reads *int
}

func newCountingFS(tree fstest.MapFS) countingFS {
	return countingFS{tree, &sync.Mutex{}, &[]string{}, new(int)}
}

func (c countingFS) note(what, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.calls = append(*c.calls, what+" "+name)
}

func (c countingFS) Open(name string) (fs.File, error) {
	c.note("open", name)
	f, err := c.MapFS.Open(name)
	return countingFile{f, c}, err
}

func (c countingFS) ReadFile(name string) ([]byte, error) {
	c.note("open", name)
	return c.MapFS.ReadFile(name)
}

func (c countingFS) ReadDir(name string) ([]fs.DirEntry, error) {
	c.note("list", name)
	return c.MapFS.ReadDir(name)
}

func (c countingFS) Stat(name string) (fs.FileInfo, error) {
	c.note("stat", name)
	return c.MapFS.Stat(name)
}

type countingFile struct {
	fs.File
	fs countingFS
}

func (f countingFile) Read(p []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	*f.fs.reads++
	n, err := f.File.Read(p)
	if err == io.EOF && n > 0 {
		err = nil // as files of the operating system do
	}
	return n, err
}

// sorted returns the calls in order of their text, and fails when one was made
// twice.
func (c countingFS) sorted(t *testing.T) []string {
	t.Helper()
	calls := slices.Sorted(slices.Values(*c.calls))
	for i := 1; i < len(calls); i++ {
		if calls[i] == calls[i-1] {
			t.Errorf("twice: %s", calls[i])
		}
	}
	return calls
}

func largeTree(dirs, files int) fstest.MapFS {
	tree := fstest.MapFS{
		"go.mod": {Data: []byte("module example.com/m\n\ngo 1.26\n")},
		"go.sum": {},
	}
	body := "package p\n\nimport \"fmt\"\n\nfunc f() {\n"
	for len(body) < 8<<10 {
		body += "\tfmt.Println(\"some text\")\n"
	}
	data := []byte(body + "}\n")
	for i := range dirs {
		for j := range files {
			tree[fmt.Sprintf("pkg%d/sub/file%d.go", i, j)] = &fstest.MapFile{Data: data}
		}
	}
	tree["cmd/x/main.go"] = &fstest.MapFile{Data: []byte("package main\n")}
	tree["cmd/x/main_test.go"] = &fstest.MapFile{Data: []byte("package main\n")}
	return tree
}

func TestNothingIsReadTwice(t *testing.T) {
	tree := largeTree(20, 10)
	tree["vendor/modules.txt"] = &fstest.MapFile{Data: []byte("# x\n")}
	tree["sub/go.mod"] = &fstest.MapFile{Data: []byte("module sub\n")}
	tree["go.work"] = &fstest.MapFile{Data: []byte("use (\n\t.\n\t./sub\n\t./_tools\n)\n")}
	tree["_tools/go.mod"] = &fstest.MapFile{Data: []byte("module tools\n\nreplace x => ../sub\n")}
	tree["_tools/x.go"] = &fstest.MapFile{Data: []byte("package tools\n")}
	for _, main := range []string{"", "./cmd/x", "tools", "./nowhere", "example.com/m/nowhere"} {
		c := newCountingFS(tree)
		if _, err := Scan(c, Options{Mains: []string{main}}); err != nil {
			t.Fatal(err)
		}
		calls := c.sorted(t)
		if slices.Contains(calls, "open cmd/x/main_test.go") {
			t.Errorf("main %q: a test was opened", main)
		}
	}
}

func TestReadsPerFile(t *testing.T) {
	c := newCountingFS(largeTree(10, 10))
	if _, err := Scan(c, Options{}); err != nil {
		t.Fatal(err)
	}
	// A file that ends with its header must be read to the end.
	// So must go.mod, and go.sum, which is empty.
	if want := 10*10 + 2 + 2 + 1; *c.reads > want {
		t.Errorf("got %d reads, want no more than %d", *c.reads, want)
	}
}

// TestBodiesAreNotRead gives a header of more than one buffer a large body.
func TestBodiesAreNotRead(t *testing.T) {
	src := "// " + strings.Repeat("x", 2*firstRead) + "\npackage p\n\nvar x = `" + strings.Repeat("x", 100*firstRead) + "`\n"
	c := newCountingFS(fstest.MapFS{"x.go": {Data: []byte(src)}})
	if ix, err := Scan(c, Options{}); err != nil || len(ix.Packages) != 1 || ix.Packages[0].Files[0].Package != "p" {
		t.Fatalf("got %+v, %v, want package p", ix, err)
	}
	if *c.reads > 2 {
		t.Errorf("got %d reads, want 2", *c.reads)
	}
}

// TestMainReadsLittle says what naming the main package costs.
func TestMainReadsLittle(t *testing.T) {
	tree := largeTree(50, 10)
	c := newCountingFS(tree)
	if _, err := Scan(c, Options{Mains: []string{"./cmd/x"}}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"list cmd/x",
		"open cmd/go.mod",
		"open cmd/x/main.go",
		"open go.mod",
		"open go.sum",
		"open go.work",
		"open vendor/modules.txt",
		"stat go.sum",
	}
	if diff := cmp.Diff(want, c.sorted(t)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func BenchmarkScan(b *testing.B) {
	tree := largeTree(500, 20)
	for _, main := range []string{"", "./cmd/x"} {
		b.Run("main="+main, func(b *testing.B) {
			for b.Loop() {
				if _, err := Scan(tree, Options{Mains: []string{main}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
