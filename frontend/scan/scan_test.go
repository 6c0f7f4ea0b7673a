package scan

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata")

// archive is a txtar file: options and prose, a tree, and what comes of it.
type archive struct {
	txtar.Archive
	name string
	opt  Options
	tree fstest.MapFS
}

// eachArchive runs a test for each archive in a directory of testdata.
func eachArchive(t *testing.T, dir, golden string, run func(*testing.T, *archive) string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no archive in testdata/%s (%v)", dir, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a := readArchive(t, name, golden)
			got := run(t, a)
			a.compare(t, golden, got)
		})
	}
}

func readArchive(t *testing.T, name, golden string) *archive {
	t.Helper()
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{Archive: *ar, name: name, tree: fstest.MapFS{}}
	for line := range strings.Lines(string(ar.Comment)) {
		if main, ok := strings.CutPrefix(line, "main "); ok {
			a.opt.Mains = append(a.opt.Mains, strings.TrimSpace(main))
		}
	}
	for _, f := range ar.Files {
		if f.Name != golden {
			a.tree[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return a
}

// compare compares got with the golden file of the archive, or replaces it.
func (a *archive) compare(t *testing.T, golden, got string) {
	t.Helper()
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == golden })
	if *update {
		if i >= 0 {
			a.Files = slices.Delete(a.Files, i, i+1)
		}
		a.Files = append(a.Files, txtar.File{Name: golden, Data: []byte(got)})
		if err := os.WriteFile(a.name, txtar.Format(&a.Archive), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := ""
	if i >= 0 {
		want = string(a.Files[i].Data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got (-update rewrites it):\n%s", a.name, diff)
	}
}

func TestScan(t *testing.T) {
	eachArchive(t, "ok", "index", func(t *testing.T, a *archive) string {
		ix, err := Scan(a.tree, a.opt)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(ix)
		if err != nil {
			t.Fatal(err)
		}
		again := &Index{}
		if err := json.Unmarshal(data, again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ix, again, cmpopts.IgnoreUnexported(Module{})); diff != "" {
			t.Errorf("through JSON: -before +after:\n%s", diff)
		}
		return dump(ix, a.opt.Mains)
	})
}

func TestScanErrors(t *testing.T) {
	eachArchive(t, "err", "error", func(t *testing.T, a *archive) string {
		_, err := Scan(a.tree, a.opt)
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("got error %v, want an *Error", err)
		}
		if want := a.tree[e.File]; want == nil || string(want.Data) != string(e.Data) {
			t.Errorf("got data %q, want those of %s", e.Data, e.File)
		}
		text := e.Error() + "\n"
		if e.Line > 0 {
			text += strings.Split(string(e.Data), "\n")[e.Line-1] + "\n" + strings.Repeat(" ", max(e.Column-1, 0)) + "^\n"
		}
		return text
	})
}

// dump is the text form of an index.
func dump(ix *Index, mains []string) string {
	var b strings.Builder
	if w := ix.Work; w != nil {
		fmt.Fprintf(&b, "work: go %q line %d, toolchain %q line %d%s\n", w.Go, w.GoLine, w.Toolchain, w.ToolchainLine, claims("sum", w.Sum, "vendor", w.Vendor))
		for i, dir := range w.Use {
			fmt.Fprintf(&b, "  use %s line %d\n", dir, w.UseLines[i])
		}
		dumpReplaces(&b, w.Replaces)
	}
	for _, m := range ix.Modules {
		if m.Err != nil {
			fmt.Fprintf(&b, "module in %s: %v\n", m.Dir, m.Err)
			continue
		}
		fmt.Fprintf(&b, "module in %s: %s, go %q line %d, toolchain %q line %d%s\n", m.Dir, m.Path, m.Go, m.GoLine, m.Toolchain, m.ToolchainLine,
			claims("requires", m.Requires, "sum", m.Sum, "vendor", m.Vendor))
		dumpReplaces(&b, m.Replaces)
		for _, p := range m.Ignore {
			fmt.Fprintf(&b, "  ignore %s\n", p)
		}
	}
	for i := range ix.Packages {
		p := &ix.Packages[i]
		fmt.Fprintf(&b, "package in %s: of module in %q%s\n", p.Dir, p.Module,
			claims("tests", p.Tests, "main on linux", p.Main(hasPort("linux")), "main on windows", p.Main(hasPort("windows"))))
		for _, f := range p.Files {
			fmt.Fprintf(&b, "  %s: %q %s%s\n", f.Name, f.Package, f.Constraint, claims("cgo", f.Cgo))
		}
	}
	for _, main := range mains {
		dir, ok := ix.Dir(main)
		fmt.Fprintf(&b, "main %s: %q %t\n", main, dir, ok)
	}
	return b.String()
}

func dumpReplaces(b *strings.Builder, list []Replace) {
	for _, r := range list {
		fmt.Fprintf(b, "  replace %s %s => %s line %d\n", r.Path, r.Version, r.Dir, r.Line)
	}
}

// claims lists the names of those that are true.
func claims(pairs ...any) string {
	s := ""
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1].(bool) {
			s += ", " + pairs[i].(string)
		}
	}
	return s
}

// hasPort satisfies the tags of a system on amd64, without cgo.
func hasPort(goos string) func(string) bool {
	return func(tag string) bool {
		switch tag {
		case goos, "amd64", "gc":
			return true
		case "unix":
			return goos != "windows"
		}
		return strings.HasPrefix(tag, "go1.") || tag == "amd64.v1"
	}
}

func TestDir(t *testing.T) {
	ix := &Index{
		Modules: []Module{{Dir: ".", Path: "example.com/m"}, {Dir: "sub", Path: "example.com/m/v2"}, {Dir: "sub/x", Path: "x"}},
		Packages: []Package{
			{Dir: "."}, {Dir: "cmd/x"}, {Dir: "example.com/m/cmd/x"}, {Dir: "sub"}, {Dir: "sub/cmd"}, {Dir: "v2/cmd"},
		},
	}
	for _, tt := range []struct{ main, want string }{
		{".", "."}, {"./", "."}, {"example.com/m", "."},
		{"./cmd/x", "cmd/x"}, {"cmd/x", "cmd/x"}, {"./cmd//x/", "cmd/x"}, {"cmd/y/../x", "cmd/x"},
		{"example.com/m/cmd/x", "example.com/m/cmd/x"}, // the directory wins
		{"example.com/m/v2", "sub"}, {"example.com/m/v2/cmd", "sub/cmd"},
		{"example.com/m/sub/cmd", ""}, // the nested module has another path
		{"", ""}, {"..", ""}, {"../cmd/x", ""}, {"/cmd/x", ""}, {"cmd", ""}, {"example.com/mm", ""}, {"x", ""}, {"./...", ""},
	} {
		dir, ok := ix.Dir(tt.main)
		if dir != tt.want || ok != (tt.want != "") {
			t.Errorf("Dir(%q): got %q, %t, want %q", tt.main, dir, ok, tt.want)
		}
	}
	for dir, want := range map[string]string{".": "example.com/m", "a/b": "example.com/m", "sub": "example.com/m/v2", "sub/a": "example.com/m/v2", "subx": "example.com/m", "sub/x/y": "x"} {
		if m := ix.ModuleOf(dir); m == nil || m.Path != want {
			t.Errorf("ModuleOf(%q): got %v, want %s", dir, m, want)
		}
	}
	for _, dir := range []string{"..", "../a", "/a", ""} {
		if m := ix.ModuleOf(dir); m != nil {
			t.Errorf("ModuleOf(%q): got %v, want nil", dir, m)
		}
	}
	if got := ix.Modules[1].ImportPath("subx"); got != "" {
		t.Errorf("import path of a directory outside of the module: got %q, want none", got)
	}
}

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
`
	if diff := cmp.Diff(want, dump(ix, nil)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// A directory that is named may be a link.
	ix, err = Scan(os.DirFS(dir), Options{Mains: []string{"./linked"}})
	if err != nil || len(ix.Packages) != 1 || ix.Packages[0].Dir != "linked" {
		t.Errorf("linked directory: got %+v, %v", ix, err)
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
