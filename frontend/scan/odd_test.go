package scan

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestOddFiles scans what a txtar archive cannot hold.
func TestOddFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m\r\n\r\ngo 1.26\r\n")
	write("cmd/main.go", "\ufeff//go:build linux\r\n\r\npackage main\r\n")
	write("bad\xff/main.go", "package main")
	write("a/bad\xff.go", "package main")
	write("a/new\nline.go", "package main")
	write("new\nline/x.go", "package x")
	write("dir.go/x.go", "package x")
	link("cmd", "linked")
	link("..", "cmd/up")
	link("../cmd/main.go", "a/linked.go")
	link("../cmd", "a/linkeddir.go")
	link("nowhere", "a/dangling.go")
	write("vendor", "a file")
	write("go.work", "use (\n\t.\n\t./vendor\n)\n")
	ix, err := Scan(os.DirFS(dir), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := `work: go "" line 0, toolchain "" line 0
  use . line 2
  use vendor line 3
module in .: m, go "1.26" line 3, toolchain "" line 0
package in a: of module in ".", main on linux, main on windows
  dangling.go: "" 
  linked.go: "main" linux
  new
line.go: "main" 
package in cmd: of module in ".", main on linux
  main.go: "main" linux
package in dir.go: of module in "."
  x.go: "x" 
package in new
line: of module in "."
  x.go: "x" 
link a/dangling.go to a/nowhere
link a/linked.go to cmd/main.go
`
	if diff := cmp.Diff(want, dump(ix, nil)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// A directory that is named may be a link.
	ix, err = Scan(os.DirFS(dir), Options{Mains: []string{"./linked"}})
	if err != nil || len(ix.Packages) != 1 || ix.Packages[0].Dir != "linked" {
		t.Errorf("linked directory: got %+v, %v", ix, err)
	}
	if diff := cmp.Diff([]Link{{"linked", "cmd"}}, ix.Links); diff != "" {
		t.Errorf("linked directory: -want +got:\n%s", diff)
	}
}

// TestLinks checks what links lead to: chains, loops and places out of the tree.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"real/go.mod":      "module m\n",
		"real/x.go":        "package m\n\nimport (\n\t_ \"embed\"\n\t_ \"m/a\"\n\t_ \"m/far\"\n)\n\n//go:embed *.txt\nvar x string\n",
		"real/b/b.go":      "package b\n",
		"real/b/x.s":       "#include \"../inc/x.h\"\n",
		"include/x.h":      "",
		"real/plain.txt":   "",
		"elsewhere/go.sum": "",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"m":              "real",
		"real/a":         "chain",
		"real/chain":     "../real/./b",
		"real/far":       "/usr/share",
		"real/out.go":    "../../out.go",
		"real/loop.go":   "loop.go",
		"real/ping.go":   "pong.go",
		"real/pong.go":   "ping.go",
		"real/inc":       "../include",
		"real/link.txt":  "plain.txt",
		"real/go.sum":    "../elsewhere/go.sum",
		"real/unused.md": "plain.txt",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	want := []Link{
		{"real/a", "real/chain"},
		{"real/chain", "real/b"},
		{"real/go.sum", "elsewhere/go.sum"},
		{"real/inc", "include"},
		{"real/link.txt", "real/plain.txt"},
		{"real/loop.go", "real/loop.go"},
		{"real/out.go", ""},
		{"real/ping.go", "real/pong.go"},
		{"real/pong.go", "real/ping.go"},
	}
	ix, err := Scan(os.DirFS(dir), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, ix.Links); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, p := range []string{"real", "real/a"} {
		if ix.PackageAt(p) == nil {
			t.Errorf("got no package in %s", p)
		}
	}
	// The tree may not know of links.
	ix, err = Scan(onlyOpen{os.DirFS(dir)}, Options{})
	if err != nil || len(ix.Links) > 0 {
		t.Errorf("got %v, %v, want no links", ix.Links, err)
	}
	ix, err = Scan(os.DirFS(dir), Options{Mains: []string{"./m"}})
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.Index(ix.Links, Link{"m", "real"}); i < 0 || len(ix.Links) != 10 {
		t.Errorf("main package in a linked directory: got %v", ix.Links)
	}
}

// brokenFS fails for one name.
type brokenFS struct {
	fstest.MapFS
	name string
}

var errBroken = errors.New("connection lost")

func (b brokenFS) Open(name string) (fs.File, error) {
	if name == b.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errBroken}
	}
	return b.MapFS.Open(name)
}

func (b brokenFS) ReadFile(name string) ([]byte, error)       { return fs.ReadFile(onlyOpen{b}, name) }
func (b brokenFS) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(onlyOpen{b}, name) }
func (b brokenFS) Stat(name string) (fs.FileInfo, error)      { return fs.Stat(onlyOpen{b}, name) }

// onlyOpen hides all methods of a file system but Open.
type onlyOpen struct{ fs.FS }

func TestFileSystemErrors(t *testing.T) {
	tree := fstest.MapFS{
		"go.mod":                {Data: []byte("module m")},
		"go.sum":                {},
		"go.work":               {Data: []byte("use .")},
		"go.work.sum":           {},
		"vendor/modules.txt":    {Data: []byte("# x")},
		"a/main.go":             {Data: []byte("package main")},
		"b/go.mod":              {Data: []byte("module b")},
		"b/vendor/modules.txt":  {},
		"b/vendor/x/modules.go": {},
	}
	for _, name := range []string{".", "a", "go.mod", "go.sum", "go.work", "go.work.sum", "vendor/modules.txt", "a/main.go", "b/go.mod", "b/vendor"} {
		_, err := Scan(brokenFS{tree, name}, Options{})
		if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s broken: got error %v, want %v", name, err, errBroken)
		}
	}
	if _, err := Scan(brokenFS{tree, "b"}, Options{Mains: []string{"a"}}); err != nil {
		t.Errorf("b broken: got %v for a", err)
	}
}
