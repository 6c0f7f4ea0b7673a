package scan

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// embedding is what go list says of a package that embeds.
type embedding struct {
	EmbedFiles []string
	Error      *struct{ Err string }
}

// TestEmbedAsGo gives the go command a package with the files that the index
// names, and no others. It must embed the same as in the whole tree, or refuse with
// the same words.
func TestEmbedAsGo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command twice for each pattern")
	}
	files := map[string]string{
		"go.mod": "module m\n\ngo 1.26\n",
		"a.txt":  "", "dir/b.txt": "", "dir/.c": "", "dir/_d/e.txt": "",
		"nested/go.mod": "module nested\n", "nested/f.txt": "", "nested/deep/g.txt": "",
		"above/h.txt": "", "above/nested/go.mod": "module nested2\n", "above/nested/i.txt": "",
		"only/nested/a.txt": "", "only/nested/go.mod": "module nested3\n",
		"hidden/.j": "", "hidden/_k/l.txt": "",
		"bad/x:y/m.txt": "", "good/x:y/n.txt": "", "good/o.txt": "",
		"worse/p:q": "", "worse/r.txt": "",
		"vcs/.svn/s": "", "vcs/t.txt": "",
		"dangling/u.txt": "",
	}
	links := map[string]string{"link": "dir", "linked.txt": "a.txt", "dangling/go.mod": "missing", "loop": "loop"}
	whole := t.TempDir()
	for name, data := range files {
		writeFile(t, whole, name, data)
	}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(whole, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, pattern := range []string{
		"a.txt", "*.txt", "*", "all:*", "dir", "all:dir", "dir/*", "dir/_d",
		"nested", "nested/f.txt", "nested/*", "nested/deep", "nested/deep/*", "n*", "*/f.txt", "*/b.txt", "*/*/g.txt",
		"above", "all:above", "above/*", "above/nested", "above/h*", "only", "only/*", "o*",
		"hidden", "all:hidden", "hidden/*", "bad", "bad/*", "bad/*/*", "good", "good/*", "good/o*", "worse", "worse/*", "worse/r*",
		"vcs", "vcs/*", "vcs/*/*", "link", "link/*", "link/b.txt", "l*/b.txt", "l*", "linked.txt", "linked.txt/x", "loop", "loop/*", "dangling", "dangling/*",
		"missing", "missing/*", "*/missing",
	} {
		t.Run(pattern, func(t *testing.T) {
			writeFile(t, whole, "main.go", "package main\n\nimport \"embed\"\n\n//go:embed "+pattern+"\nvar fs embed.FS\n\nfunc main() {}\n")
			ix, err := Scan(os.DirFS(whole), Options{})
			if err != nil {
				t.Fatal(err)
			}
			part := t.TempDir()
			names := []string{"go.mod", "main.go"}
			for _, e := range ix.PackageAt(".").Embeds {
				names = append(names, e.Files...)
			}
			for _, name := range names {
				for _, real := range ix.Reach(name) {
					copyFile(t, whole, part, real)
				}
			}
			want, got := embedded(t, whole), embedded(t, part)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-whole tree +%q:\n%s", names, diff)
			}
		})
	}
}

// embedded is what the go command says of the package in a directory.
func embedded(t *testing.T, dir string) embedding {
	t.Helper()
	var e embedding
	if err := json.Unmarshal(goList(t, dir, nil, "-e", "-json=EmbedFiles,Error", "."), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// writeFile writes a file of a tree.
func writeFile(t *testing.T, dir, name, data string) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// copyFile copies what a name of a tree stands for to another, if anything. A
// directory stands for all in it.
func copyFile(t *testing.T, from, to, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(filepath.Join(from, name))
	switch {
	case err != nil:
	case info.IsDir():
		if err := os.CopyFS(filepath.Join(to, name), os.DirFS(filepath.Join(from, name))); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	case info.Mode()&fs.ModeSymlink != 0:
		link, err := os.Readlink(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(link, filepath.Join(to, name)); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	default:
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, to, name, string(data))
	}
}
