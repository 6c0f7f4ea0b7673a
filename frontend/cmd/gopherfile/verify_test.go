package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// writeBinary writes a file for the command to read.
func writeBinary(t *testing.T, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// dynamic is a binary with all that can be printed.
func dynamic() verifytest.Binary {
	b := verifytest.Default(plan.Port{OS: "linux", Arch: "riscv64", Level: "rva20u64"})
	b.Loader, b.Libraries, b.RunPath, b.Symbols = "/lib/ld-linux-riscv64-lp64d.so.1", []string{"libc.so.6", "libm.so.6"}, "/opt/lib:$ORIGIN", true
	b.Deps = []string{"example.com/a@v1.0.0", "example.com/b@v0.3.1"}
	return b
}

// TestVerify checks the page of a file, and that what is no Go binary is a page
// and an error.
func TestVerify(t *testing.T) {
	file := writeBinary(t, "server", dynamic().Bytes())
	stdout, stderr, code := gopherfile(t, "verify", file)
	const want = `FILE: ELF 64-bit little endian RISC-V executable, 9.6 kB
  abi        hard float
  linking    dynamic
  loader     /lib/ld-linux-riscv64-lp64d.so.1
  libraries  libc.so.6
             libm.so.6
  search     /opt/lib
             $ORIGIN
  symbols    yes
  debug      DWARF
  go         go1.26.0
  package    example.com/hello
  module     example.com/hello (devel)
  settings   -buildmode=exe
             -compiler=gc
             -trimpath=true
             CGO_ENABLED=0
             GOOS=linux
             GOARCH=riscv64
             GORISCV64=rva20u64
  modules    example.com/a v1.0.0
             example.com/b v0.3.1
`
	if diff := cmp.Diff(want, strings.ReplaceAll(stdout, file, "FILE")); diff != "" || stderr != "" || code != 0 {
		t.Errorf("got exit code %d, stderr %q, and stdout -want +got:\n%s", code, stderr, diff)
	}
}

// TestVerifyOther checks what is said of other files, and the exit code. The texts
// are regular expressions for all of it.
func TestVerifyOther(t *testing.T) {
	good := writeBinary(t, "good", dynamic().Bytes())
	text := writeBinary(t, "text", []byte("hello\n"))
	cut := writeBinary(t, "cut", dynamic().Bytes()[:5000])
	b := dynamic()
	b.Release = ""
	c := writeBinary(t, "c", b.Bytes())
	for _, tt := range []struct {
		name           string
		args           []string
		stdout, stderr string
		code           int
	}{
		{"no program", []string{text}, `\S+/text: no program, 0\.0 kB\n`, `gopherfile: verify: \S+/text: the go command wrote nothing into it\n`, 1},
		{"no Go", []string{c}, `(?s)\S+/c: ELF .*  libraries  libc.*  debug .*`, `gopherfile: verify: \S+/c: the go command wrote nothing into it\n`, 1},
		{"damaged", []string{cut}, `(?s)\S+/cut: ELF 64-bit little endian RISC-V, 5\.0 kB\n.*  damage     found an ELF section table .*\n`, `gopherfile: verify: \S+/cut: found an ELF section table .*\n`, 1},
		{"one of several", []string{text, good}, `(?s)\S+/text: no program, 0\.0 kB\n\S+/good: ELF .*`, `gopherfile: verify: \S+/text: .*\n`, 1},
		{"missing", []string{"none"}, ``, `gopherfile: verify: open none: no such file or directory\n`, 1},
		{"folder", []string{t.TempDir()}, ``, `gopherfile: verify: \S+: expected a regular file\n`, 1},
		{"no file", nil, ``, `gopherfile: verify: expected files, found none\n`, 1},
		{"flag", []string{"-jsn", good}, ``, `gopherfile: verify: flag provided but not defined: -jsn\n`, 1},
		{"help", []string{"-h"}, `(?s)usage: gopherfile verify .*`, ``, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := gopherfile(t, append([]string{"verify"}, tt.args...)...)
			if !regexp.MustCompile("^" + tt.stdout + "$").MatchString(stdout) {
				t.Errorf("got stdout %q, want %q", stdout, tt.stdout)
			}
			if !regexp.MustCompile("^" + tt.stderr + "$").MatchString(stderr) {
				t.Errorf("got stderr %q, want %q", stderr, tt.stderr)
			}
			if code != tt.code {
				t.Errorf("got exit code %d, want %d", code, tt.code)
			}
		})
	}
}

// TestVerifyJSON checks that the JSON form holds what the page does.
func TestVerifyJSON(t *testing.T) {
	good, text := writeBinary(t, "good", dynamic().Bytes()), writeBinary(t, "text", []byte("hello\n"))
	stdout, _, code := gopherfile(t, "verify", "--json", good, text, "none")
	var all []struct {
		File, Format, Machine, Loader, Error string
		Size                                 int64
		Bits                                 int
		Libraries, SearchPath                []string
		Symbols, Debug                       bool
		Go                                   *struct {
			GoVersion, Path string
			Deps            []struct{ Path, Version string }
			Settings        []struct{ Key, Value string }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &all); err != nil || len(all) != 3 || code != 1 {
		t.Fatalf("got %d files, error %v and exit code %d, want 3 and 1:\n%s", len(all), err, code, stdout)
	}
	v := all[0]
	if v.File != good || v.Format != "ELF" || v.Machine != "RISC-V" || v.Bits != 64 || v.Loader == "" || len(v.Libraries) != 2 ||
		len(v.SearchPath) != 2 || !v.Symbols || !v.Debug || v.Error != "" || v.Go == nil || len(v.Go.Deps) != 2 || v.Go.Path != "example.com/hello" {
		t.Errorf("got %+v, want all of it", v)
	}
	if v := all[1]; v.Size != 6 || v.Format != "" || v.Go != nil || v.Error == "" {
		t.Errorf("got %+v, want a size and an error", v)
	}
	if v := all[2]; v.Error == "" {
		t.Errorf("got %+v, want an error", v)
	}
}
