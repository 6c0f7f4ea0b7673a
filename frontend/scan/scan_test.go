package scan

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
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
		a.opt.NoWork = a.opt.NoWork || line == "no work\n"
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
		if diff := cmp.Diff(ix, again); diff != "" {
			t.Errorf("through JSON: -before +after:\n%s", diff)
		}
		compareWithTree(t, a, ix, nil)
		return dump(ix, a.opt.Mains)
	})
}

// compareWithTree wants of the index of the whole tree that it says the same,
// and that of a narrow one that it holds nothing else.
func compareWithTree(t *testing.T, a *archive, ix *Index, scanErr error) {
	t.Helper()
	whole, err := Tree(a.tree, a.opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.Check(a.opt.Mains); fmt.Sprint(err) != fmt.Sprint(scanErr) {
		t.Errorf("Check: got error %v, want %v", err, scanErr)
	}
	if scanErr != nil {
		return
	}
	if diff := cmp.Diff(whole.Work, ix.Work); diff != "" {
		t.Errorf("go.work: -whole +narrow:\n%s", diff)
	}
	for i := range ix.Modules {
		m := &ix.Modules[i]
		if diff := cmp.Diff(whole.ModuleOf(m.Dir), m); diff != "" {
			t.Errorf("module in %s: -whole +narrow:\n%s", m.Dir, diff)
		}
	}
	for i := range ix.Packages {
		p := &ix.Packages[i]
		if diff := cmp.Diff(whole.PackageAt(p.Dir), p); diff != "" {
			t.Errorf("package in %s: -whole +narrow:\n%s", p.Dir, diff)
		}
	}
	for _, p := range ix.Vendored {
		if !slices.ContainsFunc(whole.Vendored, func(q Package) bool { return cmp.Equal(p, q) }) {
			t.Errorf("vendored package in %s: the whole index has it not", p.Dir)
		}
	}
	for _, main := range a.opt.Mains {
		dir, ok := whole.Dir(main)
		if narrow, found := ix.Dir(main); dir != narrow || ok != found {
			t.Errorf("main %s: got %q, %t, want %q, %t", main, narrow, found, dir, ok)
		}
	}
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
		compareWithTree(t, a, nil, err)
		if ix, err := Tree(a.tree, Options{NoWork: a.opt.NoWork}); err != nil || len(a.opt.Mains) == 0 && !cmp.Equal(ix.Err, e) {
			t.Errorf("the whole tree: got %v and error %v, want %v", ix, err, e)
		}
		text := e.Error() + "\n"
		if e.Line > 0 {
			text += strings.Split(string(e.Data), "\n")[e.Line-1] + "\n" + strings.Repeat(" ", max(e.Column-1, 0)) + "^\n"
		}
		return text
	})
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
