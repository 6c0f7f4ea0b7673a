package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// koVersion is the release of ko. It is built from its module.
const koVersion = "v0.19.1"

// ko runs on the machine itself: with the go command of the machine, and with
// module and build caches of its own.
type ko struct {
	env *environment
}

func (k *ko) name() string { return koBuild }

func (k *ko) unable(sc scenario, p *project) string {
	switch {
	case sc.imports:
		return "has no cache that travels: as long as cold"
	case !sameRelease(p.release):
		return fmt.Sprintf("compiles with the Go of the machine, which is not %s", p.release)
	}
	return ""
}

func (k *ko) setup(p *project) string { return fingerprint(p.source, koVersion) }

// open builds ko itself, where that was not done, and makes empty caches.
func (k *ko) open(ctx context.Context) (builder, error) {
	bin := filepath.Join(k.env.dir, "ko-"+koVersion)
	if _, err := os.Stat(filepath.Join(bin, "ko")); err != nil {
		k.env.progress("building ko %s", koVersion)
		cmd := exec.CommandContext(ctx, "go", "install", "github.com/google/ko@"+koVersion)
		cmd.Dir = os.TempDir()
		cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go install ko: %w\n%s", err, out)
		}
	}
	if err := k.env.pushEmptyBase(ctx, measured+"base", four()); err != nil {
		return nil, fmt.Errorf("push an empty base image: %w", err)
	}
	dir, err := os.MkdirTemp(k.env.work, "ko-")
	if err != nil {
		return nil, err
	}
	return &koBuilder{ko: k, bin: filepath.Join(bin, "ko"), dir: dir}, nil
}

// koBuilder holds the caches.
type koBuilder struct {
	*ko
	bin, dir string
}

func (b *koBuilder) close() error { return os.RemoveAll(b.dir) }

func (b *koBuilder) build(ctx context.Context, j job) (outcome, error) {
	args := []string{"build", "--base-import-paths", "--sbom=none", "--platform=" + strings.Join(j.platforms, ",")}
	for _, bin := range j.project.binaries {
		args = append(args, bin.Main)
	}
	cmd := exec.CommandContext(ctx, b.bin, args...)
	cmd.Dir = j.project.tree.dir
	cmd.Env = append(os.Environ(),
		"KO_DOCKER_REPO="+j.repo, "KO_DEFAULTBASEIMAGE="+b.env.registry+"/"+measured+"base",
		"GOMODCACHE="+filepath.Join(b.dir, "mod"), "GOCACHE="+filepath.Join(b.dir, "build"),
		// A module cache that can be deleted; the rest is as for the others.
		"GOFLAGS=-modcacherw -buildvcs=false", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0",
	)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return outcome{}, err
	}
	peak := watchTree(cmd.Process.Pid)
	err := cmd.Wait()
	out := outcome{seconds: time.Since(begin).Seconds(), peak: peak()}
	out.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if err == nil {
		out.digests, err = koDigests(stdout.String())
	}
	if err != nil {
		return out, fmt.Errorf("ko: %w\n%s", err, stderr.Bytes()[max(0, stderr.Len()-4000):])
	}
	return out, nil
}

// koDigests reads what ko prints: a line for each image, with its digest.
func koDigests(text string) (map[string]string, error) {
	digests := map[string]string{}
	for line := range strings.Lines(text) {
		ref, dgst, ok := strings.Cut(strings.TrimSpace(line), "@")
		if !ok {
			return nil, errors.New("a line without digest: " + line)
		}
		digests[path.Base(ref)] = dgst
	}
	return digests, nil
}
