package llb

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/rootfs"
)

// TestRootfsDirs compares the directories that a rootfs has with those that are
// known here.
func TestRootfsDirs(t *testing.T) {
	to := t.TempDir()
	if _, err := rootfs.Write(t.TempDir(), to, rootfs.Options{Passwd: true, Tmp: true}); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, dir := range rootfsDirs(plan.Rootfs{Passwd: true, Tmp: true}) {
		above(known, dir)
	}
	err := filepath.WalkDir(to, func(name string, d fs.DirEntry, err error) error {
		if dir := strings.TrimPrefix(name, to); err == nil && d.IsDir() && dir != "" && !known[dir] {
			t.Errorf("a rootfs has the directory %s, want it known", dir)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Dir(rootfs.CertsPath), rootfs.ZoneinfoPath}
	if got := rootfsDirs(plan.Rootfs{Certs: true, Tzdata: true}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
