package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// oraclePrograms are compiled for oraclePlatforms: programs of modules that this
// one requires, three of them unless GOPHERFILE_ORACLE asks for all.
func oraclePrograms() []string {
	names := []string{"golang.org/x/tools/cmd/goyacc", "golang.org/x/tools/cmd/stringer", "github.com/rogpeppe/go-internal/cmd/txtar-x"}
	if os.Getenv("GOPHERFILE_ORACLE") != "programs" {
		return names
	}
	for _, name := range []string{"bundle", "digraph", "file2fuzz", "stress", "toolstash"} {
		names = append(names, "golang.org/x/tools/cmd/"+name)
	}
	return append(names, "github.com/rogpeppe/go-internal/cmd/txtar-addmod", "github.com/rogpeppe/go-internal/cmd/txtar-c")
}

func oraclePlatforms() []string {
	return []string{
		"linux/386", "linux/amd64", "linux/arm", "linux/arm64", "linux/mips", "linux/ppc64le", "linux/riscv64", "linux/s390x",
		"windows/amd64", "darwin/arm64",
	}
}

// piePlatforms are those of Linux for which the go command links
// position-independent programs by itself. They have a loader.
func piePlatforms() []string {
	return []string{"linux/amd64", "linux/arm64", "linux/loong64", "linux/ppc64le"}
}

// TestVerifyOracle compiles programs of others for many platforms. What the
// command says of them is what go version -m and readelf say, or the library where
// readelf knows the format less well.
func TestVerifyOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out compiling for ten platforms")
	}
	needs(t, "readelf")
	for _, platform := range oraclePlatforms() {
		t.Run(strings.ReplaceAll(platform, "/", "-"), func(t *testing.T) {
			// Each second one is stripped.
			var plain, stripped []string
			for i, p := range oraclePrograms() {
				if i%2 == 0 {
					plain = append(plain, p)
				} else {
					stripped = append(stripped, p)
				}
			}
			compare(t, slices.Concat(compiled(t, platform, nil, plain), compiled(t, platform, []string{"-ldflags=-s -w"}, stripped)))
		})
	}
	for _, platform := range piePlatforms() {
		t.Run("pie-"+strings.ReplaceAll(platform, "/", "-"), func(t *testing.T) {
			compare(t, compiled(t, platform, []string{"-buildmode=pie"}, oraclePrograms()[:1]))
		})
	}
}

// TestVerifyOracleC is TestVerifyOracle for what a C linker makes of a program:
// with a loader, libraries and directories for them, or with neither.
func TestVerifyOracleC(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out linking with the C compiler")
	}
	if runtime.GOOS != "linux" {
		t.Skip("readelf and the C compiler are those of Linux")
	}
	needs(t, "readelf")
	needs(t, "gcc")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.com/oracle\n\ngo 1.26.0\n",
		"main.go": "package main\n\n// #cgo LDFLAGS: -lm\n// #include <math.h>\nimport \"C\"\n\nfunc main() { println(float64(C.cbrt(8))) }\n\n//export answer\nfunc answer() C.int { return 42 }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const search = "-Wl,-rpath,/opt/lib:$ORIGIN/../lib "
	for _, tt := range []struct{ name, mode, ldflags, extldflags string }{
		{"default", "exe", "", ""},
		{"stripped", "exe", "-s -w", ""},
		{"without-dwarf", "exe", "-w", ""},
		{"runpath", "exe", "", search + "-Wl,--enable-new-dtags"},
		{"rpath", "exe", "", search + "-Wl,--disable-new-dtags"},
		{"static", "exe", "", "-static"},
		{"pie", "pie", "", search},
		{"static-pie", "pie", "", "-static-pie"},
		{"library", "c-shared", "", ""},
		{"compressed", "exe", "-compressdwarf=true", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "app")
			flags := fmt.Sprintf("-ldflags=-linkmode=external %s '-extldflags=%s'", tt.ldflags, tt.extldflags)
			output(t, dir, []string{"CGO_ENABLED=1"}, "go", "build", "-trimpath", "-buildvcs=false", "-buildmode="+tt.mode, flags, "-o", file, ".")
			compare(t, []string{file})
		})
	}
}

// needs stops a test whose tools are not there.
func needs(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Fatalf("%s is missing: install it to compare with what it says: %v", tool, err)
	}
}

// compiled compiles programs for a platform and returns the files.
func compiled(t *testing.T, platform string, flags, programs []string) []string {
	t.Helper()
	goos, goarch, _ := strings.Cut(platform, "/")
	out := t.TempDir()
	args := slices.Concat([]string{"build", "-trimpath", "-buildvcs=false", "-o", out + "/"}, flags, programs)
	output(t, ".", []string{"GOOS=" + goos, "GOARCH=" + goarch, "CGO_ENABLED=0"}, "go", args...)
	var files []string
	for _, p := range programs {
		name := filepath.Join(out, path.Base(p))
		if goos == "windows" {
			name += ".exe"
		}
		files = append(files, name)
	}
	return files
}

// compare asks the command and the others what files are.
func compare(t *testing.T, files []string) {
	t.Helper()
	stdout, stderr, code := gopherfile(t, append([]string{"verify", "--json"}, files...)...)
	var all []record
	if err := json.Unmarshal([]byte(stdout), &all); err != nil || code != 0 || len(all) != len(files) {
		t.Fatalf("got %d files, exit code %d, error %v and %s, want success", len(all), code, err, stderr)
	}
	for _, r := range all {
		r.compare(t)
	}
}

// output runs a command in a folder and returns what it prints.
func output(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off", "LC_ALL=C")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}
