package closure

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// goCommand runs the go command in a directory, without cgo.
func goCommand(dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir, "GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=", "CGO_ENABLED=0", "GO111MODULE=on")
	cmd.Env = append(cmd.Env, env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s in %s: %w\n%s", strings.Join(args, " "), dir, err, &errOut)
	}
	return out.Bytes(), nil
}

// listedPackage is what go list -json says of a package.
type listedPackage struct {
	Dir, ImportPath, Name string
	Standard              bool
	Module                *struct{ Main bool }
	Imports               []string
	ImportMap             map[string]string
	GoFiles, CgoFiles, CFiles, CXXFiles, MFiles, HFiles, FFiles, SFiles,
	SwigFiles, SwigCXXFiles, SysoFiles, EmbedFiles []string
	InvalidGoFiles []string
	Error          *struct{ Err string }
	DepsErrors     []*struct{ Err string }
}

const listedFields = "Dir,ImportPath,Name,Standard,Module,Imports,ImportMap,GoFiles,CgoFiles,CFiles,CXXFiles,MFiles,HFiles,FFiles,SFiles,SwigFiles,SwigCXXFiles,SysoFiles,EmbedFiles,InvalidGoFiles,Error,DepsErrors"

// files are the files of a package, as names of the tree.
func (p *listedPackage) files(root string) []string {
	rel, err := filepath.Rel(root, p.Dir)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return nil
	}
	var names []string
	for _, list := range [][]string{
		p.GoFiles, p.CgoFiles, p.CFiles, p.CXXFiles, p.MFiles, p.HFiles, p.FFiles, p.SFiles,
		p.SwigFiles, p.SwigCXXFiles, p.SysoFiles, p.EmbedFiles, p.InvalidGoFiles,
	} {
		for _, name := range list {
			names = append(names, filepath.ToSlash(filepath.Join(rel, name)))
		}
	}
	return names
}

// listing is what go list -deps says of main packages.
type listing struct {
	root     string
	packages map[string]*listedPackage // by import path
}

// list runs go list -deps for packages of a module, given as directories below
// root.
func list(t *testing.T, root, module string, env []string, dirs []string) *listing {
	t.Helper()
	args := []string{"list", "-e", "-deps", "-json=" + listedFields}
	for _, dir := range dirs {
		rel, err := filepath.Rel(filepath.Join(root, module), filepath.Join(root, dir))
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "./"+filepath.ToSlash(rel))
	}
	out, err := goCommand(filepath.Join(root, module), env, args...)
	if err != nil {
		t.Fatal(err)
	}
	l := &listing{root: root, packages: map[string]*listedPackage{}}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &listedPackage{}
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return l
		} else if err != nil {
			t.Fatal(err)
		}
		l.packages[p.ImportPath] = p
	}
}

// at returns the package in a directory below the root, nil when there is none
// that can be built.
func (l *listing) at(dir string) *listedPackage {
	for _, p := range l.packages {
		if p.Dir == filepath.Join(l.root, dir) && p.Error == nil && len(p.DepsErrors) == 0 {
			return p
		}
	}
	return nil
}

// want is the closure that go list sees.
type want struct {
	files, external, std []string
}

// closure follows the imports of a main package within the tree.
func (l *listing) closure(main *listedPackage) want {
	var w want
	met := map[string]bool{main.ImportPath: true}
	for queue := []*listedPackage{main}; len(queue) > 0; queue = queue[1:] {
		w.files = append(w.files, queue[0].files(l.root)...)
		for _, path := range queue[0].Imports {
			if met[path] || path == "C" {
				continue
			}
			met[path] = true
			p := l.packages[path]
			switch {
			case p == nil:
				w.std = append(w.std, path) // unsafe and its kind
			case p.Standard:
				w.std = append(w.std, path)
			case len(p.files(l.root)) > 0:
				queue = append(queue, p)
			default:
				w.external = append(w.external, path)
			}
		}
	}
	for _, list := range []*[]string{&w.files, &w.external, &w.std} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return w
}

// without returns the members of a sorted list that another one lacks.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool {
		_, ok := slices.BinarySearch(other, s)
		return ok
	})
}

// isModuleFile reports whether no package has a file of that name.
func isModuleFile(name string) bool {
	base := path.Base(name)
	return slices.Contains([]string{"go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt", profileName}, base)
}

// mains returns the directories of the main packages of a target in a module,
// those of all packages when there is none.
func mains(ix *scan.Index, module string, t Target) []string {
	var dirs, all []string
	for i := range ix.Packages {
		p := &ix.Packages[i]
		if p.Module != module || !slices.ContainsFunc(p.Files, func(f scan.File) bool { return f.Match(t.Has) }) {
			continue
		}
		all = append(all, p.Dir)
		if p.Main(t.Has) {
			dirs = append(dirs, p.Dir)
		}
	}
	if len(dirs) == 0 {
		return all
	}
	return dirs
}

// targets are the platforms of the oracle.
func targets() []string {
	return []string{"linux/amd64", "linux/arm64", "windows/amd64", "darwin/arm64"}
}

// targetOf returns the target of a platform without cgo, with the tags that the
// go command knows by itself.
func targetOf(t *testing.T, platform string) (Target, []string) {
	t.Helper()
	goos, goarch, _ := strings.Cut(platform, "/")
	tags := map[string]bool{goos: true, goarch: true, "gc": true, "unix": goos != "windows"}
	out, err := exec.Command("go", "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	var minor int
	if _, err := fmt.Sscanf(string(out), "go version go1.%d", &minor); err != nil {
		t.Fatalf("got %q, want a release of Go: %v", out, err)
	}
	for i := range minor + 1 {
		tags[fmt.Sprintf("go1.%d", i)] = true
	}
	switch goarch {
	case "amd64":
		tags["amd64.v1"] = true
	case "arm64":
		tags["arm64.v8.0"] = true
	}
	return Target{Has: func(tag string) bool { return tags[tag] }}, []string{"GOOS=" + goos, "GOARCH=" + goarch, "GOAMD64=v1", "GOARM64=v8.0"}
}
