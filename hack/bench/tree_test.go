package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEdit(t *testing.T) {
	p := project{program: program{name: "x", main: "./cmd/x"}, tree: newTree(t.TempDir())}
	put(t, p.tree, "cmd/x/a.go", "package main\n")
	put(t, p.tree, "cmd/x/main.go", "package main\n\nfunc main() {}\n")
	for _, run := range []int{1, 2} {
		if err := p.edit(run); err != nil {
			t.Fatal(err)
		}
		got := take(t, p.tree, "cmd/x/main.go")
		if !strings.HasPrefix(got, "package main\n\nfunc main() {}\n") || strings.Count(got, "edit ") != 1 || !strings.Contains(got, "edit "+string(rune('0'+run))) {
			t.Errorf("run %d: main.go is\n%s", run, got)
		}
		if err := p.tree.reset(); err != nil {
			t.Fatal(err)
		}
	}
	if got := take(t, p.tree, "cmd/x/main.go"); got != "package main\n\nfunc main() {}\n" {
		t.Errorf("after reset main.go is\n%s", got)
	}
}

func TestEditDocs(t *testing.T) {
	p := project{tree: newTree(t.TempDir())}
	if err := p.editDocs(3); err != nil {
		t.Fatal(err)
	}
	if err := p.editDocs(4); err != nil { // on top of the other
		t.Fatal(err)
	}
	if got := take(t, p.tree, "README.md"); !strings.Contains(got, "Edit 3.") {
		t.Errorf("README.md is\n%s", got)
	}
	if err := p.tree.reset(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(p.tree.dir, "README.md")); err == nil {
		t.Error("a README that was not there is there after reset")
	}
}

func TestMainFile(t *testing.T) {
	tr := newTree(t.TempDir())
	put(t, tr, "x/ignored.go", "//go:build ignore\n\npackage main\n\nfunc main() {}\n")
	if file, err := tr.mainFile("x"); err == nil {
		t.Errorf("found %s, which is not compiled", file)
	}
	put(t, tr, "x/x.go", "package main\n\nfunc main() {}\n")
	if file, err := tr.mainFile("x"); err != nil || file != "x/x.go" {
		t.Errorf("found %q, %v, want x/x.go", file, err)
	}
}

func put(t *testing.T, tr *tree, name, text string) {
	t.Helper()
	file := filepath.Join(tr.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func take(t *testing.T, tr *tree, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(tr.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
