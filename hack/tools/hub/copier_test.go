package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeSystem is a tree with links of all kinds.
func fakeSystem(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"usr/bin/git":               "git",
		"usr/lib/git-core/git":      "git",
		"usr/lib/git-core/mode":     "mode",
		"usr/lib/git-core/sub/file": "file",
		"usr/lib/other":             "other",
		"etc/alternatives/README":   "readme",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o700)
		if text == "mode" {
			mode = 0o600
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"bin":                       "usr/bin",
		"lib":                       "/usr/lib",
		"usr/bin/sh":                "/etc/alternatives/sh",
		"etc/alternatives/sh":       "../../lib/other",
		"usr/lib/git-core/git-add":  "git",
		"usr/lib/git-core/git-self": "../git-core",
		"usr/lib/loop":              "loop",
	} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// copied returns the entries that adding the names makes.
func copied(t *testing.T, root string, names ...string) (string, error) {
	t.Helper()
	var buf bytes.Buffer
	c := newCopier(&tarWriter{tar.NewWriter(&buf)}, root)
	for _, name := range names {
		if err := c.add(name); err != nil {
			return "", err
		}
	}
	if err := c.w.tw.Close(); err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for tr := tar.NewReader(&buf); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return list.String(), nil
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&list, "%c %o %s %s\n", h.Typeflag, h.Mode, h.Name, h.Linkname)
	}
}

func TestCopier(t *testing.T) {
	got, err := copied(t, fakeSystem(t), "/bin/git", "/bin/sh", "/lib/git-core", "/usr/bin/git")
	if err != nil {
		t.Fatal(err)
	}
	want := `2 777 bin usr/bin
5 755 usr/ 
5 755 usr/bin/ 
0 755 usr/bin/git 
2 777 usr/bin/sh /etc/alternatives/sh
5 755 etc/ 
5 755 etc/alternatives/ 
2 777 etc/alternatives/sh ../../lib/other
2 777 lib /usr/lib
5 755 usr/lib/ 
0 755 usr/lib/other 
5 755 usr/lib/git-core/ 
1 755 usr/lib/git-core/git usr/bin/git
2 777 usr/lib/git-core/git-add git
2 777 usr/lib/git-core/git-self ../git-core
0 644 usr/lib/git-core/mode 
5 755 usr/lib/git-core/sub/ 
0 755 usr/lib/git-core/sub/file 
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestCopierFails(t *testing.T) {
	for name, want := range map[string]string{
		"/usr/lib/loop": "/usr/lib/loop: too many links",
		"/usr/lib/none": "no such file",
	} {
		if _, err := copied(t, fakeSystem(t), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}
