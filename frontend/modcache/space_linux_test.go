package modcache

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFillScarce has a disk with little room, on which a go.mod file cannot be
// written: the go command says nothing of it.
func TestFillScarce(t *testing.T) {
	p := newProject(t, "main", ".")
	cache := t.TempDir()
	want := snapshot(t, p.must(p.fill(cache, mainBuilds()...)).out)
	out := t.TempDir()
	if err := syscall.Mount("tmpfs", out, "tmpfs", 0, "size=64m"); err != nil {
		t.Fatalf("mount: %v (this test runs as root)", err)
	}
	t.Cleanup(func() { syscall.Unmount(out, syscall.MNT_DETACH) })
	fill := func() error {
		var said lockedBuffer
		_, err := Fill(t.Context(), Options{Want: Want{Builds: mainBuilds()}, Dir: filepath.Join(p.files, p.at), Out: out, Temp: t.TempDir(), Env: p.env(cache), Stderr: &said})
		return err
	}
	if err := fill(); err != nil || snapshot(t, out) != want {
		t.Errorf("with room enough: %v", err)
	}
	if err := empty(out); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(out, "cache/download/example.test/a/@v/v1.0.0.mod/x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := fill(); err == nil || !strings.Contains(err.Error(), "the disk is nearly full") {
		t.Errorf("without a go.mod file: %v", err)
	}
}
