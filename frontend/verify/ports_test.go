package verify_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/verify"
)

// TestPorts compiles a program that imports nothing for every port that links
// without a C linker, with and without symbols, and finds nothing wrong. Only the
// runtime is compiled for each.
func TestPorts(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out compiling for all ports")
	}
	dir := tinyModule(t)
	for _, p := range plan.Ports() {
		if p.NeedsLinker() {
			continue
		}
		t.Run(strings.ReplaceAll(p.String(), "/", "-"), func(t *testing.T) {
			for _, ldflags := range []string{"-s -w", ""} {
				name := filepath.Join(dir, "tiny"+p.Exe())
				build(t, dir, name, ldflags, append(p.Env(), "CGO_ENABLED=0")...)
				f := readFile(t, name)
				want := promiseOf(p)
				want.Stripped, want.Package, want.Release = ldflags != "", "example.com/tiny", strings.TrimPrefix(runtime.Version(), "go")
				for _, problem := range verify.Judge(f, want) {
					t.Errorf("with %q: %s", ldflags, problem)
				}
				if f.Setting("GOARCH") != p.Arch {
					t.Errorf("with %q: got build info %v, want that of %s", ldflags, f.Go, p)
				}
			}
		})
	}
}

// tinyModule writes a module that is quickly compiled.
func tinyModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/tiny\n\ngo 1.26.0\n", "main.go": "package main\n\nfunc main() { println(\"hello\") }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// build compiles the module of a folder as the graph does.
func build(t *testing.T, dir, name, ldflags string, env ...string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags="+ldflags, "-o", name, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append([]string{"GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off"}, env...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// readFile reads the facts of a file.
func readFile(t *testing.T, name string) *verify.Facts {
	t.Helper()
	r, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := verify.Read(r, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return f
}
