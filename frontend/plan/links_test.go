package plan

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// linkedTree writes a tree with links on the way to every kind of module file.
func linkedTree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"shared/app.mod":   "module example.com/app\n\ngo 1.26.0\n\nrequire (\n\texample.com/dep v1.0.0\n\texample.com/lib v1.0.0\n)\n\nreplace example.com/lib => ./lib\n",
		"shared/app.sum":   "",
		"main.go":          "package main\n\nimport (\n\t_ \"example.com/dep\"\n\t_ \"example.com/lib\"\n)\n\nfunc main() {}\n",
		"modules/lib/x.go": "package lib\n",
		"modules/lib.mod":  "module example.com/lib\n\ngo 1.26.0\n",
	} {
		write(t, root, name, []byte(text))
	}
	for name, to := range map[string]string{
		"go.mod":             "shared/app.mod",
		"go.sum":             "shared/app.sum",
		"lib":                "modules/lib",
		"modules/lib/go.mod": "../lib.mod",
	} {
		symlink(t, to, filepath.Join(root, name))
	}
	return root
}

// linkedFiles are the files of linkedTree that decide which modules there are.
func linkedFiles() []string {
	return []string{"go.mod", "go.sum", "lib", "modules/lib.mod", "modules/lib/go.mod", "shared/app.mod", "shared/app.sum"}
}

// TestLinks checks that module files are copied with the links on the way to
// them.
func TestLinks(t *testing.T) {
	root := linkedTree(t)
	want := linkedFiles()
	for _, target := range []string{"", TargetTest} {
		s, err := spec.Parse("Gopherfile.yaml", []byte("generate: go generate\n"))
		if err != nil {
			t.Fatal(err)
		}
		ix, err := scan.Scan(os.DirFS(root), scan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Resolve(s, ix, Options{BuildPlatform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, Target: target})
		if err != nil {
			t.Fatal(err)
		}
		lists := map[string][]string{"generate": p.Generate[0].Download.Files}
		if target == TargetTest {
			lists["test"] = p.Targets[0].Test.Download.Files
		} else {
			b := &p.Targets[0].Binaries[0]
			lists["modules"], lists["dependencies"] = b.Modules.Download.Files, b.Objects.Files
		}
		for step, files := range lists {
			if diff := cmp.Diff(want, files); diff != "" {
				t.Errorf("target %q: %s: -want +got:\n%s", target, step, diff)
			}
		}
	}
}

// TestLinksAreForGo checks that the go command finds all modules in the files that
// TestLinks wants.
func TestLinksAreForGo(t *testing.T) {
	root, alone, proxy := linkedTree(t), t.TempDir(), t.TempDir()
	for _, name := range linkedFiles() {
		from, to := filepath.Join(root, name), filepath.Join(alone, name)
		if link, err := os.Readlink(from); err == nil {
			symlink(t, link, to)
			continue
		}
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(t, alone, name, data)
	}
	write(t, proxy, "example.com/dep/@v/v1.0.0.info", []byte(`{"Version":"v1.0.0"}`))
	write(t, proxy, "example.com/dep/@v/v1.0.0.mod", []byte("module example.com/dep\n"))
	env := []string{"GOPROXY=file://" + filepath.ToSlash(proxy), "GOSUMDB=off", "GOMODCACHE=" + t.TempDir(), "GOFLAGS=-modcacherw -mod=mod", "GOWORK="}
	got, err := goCommand(t, alone, env, "list", "-m", "all")
	if want := "example.com/app\nexample.com/dep v1.0.0\nexample.com/lib v1.0.0 => ./lib"; err != nil || got != want {
		t.Errorf("go list -m all: %v\ngot:\n%s\nwant:\n%s", err, got, want)
	}
}

func symlink(t *testing.T, to, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}
