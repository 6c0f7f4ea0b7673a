package main

import (
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTables checks that the tables are those of the toolchain, where they are
// of its release: go generate ./frontend/lint brings them up to date.
func TestTables(t *testing.T) {
	got, err := os.ReadFile("../../../frontend/lint/release_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	version, err := release(build.Default.GOROOT)
	if err != nil {
		t.Skipf("the toolchain does not say its release: %v", err)
	}
	if !strings.Contains(string(got), `tableRelease = "`+version+`"`) {
		t.Skipf("the tables are of another release than the toolchain, go%s", version)
	}
	tables, err := read(build.Default.GOROOT)
	if err != nil {
		t.Fatal(err)
	}
	want, err := tables.source()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRead checks all the ways in which a name is found, in a toolchain of a few
// files.
func TestRead(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"VERSION":                          "go1.99.1\ntime 2026-01-01T00:00:00Z\n",
		"src/internal/godebugs/table.go":   "package godebugs\n\nvar All = []Info{\n\t{Name: \"http2client\", Package: \"net/http\"},\n\t//{Name: \"commented\", Package: \"x\"},\n}\n\nvar Removed = []RemovedInfo{\n\t{Name: \"removed\", Removed: 24},\n}\n",
		"src/runtime/runtime1.go":          "package runtime\n\nvar vars = []*dbgVar{\n\t{name: \"gctrace\", value: &debug.gctrace},\n\t{name: \"panicnil\", atomic: &debug.panicnil},\n}\n\nvar x = key == \"memprofilerate\"\n",
		"src/os/exec.go":                   "package os\n\nvar s = godebug.New(\"#execwait\")\n",
		"src/net/http/h2_bundle.go":        "package http\n\nvar e = os.Getenv(\"GODEBUG\")\nvar x = strings.Contains(e, \"http2debug=1\")\n",
		"src/net/other.go":                 "package net\n\nvar x = \"other=1\"\n",
		"src/net/cgo.go":                   "//go:build cgo && !netgo\n\npackage net\n\n//go:build late\n",
		"src/net/asm.s":                    "//go:build assembler\n\nTEXT ·f(SB)\n",
		"src/net/net_test.go":              "//go:build tested\n\npackage net\n",
		"src/net/testdata/x.go":            "//go:build skipped\n\npackage x\n",
		"src/cmd/go/main.go":               "//go:build command\n\npackage main\n\nvar s = godebug.New(\"gocachehash\")\n",
		"src/vendor/golang.org/x/sys/x.go": "//go:build gccgo\n\npackage x\n",
	} {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tables, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	dt, err := tables.source()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(dt)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, `"`) {
			got = append(got, strings.Trim(line, `",`))
		}
	}
	want := []string{
		"execwait", "gctrace", "gocachehash", "http2client", "http2debug", "memprofilerate", "panicnil",
		"assembler", "cgo", "gccgo", "netgo",
	}
	if !slices.Equal(got, want) || tables.release != "1.99.1" {
		t.Errorf("got %v of %s, want %v of 1.99.1", got, tables.release, want)
	}
}
