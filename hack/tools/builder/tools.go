package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// pinned are the programs of other projects, at the versions of go.mod.
func pinned() []program {
	return []program{
		{pkg: "github.com/moby/buildkit/cmd/buildkitd", version: "github.com/moby/buildkit/version.Version"},
		{pkg: "github.com/moby/buildkit/cmd/buildctl", version: "github.com/moby/buildkit/version.Version"},
		{pkg: "github.com/docker/buildx/cmd/buildx", version: "github.com/docker/buildx/version.Version"},
		{pkg: "github.com/docker/cli/cmd/docker", version: "github.com/docker/cli/cli/version.Version"},
		{pkg: "github.com/distribution/distribution/v3/cmd/registry", version: "github.com/distribution/distribution/v3/version.version"},
	}
}

// program is a main package.
type program struct {
	pkg string
	// version is the variable that the linker fills with the version of the
	// package's module.
	version string
}

func (p program) name() string { return p.pkg[strings.LastIndexByte(p.pkg, '/')+1:] }

const dockerfileFrontend = "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend"

// buildTools builds all programs, unless they were built from the same
// sources before.
func buildTools(ctx context.Context, l layout) error {
	stamp, err := toolStamp(l)
	if err != nil {
		return err
	}
	stampFile := filepath.Join(l.dir, "stamp")
	if was, err := os.ReadFile(stampFile); err == nil && string(was) == stamp && toolsExist(l) {
		return nil
	}
	progress("building buildkitd, buildctl, buildx, docker, registry (minutes the first time)")
	if err := buildPinned(ctx, l); err != nil {
		return err
	}
	progress("building dockerfile-frontend, hub")
	if err := goBuild(ctx, l, l.libexec(""), dockerfileFrontend, "./hub"); err != nil {
		return err
	}
	return os.WriteFile(stampFile, []byte(stamp), 0o644)
}

func buildPinned(ctx context.Context, l layout) error {
	// The docker command's module has no go.mod, which makes its language that
	// of Go 1.16 where a file does not say otherwise; not every file does.
	args := []string{"-gcflags=github.com/docker/cli/cmd/docker=-lang=go1.26"}
	for _, p := range pinned() {
		version, err := moduleVersion(ctx, l, p.pkg)
		if err != nil {
			return err
		}
		args = append(args, fmt.Sprintf("-ldflags=%s=-s -w -X %s=%s", p.pkg, p.version, version))
	}
	for _, p := range pinned() {
		args = append(args, p.pkg)
	}
	return goBuild(ctx, l, l.bin(""), args...)
}

// goBuild builds static programs into the folder out.
func goBuild(ctx context.Context, l layout, out string, args ...string) error {
	base := []string{"build", "-o", out + string(filepath.Separator), "-ldflags=-s -w"}
	cmd := goCommand(ctx, l, append(base, args...)...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build in hack/tools: %w", err)
	}
	return nil
}

func moduleVersion(ctx context.Context, l layout, pkg string) (string, error) {
	cmd := goCommand(ctx, l, "list", "-f", "{{.Module.Version}}", pkg)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w", pkg, err)
	}
	return strings.TrimSuffix(strings.TrimSpace(string(out)), "+incompatible"), nil
}

func goCommand(ctx context.Context, l layout, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = l.tools()
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
	return cmd
}

// toolStamp changes with the programs' sources: the versions in go.mod and
// go.sum, the files of hub, and this program, which has the flags.
func toolStamp(l layout) (string, error) {
	files, err := filepath.Glob(filepath.Join(l.tools(), "hub", "*.go"))
	if err != nil {
		return "", err
	}
	files = append(files,
		filepath.Join(l.tools(), "go.mod"),
		filepath.Join(l.tools(), "go.sum"),
		filepath.Join(l.tools(), "builder", "tools.go"))
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version())
	for _, file := range files {
		fmt.Fprintln(h, filepath.Base(file))
		if err := hashFile(h, file); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x\n", h.Sum(nil)), nil
}

func hashFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

func toolsExist(l layout) bool {
	paths := []string{l.libexec("hub"), l.libexec("dockerfile-frontend")}
	for _, p := range pinned() {
		paths = append(paths, l.bin(p.name()))
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}
