package main

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// toolchain is an unpacked Go release.
type toolchain struct {
	release string // as in 1.26.1
	root    string // its GOROOT
}

// localToolchain returns the one of the go command in PATH.
func localToolchain(ctx context.Context) (toolchain, error) {
	out, err := goOutput(ctx, "GOTOOLCHAIN=local", "env", "GOVERSION", "GOROOT")
	if err != nil {
		return toolchain{}, err
	}
	version, root, _ := strings.Cut(out, "\n")
	release := regexp.MustCompile(`1\.\d+((\.|rc|beta)\d+)?`).FindString(version)
	if release == "" {
		return toolchain{}, fmt.Errorf("go env GOVERSION: %q names no release", version)
	}
	return toolchain{release: release, root: root}, nil
}

// knownReleases asks the go command for the releases there are.
func knownReleases(ctx context.Context) ([]string, error) {
	out, err := goOutput(ctx, "GOTOOLCHAIN=local", "list", "-m", "-versions", "go")
	if err != nil {
		return nil, err
	}
	return strings.Fields(strings.TrimPrefix(out, "go ")), nil
}

// download has the go command fetch a release.
func download(ctx context.Context, release string) (toolchain, error) {
	root, err := goOutput(ctx, "GOTOOLCHAIN=go"+release, "env", "GOROOT")
	if err != nil {
		return toolchain{}, err
	}
	return toolchain{release: release, root: root}, nil
}

// goOutput runs the go command outside of any module.
func goOutput(ctx context.Context, toolchain string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), toolchain, "GOWORK=off", "GOFLAGS=", "GO111MODULE=")
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("go %s with %s: %w", strings.Join(args, " "), toolchain, err)
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return "", err
	}
	return strings.TrimSpace(string(out)), nil
}

// standsAlone tells whether the toolchain's go command runs in an image that
// has nothing else. One that a distribution has built may need a C library.
func (t toolchain) standsAlone() bool {
	f, err := elf.Open(filepath.Join(t.root, "bin", "go"))
	if err != nil {
		return false
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return false
		}
	}
	return true
}
