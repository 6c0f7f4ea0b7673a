package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPages checks that docs/rules is what the table says: go generate
// ./frontend/lint brings it up to date.
func TestPages(t *testing.T) {
	const dir = "../../docs/rules"
	all, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is stale; -want +got:\n%s", name, diff)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if all[filepath.Base(file)] == nil {
			t.Errorf("%s is the page of no rule", file)
		}
	}
}

// TestRun checks that a page of a rule that is gone goes, too.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gone.md"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "gone.md")); !os.IsNotExist(err) {
		t.Errorf("got %v, want no such file", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "root-user.md")); err != nil {
		t.Error(err)
	}
}
