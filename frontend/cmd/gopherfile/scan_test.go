package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// writeFiles writes a tree.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		writeText(t, filepath.Join(dir, name), text)
	}
	return dir
}

func writeText(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// scanned runs the command and reads what it wrote into a folder.
func scanned(t *testing.T, to string, args ...string) ([]byte, *scan.Index) {
	t.Helper()
	stdout, stderr, code := gopherfile(t, append([]string{"scan"}, args...)...)
	if stdout != "" || stderr != "" || code != 0 {
		t.Fatalf("got stdout %q, stderr %q and exit code %d, want silence", stdout, stderr, code)
	}
	data, err := os.ReadFile(filepath.Join(to, scan.IndexFile))
	if err != nil {
		t.Fatal(err)
	}
	ix := &scan.Index{}
	if err := json.Unmarshal(data, ix); err != nil {
		t.Fatal(err)
	}
	return data, ix
}

func TestScan(t *testing.T) {
	from := writeFiles(t, map[string]string{
		"go.mod":              "module example.com/m\n\ngo 1.26\n",
		"main.go":             "package main\n\nimport _ \"embed\"\n\n//go:embed x.txt\nvar x string\n",
		"x.txt":               "",
		"broken/x.go":         "nonsense",
		"broken/y.go":         "//go:build &&\npackage y\n",
		"_examples/a/main.go": "package main\n",
		"sub/go.mod":          "nonsense",
	})
	to := t.TempDir()
	data, ix := scanned(t, to, from, to, "./_examples/a")
	want, err := scan.Scan(os.DirFS(from), scan.Options{Mains: []string{"_examples/a"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, ix); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if ix.PackageAt("_examples/a") == nil {
		t.Error("got no package for _examples/a, which was asked for")
	}
	// A main that is missing is looked for everywhere.
	other := t.TempDir()
	_, all := scanned(t, other, from, other, "./_examples/b")
	if len(all.Packages) < 2 || all.PackageAt("broken") == nil {
		t.Errorf("got the packages %v, want all", all.Packages)
	}
	again, _ := scanned(t, to, from, to, "./_examples/a")
	if !bytes.Equal(data, again) {
		t.Errorf("got %s, then %s", data, again)
	}
	entries, err := os.ReadDir(to)
	if err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v, want the index alone", entries, err)
	}
	for _, name := range []string{to, filepath.Join(to, "index.json")} {
		if info, err := os.Stat(name); err != nil || info.ModTime().Unix() != 0 {
			t.Errorf("%s: got %v, %v, want the epoch", name, info.ModTime(), err)
		}
	}
}

// TestScanErrors checks that errors of module files are data.
func TestScanErrors(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"go.mod":  {"go.mod": "module m\n\ngo one\n", "main.go": "package main\n"},
		"go.work": {"go.mod": "module m\n", "go.work": "use (\n"},
	} {
		to := t.TempDir()
		_, ix := scanned(t, to, writeFiles(t, files), to)
		if ix.Err == nil || ix.Err.File != name || string(ix.Err.Data) != files[name] || ix.Err.Line == 0 {
			t.Errorf("%s: got %+v, want its error", name, ix.Err)
		}
		to = t.TempDir()
		if _, ix := scanned(t, to, "-no-work", writeFiles(t, files), to); (ix.Err == nil) != (name == "go.work") || ix.Work != nil {
			t.Errorf("%s: got %+v without go.work, want an error for go.mod alone", name, ix.Err)
		}
	}
	to := t.TempDir()
	_, ix := scanned(t, to, t.TempDir(), to)
	if diff := cmp.Diff(&scan.Index{}, ix); diff != "" {
		t.Errorf("empty tree: -want +got:\n%s", diff)
	}
	for _, args := range [][]string{{}, {t.TempDir()}, {"/nowhere", t.TempDir()}, {os.Args[0], t.TempDir()}, {t.TempDir(), "/nowhere"}} {
		stdout, stderr, code := gopherfile(t, append([]string{"scan"}, args...)...)
		if stdout != "" || !strings.HasPrefix(stderr, "gopherfile: scan: ") || strings.Count(stderr, "\n") != 1 || code != 1 {
			t.Errorf("%q: got stdout %q, stderr %q and exit code %d, want an error", args, stdout, stderr, code)
		}
	}
}

// TestScanTooMany checks that a tree with too many files is data, too.
func TestScanTooMany(t *testing.T) {
	from, to := writeFiles(t, map[string]string{"go.mod": "module m\n", "main.go": "package main\n", "a.txt": ""}), t.TempDir()
	list := filepath.Join(t.TempDir(), "names")
	writeText(t, list, string(names(t, from)))
	for _, names := range []string{"", list} {
		if err := writeIndex(from, names, to, scan.Options{MaxFiles: 2}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(to, scan.IndexFile))
		if err != nil {
			t.Fatal(err)
		}
		ix := &scan.Index{}
		if err := json.Unmarshal(data, ix); err != nil || ix.Err == nil || !strings.HasPrefix(ix.Err.Error(), "the context has more than 2 files and directories") {
			t.Errorf("got %s, %v, want the error in the index", data, err)
		}
	}
}

// names lists a tree.
func names(t *testing.T, root string) []byte {
	t.Helper()
	var list scan.Names
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		link := ""
		if d.Type() == fs.ModeSymlink {
			if link, err = os.Readlink(filepath.Join(root, name)); err != nil {
				return err
			}
		}
		list.Add(name, d.Type(), link)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := list.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestScanNames scans a tree of which only some contents are there, as BuildKit
// transfers it.
func TestScanNames(t *testing.T) {
	root := writeFiles(t, map[string]string{
		"go.mod":           "module example.com/m\n\ngo 1.26\n",
		"go.sum":           "",
		"main.go":          "package main\n\nimport (\n\t\"embed\"\n\n\t_ \"example.com/m/linked\"\n)\n\n//go:embed static\nvar x embed.FS\n",
		"static/a.txt":     "a",
		"static/b/c.txt":   "c",
		"static/b/d/e.txt": "e",
		"lib/lib.go":       "package lib\n",
		"lib/lib_amd64.s":  "//go:build linux\n#include \"lib.h\"\n",
		"lib/lib.h":        "",
		"lib/default.pgo":  "",
		"docs/README.md":   "",
	})
	links := map[string]string{"linked": "lib", "lib/link.go": "lib.go", "lib/out.go": "/etc/passwd", "lib/loop.go": "loop.go", "lib/far.go": "../../x.go"}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	to := t.TempDir()
	_, want := scanned(t, to, root, to)

	// BuildKit leaves out what it does not transfer, and directories without content.
	partial := t.TempDir()
	for _, name := range []string{"go.mod", "main.go", "lib/lib.go", "lib/link.go"} {
		dt, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		writeText(t, filepath.Join(partial, name), string(dt))
	}
	list := filepath.Join(t.TempDir(), "names")
	writeText(t, list, string(names(t, root)))
	to = t.TempDir()
	_, got := scanned(t, to, "-names", list, partial, to)
	for i := range want.Packages {
		for j := range want.Packages[i].Others { // content that is not there
			want.Packages[i].Others[j].Constraint, want.Packages[i].Others[j].Includes = "", nil
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, args := range [][]string{{"-names", "/nowhere"}, {"-names", filepath.Join(root, "main.go")}, {"-unknown"}} {
		_, stderr, code := gopherfile(t, append(append([]string{"scan"}, args...), partial, t.TempDir())...)
		if !strings.HasPrefix(stderr, "gopherfile: scan: ") || strings.Count(stderr, "\n") != 1 || code != 1 {
			t.Errorf("%q: got stderr %q and exit code %d, want an error", args, stderr, code)
		}
	}
}

// largeTree is a module of 10,000 Go files, as real ones are: ten files in a
// package, 8 KB in a file, ten imports.
func largeTree(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	writeText(t, filepath.Join(root, "go.mod"), "module example.com/company/product\n\ngo 1.26\n")
	std := []string{"bytes", "context", "errors", "fmt", "io", "net/http", "os", "path/filepath", "slices", "strings", "sync", "time"}
	body := strings.Repeat("\tfmt.Println(\"some text\", 42, x)\n", 240)
	for i := range 1000 {
		dir := fmt.Sprintf("internal/service%d/component%d", i/25, i%25)
		if i%50 == 0 {
			dir = fmt.Sprintf("cmd/program%d", i/50)
		}
		for j := range 10 {
			var b strings.Builder
			pkg := filepath.Base(dir)
			if i%50 == 0 {
				pkg = "main"
			}
			if j == 9 {
				b.WriteString("//go:build linux || darwin\n\n")
			}
			fmt.Fprintf(&b, "package %s\n\nimport (\n", pkg)
			for k := range 5 {
				fmt.Fprintf(&b, "\t%q\n", std[(i+j+k)%len(std)])
			}
			for k := range 3 {
				if n := i + 7*j + k + 1; n < 1000 && n%50 != 0 {
					fmt.Fprintf(&b, "\t\"example.com/company/product/internal/service%d/component%d\"\n", n/25, n%25)
				}
			}
			fmt.Fprintf(&b, "\t\"github.com/some/dependency%d\"\n)\n\nfunc f%d(x int) {\n%s}\n", i%40, j, body)
			writeText(t, filepath.Join(root, dir, fmt.Sprintf("some_file_%d.go", j)), b.String())
		}
		writeText(t, filepath.Join(root, dir, "some_file_test.go"), "package x\n")
		writeText(t, filepath.Join(root, dir, "README.md"), "")
	}
	return root
}

// BenchmarkScanLarge is the scan of 10,000 Go files, as the step runs it.
func BenchmarkScanLarge(b *testing.B) {
	from, to := largeTree(b), b.TempDir()
	var peak int64
	for b.Loop() {
		cmd := exec.Command(os.Args[0], "scan", from, to)
		cmd.Env = append(os.Environ(), asMain+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		peak = max(peak, maxRSS(cmd.ProcessState))
	}
	info, err := os.Stat(filepath.Join(to, "index.json"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	b.ReportMetric(float64(info.Size())/(1<<10), "index-KB")
}
