package gocache

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLayers(t *testing.T) {
	base, deps, out := t.TempDir(), t.TempDir(), t.TempDir()
	writeOut := func(o Options, packages ...string) Stats {
		s := open(t, o)
		build(s, packages...)
		return s.end()
	}
	writeOut(Options{Out: base}, "std")
	writeOut(Options{Out: deps, Layers: []Layer{{Dir: base, Base: true}}}, "std", "dep")
	got := writeOut(Options{Out: out, Layers: []Layer{{Dir: deps}, {Dir: base, Base: true}}}, "std", "dep", "own")
	if got.Hits.Layer != 4 || got.Misses != 1 {
		t.Errorf("%+v", got)
	}
	for dir, want := range map[string]string{base: "std", deps: "dep", out: "dep own"} {
		if got := strings.Join(packagesOf(t, dir), " "); got != want {
			t.Errorf("%s has %q, want %q", dir, got, want)
		}
	}
}

// packagesOf lists the packages of a layer, each of which must have its text.
func packagesOf(t *testing.T, dir string) []string {
	t.Helper()
	l, err := openLayer(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	var packages []string
	for i := range l.len() {
		r := l.at(i)
		if r.size == 0 {
			continue
		}
		data, err := os.ReadFile(layerFile(dir, r.out))
		if err != nil {
			t.Error(err)
		}
		packages = append(packages, strings.TrimPrefix(string(data), "!<arch>\n"))
		if _, ok := l.find(subkey(r.action, "stdout")); !ok {
			t.Errorf("%s: no text", packages[len(packages)-1])
		}
	}
	slices.Sort(packages)
	return packages
}

// Whether packages come from the store, a layer or the compiler, and in which
// order: the layer is the same to the bit.
func TestOutIsDeterministic(t *testing.T) {
	store := t.TempDir()
	packages := []string{"a", "b", "c", "d", "e"}
	index := func(s *session) {
		if _, ok, err := s.get(name("index")); err != nil {
			t.Error(err)
		} else if !ok {
			s.mustPut(name("index"), "go index v2\n...")
		}
	}
	write := func(o Options, packages []string) string {
		o.Out = t.TempDir()
		s := open(t, o)
		index(s)
		build(s, packages...)
		s.end()
		return o.Out
	}
	cold := write(Options{}, packages)
	half := open(t, Options{Store: store})
	build(half, "b", "d", "unrelated")
	half.end()
	slices.Reverse(packages)
	mixed := write(Options{Store: store}, packages)
	warm := write(Options{Store: store}, packages)
	copied := write(Options{Layers: []Layer{{Dir: cold}}}, packages)
	want := tree(t, cold)
	for what, dir := range map[string]string{"mixed": mixed, "warm": warm, "copied": copied} {
		if got := tree(t, dir); !maps.Equal(got, want) {
			t.Errorf("%s: %v\nwant %v", what, got, want)
		}
	}
	if len(want) != 2+1+5+1 {
		t.Errorf("%d files: %v", len(want), want)
	}
}

// tree describes all that an image layer says of the files in a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := info.Mode().String() + info.ModTime().UTC().Format(" 2006-01-02 ")
		if !d.IsDir() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what += string(data)
		}
		rel, err := filepath.Rel(dir, path)
		if path == dir {
			// The mode of the folder is that of whoever made it.
			what = info.ModTime().UTC().Format("2006-01-02")
		}
		files[rel] = what
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Several go commands may write one layer.
func TestOutAddsUp(t *testing.T) {
	out := t.TempDir()
	for _, p := range []string{"a", "b"} {
		s := open(t, Options{Out: out})
		build(s, p)
		s.end()
	}
	if got := strings.Join(packagesOf(t, out), " "); got != "a b" {
		t.Errorf("layer has %q", got)
	}
	// What a killed process has left is not part of it.
	junk := layerFile(out, name("junk"))
	if err := os.WriteFile(junk, []byte("junk"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Out: out})
	s.end()
	if _, err := os.Stat(junk); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("junk: %v", err)
	}
}

func TestOutFails(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(out, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Out: out})
	build(s, "a")
	if err := s.close(); err == nil || !strings.Contains(err.Error(), "write layer "+out) {
		t.Errorf("close: %v", err)
	}
}

// A go command that is killed must not leave a layer that looks whole.
func TestOutWithoutClose(t *testing.T) {
	out := t.TempDir()
	s := open(t, Options{Out: out})
	build(s, "a")
	s.w.Close()
	s.ended = true
	if err := <-s.done; !errors.Is(err, ErrAbandoned) {
		t.Errorf("program: %v", err)
	}
	if len(tree(t, out)) != 1 {
		t.Errorf("layer: %v", tree(t, out))
	}
}
