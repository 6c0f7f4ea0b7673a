package scan

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// goroot returns where the go command and its source are.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("go env GOROOT: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// goList runs go list in a directory and returns what it prints.
func goList(t *testing.T, dir string, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir, "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=-mod=readonly", "GOPROXY=off")
	cmd.Env = append(cmd.Env, env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Skipf("go list in %s: %v\n%s", dir, err, &errOut)
	}
	return out.Bytes()
}

// listed returns the packages that go list finds: the files that are built,
// below the directory and the name of each package that has some.
func listed(t *testing.T, dir string, env []string) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	d := json.NewDecoder(bytes.NewReader(goList(t, dir, env, "-e", "-find", "-json=Dir,Name,GoFiles,CgoFiles", "./...")))
	for {
		var p struct {
			Dir, Name         string
			GoFiles, CgoFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(dir, p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range slices.Sorted(slices.Values(append(p.GoFiles, p.CgoFiles...))) {
			if p.Name == "" {
				continue // nothing in the directory can be parsed
			}
			key := filepath.ToSlash(rel) + ": " + p.Name
			files[key] = append(files[key], f)
		}
	}
}

// scanned is listed for an index.
func scanned(ix *Index, has func(string) bool) map[string][]string {
	files := map[string][]string{}
	for _, p := range ix.Packages {
		if p.Module != "." || p.Dir == "builtin" { // which is no package for go list
			continue
		}
		for _, f := range p.Files {
			if f.Package != "" && f.Package != "documentation" && f.Match(has) {
				key := p.Dir + ": " + f.Package
				files[key] = append(files[key], f.Name)
			}
		}
	}
	return files
}

// TestGoList compares the packages of real modules, and the files they are
// built from, with those that go list finds. The modules of GOROOT are always
// there; others are taken from the module cache, since this module requires
// them.
func TestGoList(t *testing.T) {
	if testing.Short() {
		t.Skip("runs go list on large modules")
	}
	src := filepath.Join(goroot(t), "src")
	roots := []string{filepath.Join(src, "cmd"), src}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	roots = append(roots, strings.Fields(string(goList(t, wd, nil, "-m", "-f", "{{.Dir}}", "golang.org/x/tools", "golang.org/x/mod")))...)
	for _, root := range roots {
		t.Run(filepath.Base(root), func(t *testing.T) {
			compareWithGoList(t, root)
		})
	}
}

func compareWithGoList(t *testing.T, root string) {
	ix, err := Scan(os.DirFS(root), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var env []string
	if m := ix.ModuleOf("."); !m.Vendor {
		// Without its requirements a module can be listed where they are missing.
		name := filepath.Join(t.TempDir(), "go.mod")
		if err := os.WriteFile(name, []byte("module "+m.Path+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		env = append(env, "GOFLAGS=-modfile="+name)
	}
	for _, goos := range []string{"linux", "windows"} {
		for _, cgo := range []string{"0", "1"} {
			env := append(env, "GOOS="+goos, "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED="+cgo)
			tags := strings.Fields(string(goList(t, root, env, "-f", `{{join context.ToolTags " "}} {{join context.ReleaseTags " "}}`, "unsafe")))
			has := func(tag string) bool {
				switch tag {
				case goos, "amd64", "gc":
					return true
				case "unix":
					return goos == "linux"
				case "cgo":
					return cgo == "1"
				}
				return slices.Contains(tags, tag)
			}
			want := listed(t, root, env)
			if diff := cmp.Diff(want, scanned(ix, has)); diff != "" {
				t.Errorf("%s/amd64 cgo %s: go list (-) and Scan (+):\n%s", goos, cgo, diff)
			}
		}
	}
	t.Logf("%d modules, %d packages", len(ix.Modules), len(ix.Packages))
}
