package main

import (
	"debug/macho"
	"debug/pe"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// oraclePrograms are compiled for oraclePlatforms.
func oraclePrograms() []string {
	var all []string
	for _, name := range []string{"bundle", "digraph", "file2fuzz", "goyacc", "stress", "stringer", "toolstash"} {
		all = append(all, "golang.org/x/tools/cmd/"+name)
	}
	for _, name := range []string{"txtar-addmod", "txtar-c", "txtar-x"} {
		all = append(all, "github.com/rogpeppe/go-internal/cmd/"+name)
	}
	return all
}

func oraclePlatforms() []string {
	return []string{
		"linux/386", "linux/amd64", "linux/arm", "linux/arm64", "linux/mips", "linux/ppc64le", "linux/riscv64", "linux/s390x",
		"windows/amd64", "darwin/arm64",
	}
}

// TestVerifyOracle compiles programs of others for many platforms. What the
// command says of them is what go version -m and readelf say, or the library where
// readelf knows the format less well.
func TestVerifyOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out compiling a hundred binaries")
	}
	if _, err := exec.LookPath("readelf"); err != nil {
		t.Fatalf("readelf is missing: install binutils: %v", err)
	}
	dir := t.TempDir()
	output(t, dir, nil, "go", "mod", "init", "example.com/oracle")
	get := []string{"get"}
	for _, p := range oraclePrograms() {
		version := "@v0.52.0"
		if strings.HasPrefix(p, "github.com/") {
			version = "@v1.16.0"
		}
		get = append(get, p+version)
	}
	output(t, dir, nil, "go", get...)
	for _, platform := range oraclePlatforms() {
		t.Run(strings.ReplaceAll(platform, "/", "-"), func(t *testing.T) {
			os, arch, _ := strings.Cut(platform, "/")
			out := t.TempDir()
			args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", out}, oraclePrograms()...)
			output(t, dir, []string{"GOOS=" + os, "GOARCH=" + arch, "CGO_ENABLED=0"}, "go", args...)
			files := []string{"verify", "--json"}
			for _, p := range oraclePrograms() {
				name := filepath.Join(out, path.Base(p))
				if os == "windows" {
					name += ".exe"
				}
				files = append(files, name)
			}
			stdout, stderr, code := gopherfile(t, files...)
			var all []record
			if err := json.Unmarshal([]byte(stdout), &all); err != nil || code != 0 || len(all) != len(oraclePrograms()) {
				t.Fatalf("got %d files, exit code %d, error %v and %s, want success", len(all), code, err, stderr)
			}
			for _, r := range all {
				r.compare(t)
			}
		})
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

// record is what the command says of a file.
type record struct {
	File, Format, Machine, Kind, Loader string
	Bits                                int
	BigEndian, Symbols                  bool
	Libraries                           []string
	Go                                  struct {
		GoVersion, Path string
		Main            module
		Deps            []module
		Settings        []struct{ Key, Value string }
	}
}

// module is a module of the build info.
type module struct{ Path, Version, Sum string }

// compare asks the others.
func (r *record) compare(t *testing.T) {
	t.Helper()
	want := output(t, ".", nil, "go", "version", "-m", r.File)
	if got := r.goVersion(); got != want {
		t.Errorf("got\n%swant, as go version -m says\n%s", got, want)
	}
	switch r.Format {
	case "ELF":
		r.compareELF(t)
	case "PE":
		f, err := pe.Open(r.File)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		symbols, err := f.ImportedSymbols()
		if err != nil {
			t.Fatal(err)
		}
		var libraries []string
		for _, s := range symbols {
			_, library, _ := strings.Cut(s, ":")
			libraries = append(libraries, library)
		}
		slices.Sort(libraries)
		if got := slices.Sorted(slices.Values(r.Libraries)); !slices.Equal(got, slices.Compact(libraries)) {
			t.Errorf("%s: got libraries %q, want %q", r.File, got, libraries)
		}
		if f.Machine != pe.IMAGE_FILE_MACHINE_AMD64 || r.Machine != "x86-64" || r.Symbols != (len(f.Symbols) > 0) {
			t.Errorf("%s: got %s with symbols %v, want machine %#x with %d symbols", r.File, r.Machine, r.Symbols, f.Machine, len(f.Symbols))
		}
	case "Mach-O":
		f, err := macho.Open(r.File)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		libraries, err := f.ImportedLibraries()
		if err != nil || !slices.Equal(libraries, r.Libraries) {
			t.Errorf("%s: got libraries %q, want %q and no error %v", r.File, r.Libraries, libraries, err)
		}
		if f.Cpu != macho.CpuArm64 || r.Machine != "AArch64" {
			t.Errorf("%s: got %s, want %v", r.File, r.Machine, f.Cpu)
		}
	default:
		t.Errorf("%s: got format %q, want one of the platforms", r.File, r.Format)
	}
}

// goVersion is the record as go version -m prints it.
func (r *record) goVersion() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\tpath\t%s\n", r.File, r.Go.GoVersion, r.Go.Path)
	fmt.Fprintf(&b, "\tmod\t%s\t%s\t%s\n", r.Go.Main.Path, r.Go.Main.Version, r.Go.Main.Sum)
	for _, m := range r.Go.Deps {
		fmt.Fprintf(&b, "\tdep\t%s\t%s\t%s\n", m.Path, m.Version, m.Sum)
	}
	for _, s := range r.Go.Settings {
		fmt.Fprintf(&b, "\tbuild\t%s=%s\n", s.Key, s.Value)
	}
	return b.String()
}

// compareELF reads what readelf prints.
func (r *record) compareELF(t *testing.T) {
	t.Helper()
	out := output(t, ".", nil, "readelf", "-h", "-l", "-d", "-S", "-W", r.File)
	field := func(name string) string {
		m := regexp.MustCompile(`(?m)^\s*` + name + `:\s*(.*?)\s*$`).FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("%s: readelf says nothing of %s:\n%s", r.File, name, out)
		}
		return m[1]
	}
	first := func(pattern string) string {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(out); m != nil {
			return m[1]
		}
		return ""
	}
	machine := map[string]string{
		"x86": "Intel 80386", "x86-64": "Advanced Micro Devices X86-64", "ARM": "ARM", "AArch64": "AArch64",
		"MIPS": "MIPS R3000", "PowerPC": "PowerPC64", "RISC-V": "RISC-V", "S/390": "IBM S/390",
	}[r.Machine]
	var needed []string
	for _, m := range regexp.MustCompile(`\(NEEDED\).*\[(.*)\]`).FindAllStringSubmatch(out, -1) {
		needed = append(needed, m[1])
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"class", fmt.Sprint("ELF", r.Bits), field("Class")},
		{"byte order", map[bool]string{true: "2's complement, big endian", false: "2's complement, little endian"}[r.BigEndian], field("Data")},
		{"machine", machine, field("Machine")},
		{"type", map[string]string{"executable": "EXEC (Executable file)", "position-independent executable": "DYN (Position-Independent Executable file)"}[r.Kind], field("Type")},
		{"loader", r.Loader, first(`Requesting program interpreter: (.*)\]`)},
		{"libraries", fmt.Sprint(r.Libraries), fmt.Sprint(needed)},
		{"symbols", r.Symbols, strings.Contains(out, " .symtab ")},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s: got %v, want %v", r.File, c.what, c.got, c.want)
		}
	}
}
