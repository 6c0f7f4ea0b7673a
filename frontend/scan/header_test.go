package scan

import (
	"bytes"
	"errors"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"
)

func TestHeader(t *testing.T) {
	long := "// " + strings.Repeat("x", 3*firstRead) + "\n"
	for _, tt := range []struct {
		name, src string
		want      header
	}{
		{"bare", "package p", header{pkg: "p"}},
		{"semicolon", "package p; import \"C\"; func f() {}", header{pkg: "p", cgo: true}},
		{"comments", "/* a\n*/ // b\npackage /* c */ p // d\n", header{pkg: "p"}},
		{"unicode", "package ünï\n", header{pkg: "ünï"}},
		{"byte order mark", "\ufeff//go:build x\npackage p\n", header{pkg: "p", constraint: "x"}},
		{"blank", "package _", header{pkg: "_"}},
		{"keyword", "package func", header{}},
		{"nothing", "", header{}},
		{"comment only", "// package p", header{}},
		{"open comment", "/* package p", header{}},
		{"NUL", "package p\x00", header{}},
		{"NUL before", "// \x00\npackage p\n", header{}},
		{"binary", "\x7fELF\x02\x01\x01", header{}},
		{"semicolon first", ";package p", header{}},

		{"cgo", "package p\nimport \"C\"\n", header{pkg: "p", cgo: true}},
		{"cgo in a group", "package p\nimport (\n\t\"a\"\n\tx \"b\"; . \"c\"\n\t// #include <x.h>\n\t\"C\")\nvar x = 1\n", header{pkg: "p", cgo: true, imports: []string{"a", "b", "c"}}},
		{"cgo in quotes", "package p\nimport ()\nimport `C`\n", header{pkg: "p", cgo: true}},
		{"no import", "package p\nvar x = `\nimport \"C\"`\n", header{pkg: "p"}},
		{"import too late", "package p\nvar x = 1\nimport \"C\"\n", header{pkg: "p"}},
		{"imports", "package p; import \"b\"\nimport (. `a`; _ \"c/d\"\n x \"b\")\n", header{pkg: "p", imports: []string{"a", "b", "c/d"}}},
		{"imports with escapes", "package p\nimport \"\\x61b\"\nimport \"\"\n", header{pkg: "p", imports: []string{"ab"}}},
		{"imports of a broken file", "//go:build a b\npackage p\nimport \"C\"\nimport \"b\"", header{}},
		{"bad import", "package p\nimport +\nimport \"C\"\n", header{pkg: "p"}},

		{"go:build", "//go:build a&&b\n\npackage p", header{pkg: "p", constraint: "a && b"}},
		{"go:build on the line before", "//go:build a\npackage p", header{pkg: "p", constraint: "a"}},
		{"go:build indented", "  //go:build a\r\npackage p", header{pkg: "p", constraint: "a"}},
		{"go:build behind a comment", "/* x\n*/\n//go:build a\npackage p", header{pkg: "p", constraint: "a"}},
		{"go:build in a comment", "/*\n//go:build a\n*/ package p", header{pkg: "p"}},
		{"go:build after a comment's end", "/*\n*/ //go:build a\npackage p", header{pkg: "p"}},
		{"go:build behind package", "package p\n//go:build a\n", header{pkg: "p"}},
		{"not go:build", "// go:build a\n//go:builder\npackage p", header{pkg: "p"}},
		{"go:build wins", "// +build b\n\n//go:build a\npackage p", header{pkg: "p", constraint: "a"}},
		{"go:build twice", "//go:build a\n//go:build a\npackage p", header{}},
		{"go:build broken", "//go:build a b\npackage p", header{}},
		{"go:build empty", "//go:build\npackage p", header{}},

		{"+build", "// +build a,!b c\n\npackage p", header{pkg: "p", constraint: "(a && !b) || c"}},
		{"+build lines", "//+build a\n// text\n// +build b\n\n// +build c\n\npackage p", header{pkg: "p", constraint: "a && b && c"}},
		{"+build too late", "// +build a\npackage p", header{pkg: "p"}},
		{"+build too late by one", "// +build a\n\n// +build b\npackage p", header{pkg: "p", constraint: "a"}},
		{"+build before a comment", "// +build a\n/**/\n\npackage p", header{pkg: "p"}},
		{"+build behind a comment", "/**/\n\n// +build a\n\npackage p", header{pkg: "p"}},
		{"+build before an indented package", "// +build a\n package p", header{pkg: "p"}},
		{"+build broken", "// +build !!a\n\npackage p", header{pkg: "p", constraint: "ignore"}},

		{"embed", "package p\nimport _ \"embed\"\n//go:embed a b*\n//go:embed \"c d\" `e`\nvar x int\n", header{pkg: "p", imports: []string{"embed"}, embeds: []string{"a", "b*", "c d", "e"}}},
		{"embed without an import", "package p\n//go:embed a\nvar x int\n", header{pkg: "p"}},
		{"embed far below", "package p\nimport . `embed`\nvar x = 1\n" + long + "//go:embed all:a\nvar y int\n" + long, header{pkg: "p", imports: []string{"embed"}, embeds: []string{"all:a"}}},
		{"embed that is none", "package p\nimport \"embed\"\n//go:embedded a\n// go:embed b\n/*go:embed c*/\nvar x = `\n//go:embed d\n`\n//go:embed \"e\n//go:embed\n", header{pkg: "p", imports: []string{"embed"}}},
		{"embed behind code", "package p\nimport \"embed\"\nvar x int //go:embed a\nfunc f() {\n\t//go:embed b\n}", header{pkg: "p", imports: []string{"embed"}, embeds: []string{"a", "b"}}},

		{"long", long + "//go:build a\n" + long + "package p\n" + long + "import \"C\"\n" + long, header{pkg: "p", constraint: "a", cgo: true}},
		{"too long", strings.Repeat(long, maxHeader/len(long)+1) + "package p\n", header{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for how, r := range readers(tt.src) {
				if h, err := readHeader(r, make([]byte, 0, firstRead), new(sync.Mutex)); err != nil || !h.equals(tt.want) {
					t.Errorf("read %s: got %+v, %v, want %+v", how, h, err, tt.want)
				}
			}
		})
	}
}

// equals reports whether two headers say the same.
func (h header) equals(other header) bool {
	return h.pkg == other.pkg && h.constraint == other.constraint && h.cgo == other.cgo &&
		slices.Equal(h.imports, other.imports) && slices.Equal(h.embeds, other.embeds)
}

// readers returns readers of the same text that differ in how much they give at
// a time, and in how they end.
func readers(src string) map[string]io.Reader {
	return map[string]io.Reader{
		"at once":      strings.NewReader(src),
		"by bytes":     iotest.OneByteReader(strings.NewReader(src)),
		"by halves":    iotest.HalfReader(strings.NewReader(src)),
		"with its end": iotest.DataErrReader(strings.NewReader(src)),
	}
}

// TestHeaderCut cuts a file at each byte: what was read of it must not change
// what the whole file says.
func TestHeaderCut(t *testing.T) {
	const src = "// Copyright.\n\n//go:build linux && amd64\n\n/* Package. */\npackage main // x\n\nimport (\n\tf \"fmt\"\n\n\t\"C\"\n)\n\nimport \"os\"\n\nfunc main() {}\n"
	want, ok := parseHeader([]byte(src), true)
	if !ok || !want.equals(header{pkg: "main", constraint: "linux && amd64", cgo: true, imports: []string{"fmt", "os"}}) {
		t.Fatalf("whole file: got %+v, %t", want, ok)
	}
	complete := false
	for i := range len(src) {
		h, ok := parseHeader([]byte(src[:i]), false)
		if ok && !h.equals(want) {
			t.Errorf("%q: got %+v, want %+v or more to read", src[:i], h, want)
		}
		complete = complete || ok
	}
	if !complete {
		t.Errorf("no part of the file is enough")
	}
}

func TestHeaderReadError(t *testing.T) {
	r := io.MultiReader(strings.NewReader("package p\n// more"), iotest.ErrReader(errBroken))
	if _, err := readHeader(r, make([]byte, 0, firstRead), new(sync.Mutex)); !errors.Is(err, errBroken) {
		t.Errorf("got error %v, want %v", err, errBroken)
	}
	r = io.MultiReader(strings.NewReader("package p\nimport \"embed\"\nfunc f() {\n"), iotest.ErrReader(errBroken))
	if _, err := readHeader(r, make([]byte, 0, firstRead), new(sync.Mutex)); !errors.Is(err, errBroken) {
		t.Errorf("in what embeds: got error %v, want %v", err, errBroken)
	}
	// What comes behind the header does not matter.
	r = io.MultiReader(strings.NewReader("package p\nfunc f() {\n"), iotest.ErrReader(errBroken))
	if h, err := readHeader(r, make([]byte, 0, firstRead), new(sync.Mutex)); err != nil || h.pkg != "p" {
		t.Errorf("got %+v, %v, want package p", h, err)
	}
}

// FuzzHeader compares with packages go/parser and go/build.
func FuzzHeader(f *testing.F) {
	for _, src := range []string{
		"package p\n", "//go:build a\n\npackage p\nimport \"C\"\n", "// +build a\n\npackage p\n",
		"/* x */ package p; import (a \"b\"; . `C`)\nfunc f() {}\n", "\ufeffpackage p", "//go:build a\n//go:build b\npackage p",
		"package p\nimport \"embed\"\n//go:embed a \"b\\x20\" `c`\nvar x string\n", "package p; import (_ \"embed\"; \"C\"; \"C\"); //go:embed *\nvar x = `//go:embed y`\n",
		"// +build a\n// +build b c\n\n/**/ // x\npackage p", "package p\nimport \"fmt", "/*\n*/ /*\n//go:build a\n*/\npackage p\n",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		h, err := readHeader(bytes.NewReader(src), make([]byte, 0, firstRead), new(sync.Mutex))
		if err != nil {
			t.Fatalf("got error %v", err)
		}
		if slow, _ := readHeader(iotest.OneByteReader(bytes.NewReader(src)), make([]byte, 0, 16), new(sync.Mutex)); !slow.equals(h) {
			t.Errorf("read at once: %+v, by bytes: %+v", h, slow)
		}
		compareHeader(t, "x.go", src, h)
	})
}

// compareHeader compares a header with what packages go/parser and go/build say
// about a file that they can parse.
func compareHeader(t *testing.T, name string, src []byte, h header) {
	t.Helper()
	file, parseErr := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
	if parseErr == nil && file.Name.Name != h.pkg && h.pkg != "" {
		t.Errorf("%s: got package %q, want %q", name, h.pkg, file.Name.Name)
	}
	for _, tags := range [][]string{nil, {"a"}, {"b"}, {"a", "b", "c"}, {"linux", "amd64"}} {
		c := build.Context{GOOS: "js", GOARCH: "wasm", Compiler: "gc", BuildTags: tags}
		c.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(src)), nil }
		want, err := c.MatchFile("dir", name)
		if err != nil {
			// A NUL behind the package clause is for the compile to refuse.
			if parseErr == nil && h.pkg != "" && !bytes.ContainsRune(src, 0) {
				t.Errorf("%s: got %+v, and go/build says %v", name, h, err)
			}
			return
		}
		if h.pkg == "" && parseErr == nil {
			t.Errorf("%s: got no package, want %q", name, file.Name.Name)
		}
		if h.pkg == "" || parseErr != nil {
			continue
		}
		f := File{Name: name, Constraint: h.constraint}
		has := func(tag string) bool {
			for _, x := range append(tags, "js", "wasm", "gc") {
				if x == tag {
					return true
				}
			}
			return false
		}
		if got := f.Match(has); got != want {
			t.Errorf("%s: constraint %q with %q: got %t, want %t", name, h.constraint, tags, got, want)
		}
	}
	if parseErr == nil && h.pkg != "" {
		compareImports(t, name, src, h)
	}
}

// compareImports compares what a file imports and embeds with what package
// go/build says.
func compareImports(t *testing.T, name string, src []byte, h header) {
	t.Helper()
	c := build.Context{GOOS: "js", GOARCH: "wasm", Compiler: "gc", CgoEnabled: true, UseAllFiles: true}
	c.IsDir = func(dir string) bool { return dir == "dir" }
	c.ReadDir = func(string) ([]fs.FileInfo, error) { return []fs.FileInfo{fileInfo("x.go")}, nil }
	c.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(src)), nil }
	p, err := c.ImportDir("dir", 0)
	if err != nil {
		return // such as an import path that no compiler takes
	}
	imports := slices.DeleteFunc(slices.Clone(p.Imports), func(path string) bool { return path == "C" })
	if cgo := len(p.CgoFiles) > 0; cgo != h.cgo {
		t.Errorf("%s: got cgo %t, want %t", name, h.cgo, cgo)
	}
	if !slices.Equal(imports, h.imports) && p.Name != "documentation" {
		t.Errorf("%s: got imports %q, want %q", name, h.imports, imports)
	}
	embeds := slices.DeleteFunc(slices.Clone(p.EmbedPatterns), func(pattern string) bool { return !utf8.ValidString(pattern) })
	if !slices.Equal(embeds, h.embeds) && p.Name != "documentation" {
		t.Errorf("%s: got patterns %q, want %q", name, h.embeds, embeds)
	}
}

// fileInfo is a regular file of that name.
type fileInfo string

func (i fileInfo) Name() string     { return string(i) }
func (fileInfo) Size() int64        { return 1 }
func (fileInfo) Mode() fs.FileMode  { return 0o644 }
func (fileInfo) ModTime() time.Time { return time.Time{} }
func (fileInfo) IsDir() bool        { return false }
func (fileInfo) Sys() any           { return nil }

// FuzzAssembly compares the constraint of assembly with what package go/build
// says.
func FuzzAssembly(f *testing.F) {
	for _, src := range []string{
		"TEXT f(SB)\n", "//go:build a\n\nTEXT", "// +build a\n\n#include \"x.h\"\n", "// +build a\n#include", "/* x */ ; // y\n//go:build a\nTEXT",
		"/*\n//go:build a\n*/\n//go:build b\n", "\ufeff//go:build a && b", "TEXT\n//go:build a\n", "//go:build a\n//go:build b\n", "/* open\n//go:build a", "/*/\n//go:build a\n*/",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file := File{Name: "x.go", Constraint: textConstraint(src)}
		for _, tags := range [][]string{nil, {"a"}, {"b"}, {"a", "b", "c"}} {
			c := build.Context{GOOS: "js", GOARCH: "wasm", Compiler: "gc", BuildTags: tags}
			c.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(src)), nil }
			want, err := c.MatchFile("dir", "x.s")
			if err != nil {
				return // the go command stops, whatever is in
			}
			has := func(tag string) bool { return slices.Contains(append(tags, "js", "wasm", "gc"), tag) }
			if got := file.Match(has); got != want {
				t.Errorf("constraint %q with %q: got %t, want %t", file.Constraint, tags, got, want)
			}
		}
	})
}

// TestHeaderOracle compares the headers of Go's own source.
func TestHeaderOracle(t *testing.T) {
	root := filepath.Join(goroot(t), "src")
	if testing.Short() {
		root = filepath.Join(root, "runtime")
	}
	n := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isGo(d.Name()) {
			return err
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		h, err := readHeader(bytes.NewReader(src), make([]byte, 0, firstRead), new(sync.Mutex))
		if err != nil {
			return err
		}
		n++
		compareHeader(t, d.Name(), src, h)
		return nil
	})
	if err != nil || n < 100 {
		t.Errorf("compared %d files: %v", n, err)
	}
}
