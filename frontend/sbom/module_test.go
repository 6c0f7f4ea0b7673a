package sbom

import (
	"debug/buildinfo"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// The sums of an empty file.
const (
	sha1Sum   = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
	sha256Sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// TestVersionM checks that a document has the modules that go version -m lists,
// those and no others.
func TestVersionM(t *testing.T) {
	program, least := "gopherfile", 20
	if testing.Short() {
		program, least = "gocache", 1
	}
	exe := filepath.Join(t.TempDir(), program)
	if out, err := exec.Command("go", "build", "-o", exe, "../cmd/"+program).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command("go", "version", "-m", exe).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.Trim(line, "\t\n"), "\t")
		if fields[0] == "dep" {
			want = append(want, fields[1]+" "+fields[2])
		}
	}
	info, err := buildinfo.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	data, err := Write(Input{Name: "test", Files: []File{{Name: "test", SHA1: sha1Sum, SHA256: sha256Sum, Info: info}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range validate(t, data).Packages {
		switch p.PackageName {
		case "stdlib", "toolchain", "test", info.Main.Path:
		default:
			got = append(got, p.PackageName+" "+p.PackageVersion)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) < least || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzWrite describes whatever can be read as the build info of a binary. When it
// names modules, the document is valid.
func FuzzWrite(f *testing.F) {
	f.Add("go\tgo1.26.0\npath\texample.com/app\nmod\texample.com/app\tv1.0.0\th1:x\ndep\texample.com/dep\tv1.0.0\n=>\t./dep\t\t\n")
	f.Add("path\tcommand-line-arguments\ndep\texample.com/~A!+b/v2\tv2.0.0+incompatible\n=>\tgopkg.in/c.v1\tv1.0.0-x.y\t\nbuild\t-ldflags=\"-X a=\\n\"\n")
	f.Add("mod\ta\tb\tc\n")
	f.Fuzz(func(t *testing.T, text string) {
		info, err := debug.ParseBuildInfo(text)
		if err != nil {
			return
		}
		data, err := Write(Input{Name: "app", Files: []File{{Name: "app", SHA1: sha1Sum, SHA256: sha256Sum, Info: info}}})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(append(info.Deps, &info.Main), isOther) {
			validate(t, data)
		}
	})
}

// isOther reports whether a module is none that the go command knows.
func isOther(m *debug.Module) bool {
	if m == nil || *m == (debug.Module{}) {
		return false
	}
	r := m.Replace
	return module.CheckImportPath(m.Path) != nil || m.Version != "" && m.Version != devel && !semver.IsValid(m.Version) ||
		r != nil && r.Version != "" && (r.Version != devel && !semver.IsValid(r.Version) || module.CheckImportPath(r.Path) != nil)
}
