package draft

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// goldens are the sections that are no part of the tree: the spec and the
// report, or the error.
func goldens() []string { return []string{"want/Gopherfile.yaml", "want/stdout", "want/error"} }

// TestNew runs every archive: a tree, then what comes of it.
func TestNew(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, ar, results(t, tree(ar)))
		})
	}
}

// results are the golden sections of a tree.
func results(t *testing.T, tree fs.FS) []txtar.File {
	t.Helper()
	d, err := New(tree, options(tree))
	if err != nil {
		return []txtar.File{{Name: "want/error", Data: []byte(err.Error() + "\n")}}
	}
	checkSpec(t, d)
	for range 10 {
		again, err := New(tree, options(tree))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Fatalf("another draft of the same tree:\n%s", diff)
		}
	}
	return []txtar.File{
		{Name: "want/Gopherfile.yaml", Data: d.Text},
		{Name: "want/stdout", Data: []byte(d.Report("Gopherfile.yaml", "."))},
	}
}

// tree is what an archive holds without its goldens.
func tree(ar *txtar.Archive) fstest.MapFS {
	tree := fstest.MapFS{}
	for _, f := range ar.Files {
		if !slices.Contains(goldens(), f.Name) {
			tree[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return tree
}

// options are those that the command gives.
func options(tree fs.FS) Options {
	opt := Options{File: "Gopherfile.yaml"}
	for _, name := range []string{".dockerignore", "Gopherfile.yaml.dockerignore"} {
		if data, err := fs.ReadFile(tree, name); err == nil {
			opt.Ignore, opt.IgnoreFile = data, name
		}
	}
	return opt
}

func golden(t *testing.T, name string, ar *txtar.Archive, got []txtar.File) {
	t.Helper()
	isGolden := func(f txtar.File) bool { return slices.Contains(goldens(), f.Name) }
	if *update {
		ar.Files = append(slices.DeleteFunc(ar.Files, isGolden), got...)
		if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	var want []txtar.File
	for _, f := range ar.Files {
		if isGolden(f) {
			want = append(want, f)
		}
	}
	text := func(files []txtar.File) string { return string(txtar.Format(&txtar.Archive{Files: files})) }
	if diff := cmp.Diff(text(want), text(got)); diff != "" {
		t.Errorf("-want +got (-update rewrites it):\n%s", diff)
	}
}

// checkSpec parses a spec as it is and with its comments turned into keys, and
// looks for the binaries in it.
func checkSpec(t *testing.T, d *Draft) {
	t.Helper()
	s, err := spec.Parse("Gopherfile.yaml", d.Text)
	if err != nil {
		t.Fatalf("the spec has errors: %v\n%s", err, d.Text)
	}
	if len(s.Binaries) > 0 {
		var got []Binary
		for _, b := range s.Binaries {
			got = append(got, Binary{b.Name, b.Main})
		}
		if diff := cmp.Diff(d.Binaries, got); diff != "" {
			t.Errorf("binaries: -reported +written:\n%s", diff)
		}
	} else if len(d.Binaries) != 1 || s.Main != "" && s.Main != d.Binaries[0].Main {
		t.Errorf("got %q reported, and main: %s", d.Binaries, s.Main)
	}
	text := regexp.MustCompile(`(?m)^ *#  *[A-Z].*\n`).ReplaceAllString(string(d.Text), "")
	text = regexp.MustCompile(`(?m)^( *)# `).ReplaceAllString(text[len(header):], "$1")
	if strings.Contains(text, "\nbinaries:") {
		text = regexp.MustCompile(`(?m)^main: .*\n`).ReplaceAllString(text, "")
	}
	if _, err := spec.Parse("Gopherfile.yaml", []byte(text)); err != nil {
		t.Errorf("with comments as keys: %v\n%s", err, text)
	}
}

// TestFileSystemErrors checks that nothing is drafted of half a tree.
func TestFileSystemErrors(t *testing.T) {
	errBroken := errors.New("connection lost")
	files := fstest.MapFS{
		"go.mod":  {Data: []byte("module m\n\ngo 1.26\n")},
		"main.go": {Data: []byte("package main\n")},
	}
	// The first time the file is read for its package, the second for directives.
	for failing := range 2 {
		opened := 0
		tree := openFS(func(name string) (fs.File, error) {
			if name == "main.go" {
				if opened++; opened > failing {
					return nil, &fs.PathError{Op: "open", Path: name, Err: errBroken}
				}
			}
			return files.Open(name)
		})
		if d, err := New(tree, Options{}); !errors.Is(err, errBroken) {
			t.Errorf("time %d: got %v and error %v, want %v", failing, d, err, errBroken)
		}
	}
}

// TestDanglingLink has a Go file that a directory lists and nobody can open.
func TestDanglingLink(t *testing.T) {
	files := fstest.MapFS{
		"go.mod":  {Data: []byte("module m\n\ngo 1.26\n")},
		"main.go": {Data: []byte("package main\n")},
		"link.go": {},
	}
	tree := openFS(func(name string) (fs.File, error) {
		if name == "link.go" {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return files.Open(name)
	})
	if d, err := New(tree, Options{}); err != nil || len(d.Binaries) != 1 {
		t.Errorf("got %+v and error %v, want one binary", d, err)
	}
}

// openFS is a file system that can do nothing but open.
type openFS func(name string) (fs.File, error)

func (o openFS) Open(name string) (fs.File, error) { return o(name) }

// TestReport checks the words that depend on the caller's arguments.
func TestReport(t *testing.T) {
	d := &Draft{Binaries: []Binary{{"app", "."}}}
	want := "wrote my app/Gopherfile.yaml: it builds app from .\n" +
		"next: docker buildx build -f 'my app/Gopherfile.yaml' 'my app'\n"
	if got := d.Report("my app/Gopherfile.yaml", "my app"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{
		"":        "''",
		"a/b-c.d": "a/b-c.d",
		"it's":    `'it'\''s'`,
		"$x":      "'$x'",
	} {
		if got := quoted(word); got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
}

func TestScalar(t *testing.T) {
	for text, want := range map[string]string{
		"server":         "server",
		"./cmd/a-b_c":    "./cmd/a-b_c",
		".":              ".",
		"v1.2.3":         "v1.2.3",
		"12":             `"12"`,
		"1.20":           `"1.20"`,
		"0x1f":           `"0x1f"`,
		"1e3":            `"1e3"`,
		"Yes":            `"Yes"`,
		"null":           `"null"`,
		"./a: b":         `"./a: b"`,
		"./a #b":         `"./a #b"`,
		"-":              `"-"`,
		"":               `""`,
		"./\u00fc\n\x01": `"./ü\n\x01"`,
	} {
		got := scalar(text)
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
		s, err := spec.Parse("x", []byte("main: "+got))
		if err != nil || s.Main != text {
			t.Errorf("%s: got %v, %v, want %q", got, s, err, text)
		}
	}
}

// TestGoName names what package plan names as well.
func TestGoName(t *testing.T) {
	for path, want := range map[string]string{
		"example.com/hello":      "hello",
		"github.com/mike/yq/v4":  "yq",
		"example.com/a/v2/cmd/b": "b",
		"gopkg.in/yaml.v3":       "yaml.v3",
		"example.com/v1":         "v1",
		"example.com/x/cmd/v10":  "cmd",
		"example.com/x/v02":      "v02",
		"hello":                  "hello",
		"v2":                     "v2",
	} {
		if got := goName(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
