package closure

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// TestLinks builds what links lead to, in the whole tree and in one of the
// closure alone.
func TestLinks(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"app/go.mod":        "module example.com/m\n\ngo 1.26\n\nrequire example.com/lib v1.0.0\n\nreplace example.com/lib => ../lib\n",
		"app/main.go":       "package main\n\nimport (\n\t_ \"example.com/lib\"\n\t_ \"example.com/m/linked/b\"\n)\n\nfunc main() {}\n",
		"shared/a.go":       "package main\n\nconst a = 1\n",
		"shared/b/b.go":     "package b\n",
		"shared/unused.go":  "package main\n",
		"modules/lib/x.go":  "package lib\n",
		"modules/lib.mod":   "module example.com/lib\n\ngo 1.26\n",
		"modules/lib/x.txt": "",
	} {
		writeText(t, filepath.Join(root, name), text)
	}
	for name, to := range map[string]string{
		"app/a.go":           "../shared/a.go",
		"app/linked":         "chain",
		"app/chain":          "../shared",
		"lib":                "modules/lib",
		"modules/lib/go.mod": "../lib.mod",
	} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	ix, err := scan.Tree(os.DirFS(root), scan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	target := targetFor(build{platform: "linux/amd64"})
	got, err := Of(ix, "app", target)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"app/a.go", "app/chain", "app/go.mod", "app/linked", "app/main.go",
		"lib", "modules/lib.mod", "modules/lib/go.mod", "modules/lib/x.go",
		"shared/a.go", "shared/b/b.go",
	}
	if diff := cmp.Diff(want, got.Files); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	below := []string{"app/go.mod", "lib", "modules/lib.mod", "modules/lib/go.mod"}
	if diff := cmp.Diff(below, got.Below); diff != "" {
		t.Errorf("below: -want +got:\n%s", diff)
	}
	narrow, err := scan.Scan(os.DirFS(root), scan.Options{Mains: []string{"./app"}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Of(narrow, "app", target)
	if diff := cmp.Diff(got, again); diff != "" || err != nil {
		t.Errorf("narrow index: %v\n-want +got:\n%s", err, diff)
	}
	if testing.Short() {
		return
	}
	alone := t.TempDir()
	for _, name := range got.Files {
		copyName(t, filepath.Join(root, name), filepath.Join(alone, name))
	}
	b := build{main: "app", platform: "linux/amd64"}
	said, errs := compiled(root, "app", b, nil, "")
	saidAlone, errsAlone := compiled(alone, "app", b, nil, "")
	if errs != "" || said != saidAlone || errs != errsAlone {
		t.Errorf("whole tree: %s%s\nclosure alone: %s%s", said, errs, saidAlone, errsAlone)
	}
}

func writeText(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// copyName copies a file or a link.
func copyName(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(from); err == nil {
		if err := os.Symlink(target, to); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeText(t, to, string(data))
}
