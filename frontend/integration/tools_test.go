package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// toolsVar makes TestTools run.
const toolsVar = "GOPHERFILE_TOOLS"

// TestTools builds an image of every program of golang.org/x/tools at once, and
// again after two edits. An edit of one program compiles that one and leaves the
// digests of all others; an edit of a package compiles exactly the programs that
// import it, as the go command lists them. It takes minutes, and so it runs only
// when it is told to.
func TestTools(t *testing.T) {
	if os.Getenv(toolsVar) == "" {
		t.Skip("builds many programs: " + toolsVar + "=1")
	}
	builder(t)
	const module = "golang.org/x/tools"
	dir := t.TempDir()
	out, err := exec.Command("go", "mod", "download", "-json", module+"@v0.52.0").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(jsonField(out, "Dir"))); err != nil {
		t.Fatal(err)
	}
	f := fleetOf(t, dir)
	f.bake()
	first := f.digests

	f.edit("cmd/stringer/stringer.go", "\nfunc init() { println(\"edited\") }\n")
	if diff := cmp.Diff([]string{"cmd-stringer"}, f.bake()); diff != "" {
		t.Errorf("compiles after an edit of a program: -want +got:\n%s", diff)
	}
	f.changed(first, []string{"cmd-stringer"})

	second := f.digests
	f.edit("go/packages/packages.go", "\nfunc init() { println(\"edited\") }\n")
	importers := f.importers(module + "/go/packages")
	if diff := cmp.Diff(importers, f.bake()); diff != "" {
		t.Errorf("compiles after an edit of a package: -want +got:\n%s", diff)
	}
	f.changed(second, importers)
	t.Logf("%d programs, of which %d import the package", len(f.programs), len(importers))
}

// programs are the main packages of a module, by the name of their binary, which
// are built together.
type programs struct {
	t        *testing.T
	dir      string
	programs map[string]string // import paths
	digests  map[string]string
}

// fleetOf writes a spec and a bake file for all programs of a module.
func fleetOf(t *testing.T, dir string) *programs {
	t.Helper()
	f := &programs{t: t, dir: dir, programs: map[string]string{}}
	var spec strings.Builder
	spec.WriteString("# syntax=gopherfile/gopherfile:1\nbinaries:\n")
	type target struct {
		Context    string   `json:"context"`
		Dockerfile string   `json:"dockerfile"`
		Target     string   `json:"target"`
		Output     []string `json:"output"`
	}
	targets := map[string]target{}
	var names []string
	for line := range strings.Lines(f.goCommand("list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./...")) {
		path := strings.TrimSpace(line)
		_, rel, _ := strings.Cut(path, "golang.org/x/tools/")
		if rel == "" {
			continue
		}
		name := strings.NewReplacer("/", "-", "_", "-").Replace(rel)
		f.programs[name] = path
		fmt.Fprintf(&spec, "  %s: ./%s\n", name, rel)
		targets[name] = target{Context: dir, Dockerfile: "Gopherfile.yaml", Target: name, Output: []string{"type=image,push=false"}}
		names = append(names, name)
	}
	write(t, filepath.Join(dir, "Gopherfile.yaml"), []byte(spec.String()))
	data, err := json.Marshal(map[string]any{"target": targets, "group": map[string]any{"default": map[string]any{"targets": names}}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "bake.json"), data)
	return f
}

func (f *programs) goCommand(args ...string) string {
	f.t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		f.t.Fatal(err)
	}
	return string(out)
}

// edit appends to a file.
func (f *programs) edit(name, text string) {
	f.t.Helper()
	name = filepath.Join(f.dir, name)
	data, err := os.ReadFile(name)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := os.Chmod(name, 0o644); err != nil {
		f.t.Fatal(err)
	}
	write(f.t, name, append(data, text...))
}

// bake builds all images, takes their digests, and returns the names of the
// binaries that were compiled.
func (f *programs) bake() []string {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Minute)
	defer cancel()
	metadata := filepath.Join(f.t.TempDir(), "metadata.json")
	cmd := exec.CommandContext(ctx, "docker", "buildx", "bake", "-f", filepath.Join(f.dir, "bake.json"), "--progress=plain", "--metadata-file", metadata, "--allow=fs.read="+f.dir)
	cmd.Env = append(os.Environ(), "BUILDX_NO_DEFAULT_ATTESTATIONS=1")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Run(); err != nil {
		f.t.Fatalf("%v\n%s", err, &log)
	}
	data, err := os.ReadFile(metadata)
	if err != nil {
		f.t.Fatal(err)
	}
	var found map[string]json.RawMessage
	if err := json.Unmarshal(data, &found); err != nil {
		f.t.Fatal(err)
	}
	f.digests = map[string]string{}
	for name := range f.programs {
		if f.digests[name] = jsonField(found[name], "containerimage.digest"); f.digests[name] == "" {
			f.t.Errorf("%s has no digest", name)
		}
	}
	var compiled []string
	for _, step := range ran(log.String()) {
		fields := strings.Fields(step)
		if name := fields[len(fields)-1]; f.programs[name] != "" && !strings.Contains(step, " dependencies of ") {
			compiled = append(compiled, name)
		}
	}
	slices.Sort(compiled)
	return slices.Compact(compiled)
}

// importers are the programs that import a package, directly or not.
func (f *programs) importers(path string) []string {
	var names []string
	for name, main := range f.programs {
		if slices.Contains(strings.Fields(f.goCommand("list", "-deps", main)), path) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// changed checks that the digests of those binaries differ from what they were,
// and of no others.
func (f *programs) changed(before map[string]string, names []string) {
	f.t.Helper()
	for name, digest := range f.digests {
		if got, want := digest != before[name], slices.Contains(names, name); got != want {
			f.t.Errorf("%s: its digest changed: %t, want %t", name, got, want)
		}
	}
}
