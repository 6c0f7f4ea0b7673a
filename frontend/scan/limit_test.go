package scan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// longFS is a tree in which some files go on and on: behind what they hold there
// are as many bytes of a filler.
type longFS struct {
	fstest.MapFS
	size   map[string]int64
	filler string
}

func (l longFS) Open(name string) (fs.File, error) {
	f, err := l.MapFS.Open(name)
	if n, ok := l.size[name]; ok && err == nil {
		f = longFile{f, io.MultiReader(f, io.LimitReader(&repeat{text: l.filler}, n))}
	}
	return f, err
}

func (l longFS) ReadFile(name string) ([]byte, error) { return fs.ReadFile(onlyOpen{l}, name) }

type longFile struct {
	fs.File
	r io.Reader
}

func (f longFile) Read(p []byte) (int, error) { return f.r.Read(p) }

// repeat gives a text again and again.
type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		m := copy(p[n:], r.text[r.at:])
		n, r.at = n+m, (r.at+m)%len(r.text)
	}
	return len(p), nil
}

// TestTooLarge checks what is said of files that are too large, and of those that
// are not: they are read, whatever their size.
func TestTooLarge(t *testing.T) {
	const main = "package main\n\nimport _ \"embed\"\n\n//go:embed x.txt\n"
	for _, tt := range []struct {
		name  string
		size  int64
		want  string // the error
		other string // of another module
	}{
		{name: "main.go", size: 2 * maxHeader},
		{name: "main.go", size: maxEmbedder, want: "main.go: it has more than 64 MiB and imports embed: move what it embeds into a file of its own"},
		{name: "plain.go", size: 4 * maxEmbedder},
		{name: "go.mod", size: maxModule - 100},
		{name: "go.mod", size: maxModule, want: "go.mod: it has more than 4 MiB"},
		{name: "other/go.mod", size: maxModule, other: "other/go.mod: it has more than 4 MiB"},
		{name: "asm.s", size: maxText / 2},
		{name: "asm.h", size: maxText + 1, want: "asm.h: it has more than 256 MiB"},
	} {
		t.Run(fmt.Sprint(tt.name, " ", tt.size), func(t *testing.T) {
			tree := longFS{size: map[string]int64{tt.name: tt.size}, filler: "// " + strings.Repeat("text ", 10_000) + "\n", MapFS: fstest.MapFS{
				"go.mod": {Data: []byte("module m\n")}, "main.go": {Data: []byte(main)}, "x.txt": {},
				"plain.go": {Data: []byte("package main\n\nimport \"fmt\"\n\nvar x = 1\n")}, "asm.s": {}, "asm.h": {},
				"other/go.mod": {Data: []byte("module other\n")},
			}}
			_, err := Scan(tree, Options{})
			if got := fmt.Sprint(err); got != tt.want && (err != nil || tt.want != "") {
				t.Errorf("got %s, want %q", got, tt.want)
			}
			ix, err := Tree(tree, Options{})
			if err != nil {
				t.Fatalf("got %v, want it in the index", err)
			}
			if got := fmt.Sprint(ix.Check(nil)); got != tt.want && tt.want != "" {
				t.Errorf("the index says %s, want %s", got, tt.want)
			}
			if m := ix.ModuleOf("other"); tt.other != "" && (m == nil || m.Err == nil || m.Err.Error() != tt.other) {
				t.Errorf("got module %+v, want the error %s", m, tt.other)
			}
			if p := ix.PackageAt("."); tt.want == "" && (p == nil || len(p.Embeds) != 1) {
				t.Errorf("got package %+v, want one that embeds", p)
			}
		})
	}
}

// TestLinesAreNotHeld reads files of many lines, and of one, in little memory.
func TestLinesAreNotHeld(t *testing.T) {
	const size = 16 << 20
	for _, filler := range []string{"example.com/x v1.0.0 h1:x\n", "x"} {
		tree := longFS{size: map[string]int64{"go.sum": size, "asm.h": size}, filler: filler, MapFS: fstest.MapFS{
			"go.mod": {Data: []byte("module m\n")}, "go.sum": {Data: []byte("m v1.0.0 h1:x\n")}, "main.go": {Data: []byte("package m\n")},
			"asm.s": {Data: []byte("#include \"asm.h\"\n")}, "asm.h": {Data: []byte("//go:build a\n\n#include \"b.h\"\n")}, "b.h": {},
		}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ix, err := Scan(tree, Options{})
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > size/8 {
			t.Errorf("%q: took %d bytes to read files of %d", filler, got, size)
		}
		want := []Other{{Name: "asm.h", Constraint: "a"}, {Name: "asm.s", Includes: []string{"asm.h", "b.h"}}, {Name: "b.h"}}
		if diff := cmp.Diff(want, ix.PackageAt(".").Others); diff != "" || !ix.Modules[0].Own {
			t.Errorf("%q: own %t, -want +got:\n%s", filler, ix.Modules[0].Own, diff)
		}
	}
}

// TestLines checks lines around the size of the buffer.
func TestLines(t *testing.T) {
	long := strings.Repeat("x", maxLine-5)
	comment := "// " + strings.Repeat("y", 100) + "\n"
	comments := strings.Repeat(comment, maxLine/len(comment)+1)
	for _, tt := range []struct{ name, sum, header string }{
		{"short", "a v1\nm v1.0.0 h1:x", "//go:build a\n#include \"b.h\""},
		{"behind a long line", long + "\nm v1.0.0 h1:x", "//go:build a\nTEXT // " + long + "\n#include \"b.h\"\n"},
		{"behind longer lines", long + "xxxxxx\n" + long + long + "\nm v1.0.0", "//go:build a\n" + long + "xxxxxx\n" + long + long + "\n #  include \"b.h\"\n"},
		{"the end of a long line", long + long + "\nm v1.0.0 h1:x\n" + long + long, "//go:build a\nTEXT\n#include \"b.h\"\n" + long + "xxxxx#include \"c.h\"\n"},
	} {
		tree := fstest.MapFS{
			"go.mod": {Data: []byte("module m\n")}, "go.sum": {Data: []byte(tt.sum)}, "main.go": {Data: []byte("package m\n")},
			"asm.s": {Data: []byte("#include \"asm.h\"\n")}, "asm.h": {Data: []byte(tt.header)}, "b.h": {}, "c.h": {},
		}
		ix, err := Scan(tree, Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := []Other{{Name: "asm.h", Constraint: "a"}, {Name: "asm.s", Includes: []string{"asm.h", "b.h"}}, {Name: "b.h"}, {Name: "c.h"}}
		if diff := cmp.Diff(want, ix.PackageAt(".").Others); diff != "" || !ix.Modules[0].Own {
			t.Errorf("%s: own %t, -want +got:\n%s", tt.name, ix.Modules[0].Own, diff)
		}
	}
	// What is not known of a header and of go.sum is in.
	tree := longFS{size: map[string]int64{"go.sum": maxText + 1}, filler: strings.Repeat("text ", 10_000) + "\n", MapFS: fstest.MapFS{
		"go.mod": {Data: []byte("module m\n")}, "go.sum": {}, "main.go": {Data: []byte("package m\n")},
		"asm.s": {Data: []byte(comments + "//go:build a\nTEXT\n")},
	}}
	ix, err := Scan(tree, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if o := ix.PackageAt(".").Others; len(o) != 1 || o[0].Constraint != "" || !ix.Modules[0].Own {
		t.Errorf("got %+v and own %t, want what is not known to be in", o, ix.Modules[0].Own)
	}
}

// TestTooManyFiles scans trees with as many files as there may be, and with one
// more, whole and from one package, as the file system and as a list of names.
func TestTooManyFiles(t *testing.T) {
	content := fstest.MapFS{
		"go.mod": {Data: []byte("module m\n")}, "main.go": {Data: []byte("package main\n\nimport (\n\t\"embed\"\n\n\t_ \"m/lib\"\n)\n\n//go:embed web\nvar x embed.FS\n")},
		"main_test.go": {Data: []byte("package main\n")}, "lib/lib.go": {Data: []byte("package lib\n")}, "other/other.go": {Data: []byte("package other\n")},
		"web/a": {}, "web/b/c": {}, "testdata/x.go": {}, ".git/x": {},
	}
	names := &Names{}
	for name := range content {
		names.Add(name, 0, "")
	}
	const help = " (leave out with .dockerignore what no build reads, such as node_modules; of a main: that is written only what it imports is read)"
	for _, tt := range []struct {
		opt  Options
		want string
	}{
		{Options{MaxFiles: 13, MaxGoFiles: 3}, ""},
		{Options{MaxFiles: 12}, "the context has more than 12 files and directories where packages are looked for" + help},
		{Options{MaxGoFiles: 2}, "the context has more than 2 Go files that a build may read" + help},
		{Options{MaxFiles: 1, MaxGoFiles: 1}, "the context has more than 1 files and directories where packages are looked for" + help},
		{Options{MaxFiles: 12, MaxGoFiles: 2, Mains: []string{"."}}, ""},
		{Options{MaxFiles: 11, Mains: []string{"."}}, "the context has more than 11 files and directories where packages are looked for" + help},
		{Options{MaxGoFiles: 1, Mains: []string{"."}}, "the context has more than 1 Go files that a build may read" + help},
	} {
		for _, tree := range []fs.FS{content, &NamedFS{Names: names, Content: content}} {
			want := tt.want
			if want == "" {
				want = "<nil>"
			}
			if _, err := Scan(tree, tt.opt); fmt.Sprint(err) != want {
				t.Errorf("%+v of %T: got %v, want %s", tt.opt, tree, err, want)
			}
			ix, err := Noted(tree, tt.opt)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(ix.Check(tt.opt.Mains)); got != want {
				t.Errorf("%+v of %T: the index says %s, want %s", tt.opt, tree, got, want)
			}
			if ix, err := Tree(tree, Options{MaxFiles: 12}); err != nil || ix.Err == nil || ix.Err.File != "" {
				t.Errorf("%T: got %+v, %v, want an error in the index", tree, ix, err)
			}
		}
	}
	// What stands in the way of the packages that were asked for counts.
	content["go.mod"] = &fstest.MapFile{Data: []byte("module\n")}
	ix, err := Noted(content, Options{MaxFiles: 12, Mains: []string{"."}})
	if err != nil || ix.Err == nil || ix.Err.File != "go.mod" {
		t.Errorf("got %+v, %v, want the error of go.mod", ix, err)
	}
}

// locker counts how often it is locked.
type locker struct {
	sync.Mutex
	locked int
}

func (l *locker) Lock() { l.Mutex.Lock(); l.locked++ }

// TestLargeOneByOne checks that a large file with embeds is read alone, and
// others are not.
func TestLargeOneByOne(t *testing.T) {
	src := "package p\n\nimport _ \"embed\"\n\n"
	for _, tt := range []struct{ size, want int }{{firstRead, 0}, {maxHeader - 1, 0}, {maxHeader, 1}, {maxHeader + 100, 1}} {
		text := src + strings.Repeat("\n", tt.size-len(src)-len("//go:embed a")) + "//go:embed a"
		var large locker
		h, err := readHeader(strings.NewReader(text), make([]byte, 0, firstRead), &large)
		if err != nil || len(h.embeds) != 1 || large.locked != tt.want {
			t.Errorf("%d bytes: got %+v, %v, locked %d times, want %d", tt.size, h, err, large.locked, tt.want)
		}
		if !large.TryLock() {
			t.Errorf("%d bytes: it is still locked", tt.size)
		}
	}
}

// TestTooManyLinks follows one link more than a system does, and as many. What
// must be read is an error that names the link; a Go file is for the compiler to
// complain about.
func TestTooManyLinks(t *testing.T) {
	links := func(n int, name, to string) map[string]string {
		all := map[string]string{}
		for i := range n - 1 {
			next := fmt.Sprintf("%s.%d", filepath.Base(name), i)
			all[name], name = next, filepath.Join(filepath.Dir(name), next)
		}
		all[name] = to
		return all
	}
	files := map[string]string{
		"real": "module m\n", "go.mod": "module m\n", "main.go": "package m\n", "asm.s": "#include \"x.h\"\n", "sub/x.go": "package sub\n",
	}
	for _, tt := range []struct {
		name  string
		links map[string]string
		want  string
	}{
		{"as many", links(maxLinks, "go.mod", "real"), ""},
		{"one more", links(maxLinks+1, "go.mod", "real"), "go.mod"},
		{"circle", map[string]string{"go.mod": "a", "a": "go.mod"}, "go.mod"},
		{"go.sum", map[string]string{"go.sum": "go.sum"}, "go.sum"},
		{"go.work", map[string]string{"go.work": "go.work"}, "go.work"},
		{"modules.txt", map[string]string{"vendor": "vendor"}, "vendor/modules.txt"},
		{"header", map[string]string{"x.h": "y.h", "y.h": "x.h"}, "x.h"},
		{"Go file", map[string]string{"loop.go": "loop.go"}, ""},
		{"directory", map[string]string{"loop": "loop"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			names := &Names{}
			for name, text := range files {
				if _, ok := tt.links[name]; ok {
					continue
				}
				file := filepath.Join(dir, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, []byte(text), 0o666)); err != nil {
					t.Fatal(err)
				}
				names.Add(name, 0, "")
			}
			for name, to := range tt.links {
				if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				names.Add(name, fs.ModeSymlink, to)
			}
			want := "<nil>"
			if tt.want != "" {
				want = tt.want + ": more than 40 symbolic links, one behind another"
			}
			content := os.DirFS(dir)
			for _, tree := range []fs.FS{content, &NamedFS{Names: names, Content: content}, &NamedFS{Names: names, Content: content, Rooted: true}} {
				if _, err := Scan(tree, Options{}); fmt.Sprint(err) != want {
					t.Errorf("%T: got %v, want %s", tree, err, want)
				}
				if ix, err := Tree(tree, Options{}); err != nil || fmt.Sprint(ix.Check(nil)) != want {
					t.Errorf("%T: got %+v, %v, want %s in the index", tree, ix, err, want)
				}
			}
		})
	}
}

// TestNamesThatNobodyHas scans a tree whose files ask for names that no system
// takes: there is no such file, and nothing else is wrong.
func TestNamesThatNobodyHas(t *testing.T) {
	element, deep := strings.Repeat("x", 300), strings.Repeat("d/", MaxName)+"d"
	for _, name := range []string{element, deep, "a\x00b"} {
		dir := t.TempDir()
		for file, text := range map[string]string{
			"go.mod":  fmt.Sprintf("module m\n\nreplace x => %q\n", "./"+name),
			"go.work": fmt.Sprintf("use .\n\nuse %q\n", "./"+name),
			"main.go": fmt.Sprintf("package m\n\nimport (\n\t_ \"embed\"\n\t_ %q\n\t_ %q\n)\n\n//go:embed %q\n", "m/"+name, "x/y", name),
			"asm.s":   fmt.Sprintf("#include \"%s\"\n", name),
		} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		for _, mains := range [][]string{nil, {"."}, {name}} {
			if _, err := Scan(os.DirFS(dir), Options{Mains: mains}); err != nil {
				t.Errorf("%.20q with %.20q: got %.200v", name, mains, err)
			}
		}
	}
}

// TestDeepNames checks that names deeper than a path may be do not come out of a
// list: each directory is entered.
func TestDeepNames(t *testing.T) {
	for n, want := range map[int]bool{MaxName / 2: true, MaxName/2 + 1: false, 1 << 20: false} {
		list := strings.Repeat("dx\x00", n) + strings.Repeat("\x00", n)
		if err := new(Names).UnmarshalBinary([]byte(list)); (err == nil) != want {
			t.Errorf("%d directories: got %v", n, err)
		}
	}
}
