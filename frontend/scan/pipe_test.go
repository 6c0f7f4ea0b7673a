//go:build unix

package scan

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestPipes scans trees with pipes, which nobody writes to. Whoever opens one
// waits for ever.
func TestPipes(t *testing.T) {
	dir := t.TempDir()
	names := &Names{}
	for name, text := range map[string]string{"go.mod": "module m\n", "main.go": "package m\n", "asm.s": "#include \"sub/z.inc\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		names.Add(name, 0, "")
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pipe.go", "pipe.h", "sub/go.mod", "sub/go.work", "go.sum"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o666); err != nil {
			t.Skip(err)
		}
		names.Add(name, fs.ModeNamedPipe, "")
	}
	for name, to := range map[string]string{"link.go": "pipe.go", "link.h": "pipe.h", "link.s": "pipe.h"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		names.Add(name, fs.ModeSymlink, to)
	}
	for _, tree := range []fs.FS{os.DirFS(dir), &NamedFS{Names: names, Content: os.DirFS(dir)}} {
		done := make(chan string)
		go func() {
			ix, err := Tree(tree, Options{Mains: []string{"./sub"}})
			if err != nil {
				done <- err.Error()
				return
			}
			done <- ix.Check(nil).Error()
		}()
		select {
		case got := <-done:
			if want := "go.sum: it is no regular file"; got != want {
				t.Errorf("%T: got %s, want %s", tree, got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%T: it waits for a pipe", tree)
		}
	}
}
