//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestInitFile checks what a file system knows of the file beside its bytes.
func TestInitFile(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{"go.mod": "module m\n\ngo 1.26.0\n", "main.go": "package main\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	root := os.Geteuid() == 0
	if root {
		// As in a container with a volume of the user's.
		if err := os.Chown(dir, 1234, 2345); err != nil {
			t.Fatal(err)
		}
	}
	if _, stderr, code := gopherfile(t, "init", dir); code != 0 {
		t.Fatal(stderr)
	}
	info, err := os.Stat(filepath.Join(dir, "Gopherfile.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o644 {
		t.Errorf("got mode %v, want 0644", info.Mode())
	}
	if st, ok := info.Sys().(*syscall.Stat_t); root && ok && (st.Uid != 1234 || st.Gid != 2345) {
		t.Errorf("got owner %d:%d, want that of the directory, 1234:2345", st.Uid, st.Gid)
	}
}
