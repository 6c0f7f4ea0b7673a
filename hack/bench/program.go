package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// program is what the contenders build.
type program struct {
	name string
	// source is a module and its version, or a folder of the checkout.
	source string
	// main is the main package. A program without one is a fleet: all main
	// packages of the module are built.
	main string
	// edited is the main package of a fleet that the scenario edits.
	edited string
	// bumped is a dependency, and bumps are versions of it, no two runs the same.
	// Nothing else of go.mod changes with them.
	bumped string
	bumps  []string
}

func programs() []program {
	return []program{
		{name: "hello", source: "examples/hello", main: "."},
		{
			name: "http", source: "examples/http", main: "./cmd/server",
			bumped: "github.com/go-chi/chi/v5", bumps: []string{"v5.4.0", "v5.3.2", "v5.3.1", "v5.3.0", "v5.2.5"},
		},
		{name: "fleet", source: "examples/fleet", edited: "./cmd/api"},
		{
			name: "coredns", source: "github.com/coredns/coredns@v1.15.0", main: ".",
			bumped: "github.com/quic-go/quic-go", bumps: []string{"v0.65.0", "v0.64.0", "v0.63.0", "v0.62.0"},
		},
		{
			name: "rclone", source: "github.com/rclone/rclone@v1.76.0", main: ".",
			bumped: "github.com/go-chi/chi/v5", bumps: []string{"v5.4.0", "v5.3.2", "v5.3.1", "v5.3.0", "v5.2.5"},
		},
		{name: "tools", source: "golang.org/x/tools@v0.52.0", edited: "./cmd/stringer"},
	}
}

func programNames() string {
	var names []string
	for _, p := range programs() {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// programOf returns the program for a scenario: the one that the user names, or
// the usual one.
func programOf(name string, sc scenario) (program, error) {
	if name == "" {
		name = "coredns"
		if sc.fleet {
			name = "tools"
		}
	}
	i := slices.IndexFunc(programs(), func(p program) bool { return p.name == name })
	if i < 0 {
		return program{}, fmt.Errorf("no program %q; there are %s", name, programNames())
	}
	p := programs()[i]
	switch {
	case sc.bumps && len(p.bumps) == 0:
		return program{}, fmt.Errorf("%s: %s has no dependency to bump", sc.name, p.name)
	case sc.fleet && p.main != "":
		return program{}, fmt.Errorf("%s: %s is one binary", sc.name, p.name)
	case !sc.fleet && p.main == "":
		return program{}, fmt.Errorf("%s: %s is many binaries", sc.name, p.name)
	}
	return p, nil
}

// binary is a main package and the name of what is built from it.
type binary struct {
	Name, Main string
}

// project is a program's tree on the disk, and what is known of it.
type project struct {
	program
	tree *tree
	// release is the Go release that go.mod asks for, as tags of golang have it.
	release  string
	binaries []binary
	// sum tells whether there is a go.sum.
	sum bool
}

// changed is the name of the binary that a scenario edits.
func (p *project) changed() string {
	if p.main != "" {
		return p.binaries[0].Name
	}
	return path.Base(p.edited)
}

// fetch copies a program's sources into the folder dir.
func fetch(ctx context.Context, p program, dir string) (*project, error) {
	from := p.source
	if strings.Contains(from, "@") {
		out, err := goOutput(ctx, os.TempDir(), "mod", "download", "-json", from)
		if err != nil {
			return nil, err
		}
		var mod struct{ Dir string }
		if err := json.Unmarshal(out, &mod); err != nil {
			return nil, err
		}
		from = mod.Dir
	}
	if err := copyTree(dir, from); err != nil {
		return nil, err
	}
	pr := &project{program: p, tree: newTree(dir)}
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, err
	}
	pr.release = releaseOf(mod)
	_, err = os.Stat(filepath.Join(dir, "go.sum"))
	pr.sum = err == nil
	if p.main != "" {
		// The name that go build and ko would give it.
		pr.binaries = []binary{{Name: path.Base(path.Join(mod.Module.Mod.Path, p.main)), Main: p.main}}
		return pr, nil
	}
	pr.binaries, err = mains(ctx, dir, mod.Module.Mod.Path)
	return pr, err
}

// releaseOf is what the frontend takes: the toolchain line, else the minor
// release of the go line.
func releaseOf(mod *modfile.File) string {
	if mod.Toolchain != nil {
		return strings.TrimPrefix(mod.Toolchain.Name, "go")
	}
	if mod.Go == nil {
		return ""
	}
	return strings.TrimPrefix(version.Lang("go"+mod.Go.Version), "go")
}

// mains are the main packages of a module.
func mains(ctx context.Context, dir, module string) ([]binary, error) {
	out, err := goOutput(ctx, dir, "list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./...")
	if err != nil {
		return nil, err
	}
	var list []binary
	for _, pkg := range strings.Fields(string(out)) {
		rel, ok := strings.CutPrefix(pkg, module+"/")
		if !ok {
			return nil, fmt.Errorf("%s: a fleet with a main package in its root", module)
		}
		list = append(list, binary{Name: path.Base(rel), Main: "./" + rel})
	}
	return list, nil
}

// copyTree copies a tree, without what git keeps in it, as something to write
// to: the files of a module cache are read-only.
func copyTree(to, from string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		switch target := filepath.Join(to, rel); {
		case d.Name() == ".git":
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		default:
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			return os.WriteFile(target, data, 0o644)
		}
	})
}

// goOutput runs the machine's go command, without the settings of a user.
func goOutput(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}
