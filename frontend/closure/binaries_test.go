package closure

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// TestBinaries builds a program of every module on every target twice: from the
// whole tree, and from a copy of its closure alone. Not a byte may differ. It
// compiles for an hour, and so it runs only when the oracle is told to.
func TestBinaries(t *testing.T) {
	if !strings.Contains(os.Getenv(oracleVar), "binaries") {
		t.Skip("compiles all modules: " + oracleVar + "=binaries")
	}
	eachModule(t, modules(), func(t *testing.T, m string) (compared int) {
		root := download(t, m)
		ix, err := scan.Scan(os.DirFS(root), scan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		tree := New(ix)
		for _, platform := range targets() {
			if buildTwice(t, tree, root, platform) {
				compared++
			}
		}
		return compared
	})
}

// buildTwice compares the two builds of the main package with the largest
// closure. Of a module without one it is a package of the others. The result is
// false when the go command can build none.
func buildTwice(t *testing.T, tree *Tree, root, platform string) bool {
	t.Helper()
	target, env := targetOf(t, platform)
	target.Mod = "readonly"
	env = append(env, "GOWORK=off", "GOFLAGS=-mod=readonly")
	dirs := mains(tree.index, ".", target)
	listed := list(t, root, ".", env, dirs)
	s := tree.For(target)
	var largest *Closure
	var main string
	for _, dir := range dirs {
		if listed.at(dir) == nil {
			continue // the go command cannot build it either
		}
		c, err := s.Of(dir)
		if err != nil {
			t.Errorf("%s on %s: %v", dir, platform, err)
			continue
		}
		if largest == nil || len(c.Files) > len(largest.Files) {
			largest, main = c, dir
		}
	}
	if largest == nil {
		t.Logf("%s: nothing can be built", platform)
		return false
	}
	narrow, out := t.TempDir(), t.TempDir()
	copyFiles(t, root, narrow, largest.Files)
	var binaries [2][]byte
	for i, from := range []string{root, narrow} {
		name := filepath.Join(out, "binary")
		_, err := goCommand(from, env, "build", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", "-ldflags=-s -w", "-o", name, "./"+main)
		if err != nil && i == 0 { // code that needs cgo is listed all the same
			t.Logf("%s: %v", platform, err)
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		binaries[i] = data
	}
	if !bytes.Equal(binaries[0], binaries[1]) {
		t.Errorf("%s on %s: the binary differs from that of the whole tree", main, platform)
	}
	t.Logf("%s %s: %d of the tree's files, %d bytes", platform, main, len(largest.Files), len(binaries[0]))
	return true
}

// copyFiles copies files of a tree.
func copyFiles(t *testing.T, from, to string, names []string) {
	t.Helper()
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(from, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
