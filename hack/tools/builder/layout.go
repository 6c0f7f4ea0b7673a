package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// maxSocketPath is the longest path of a unix socket on Linux: 108 bytes in
// the kernel's struct, one of them for the final NUL.
const maxSocketPath = 107

// layout is where things are: the checkout, and the one folder under which the
// builder keeps all of its own.
type layout struct {
	root string
	dir  string
}

func (l layout) tools() string { return filepath.Join(l.root, "hack", "tools") }

// bin holds the programs that a developer runs, libexec those that only the
// builder runs.
func (l layout) bin(name string) string     { return filepath.Join(l.dir, "bin", name) }
func (l layout) libexec(name string) string { return filepath.Join(l.dir, "libexec", name) }

func (l layout) run(name string) string    { return filepath.Join(l.dir, "run", name) }
func (l layout) log(name string) string    { return filepath.Join(l.dir, "log", name+".log") }
func (l layout) data(name string) string   { return filepath.Join(l.dir, "data", name) }
func (l layout) docker(name string) string { return filepath.Join(l.dir, "docker", name) }

// buildkitHost is the address of the builder's own buildkitd.
func (l layout) buildkitHost() string { return "unix://" + l.run("buildkitd.sock") }

// create makes the folders, and fails if sockets cannot live in them.
func (l layout) create() error {
	for _, sock := range []string{"buildkitd.sock", "otel.sock", "registry.sock"} {
		if n := len(l.run(sock)); n > maxSocketPath {
			return fmt.Errorf("%s: a path of %d bytes, and a unix socket's has at most %d; set GOPHERFILE_BUILDER_DIR to a shorter folder", l.run(sock), n, maxSocketPath)
		}
	}
	for _, dir := range []string{"bin", "libexec", "run", "log", "data/tmp", "docker/cli-plugins"} {
		if err := os.MkdirAll(filepath.Join(l.dir, dir), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// lock waits until no other up or down of this layout is at work, and returns
// the function that lets the next one in.
func (l layout) lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(l.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	fd := int(f.Fd())
	err = syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		progress("waiting for another hack/builder to finish")
		err = syscall.Flock(fd, syscall.LOCK_EX)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}
