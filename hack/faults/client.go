package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	digest "github.com/opencontainers/go-digest"
)

// request is a build that a client asks for.
type request struct {
	// buildctl says which client: docker buildx, or this one.
	buildctl bool
	// push is the name of an image to push, dest a folder to export to. Without
	// either, nothing is exported.
	push, dest string
	// cacheFrom and cacheTo are images that hold a cache.
	cacheFrom, cacheTo string
	// more are more arguments of docker buildx build.
	more []string
}

// running is a client that runs.
type running struct {
	cmd      *exec.Cmd
	metadata string

	mu  sync.Mutex
	out bytes.Buffer
}

// output is what the client has printed.
func (r *running) output() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

// outcome is how a client has ended.
type outcome struct {
	output string
	failed bool
	digest digest.Digest
	took   time.Duration
}

// args are the command of a client.
func (w *world) args(req request, metadata string) []string {
	output := "type=cacheonly"
	switch {
	case req.push != "":
		output = "type=image,push=true,name=" + req.push
	case req.dest != "":
		output = "type=local,dest=" + req.dest
	}
	if req.buildctl {
		args := []string{"buildctl", "--addr", w.host(), "build", "--progress=plain", "--frontend=gateway.v0", "--opt", "source=gopherfile/gopherfile:1",
			"--opt", "filename=" + specFile, "--local", "context=" + w.project.dir, "--local", "dockerfile=" + w.project.dir, "--metadata-file", metadata}
		if output != "type=cacheonly" {
			args = append(args, "--output", output)
		}
		return args
	}
	args := []string{"docker", "buildx", "build", "--progress=plain", "--provenance=false", "--metadata-file", metadata, "-f", specFile, "--output", output}
	if req.cacheFrom != "" {
		args = append(args, "--cache-from", "type=registry,ref="+req.cacheFrom)
	}
	if req.cacheTo != "" {
		args = append(args, "--cache-to", "type=registry,mode=max,ref="+req.cacheTo)
	}
	return append(append(args, req.more...), ".")
}

// build runs a client until it ends. It calls the function once, when a line of
// the progress matches. A client that does not end within the limit hangs, which
// is an error.
func (w *world) build(ctx context.Context, req request, at *regexp.Regexp, then func(*running) error, limit time.Duration) (*outcome, error) {
	r := &running{metadata: filepath.Join(w.run, "metadata.json")}
	if err := os.RemoveAll(r.metadata); err != nil {
		return nil, err
	}
	args := w.args(req, r.metadata)
	r.cmd = exec.Command(args[0], args[1:]...) //nolint:gosec // G204: both are clients of ours
	r.cmd.Dir = w.project.dir
	r.cmd.Env = w.env()
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	pipe, writer := io.Pipe()
	r.cmd.Stdout, r.cmd.Stderr = writer, writer
	r.cmd.WaitDelay = time.Second
	start := time.Now()
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	read := make(chan error, 1)
	go func() { read <- r.watch(pipe, at, then) }()
	ended := make(chan error, 1)
	go func() {
		err := r.cmd.Wait()
		writer.Close()
		ended <- err
	}()
	var err error
	hung := false
	select {
	case err = <-ended:
	case <-time.After(limit):
		hung = true
	case <-ctx.Done():
		hung = true
	}
	took := time.Since(start)
	if hung {
		_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) // error ignored: it may have ended by now
		<-ended
	}
	watched := <-read
	out := &outcome{output: r.output(), failed: err != nil, took: took}
	switch {
	case ctx.Err() != nil:
		return out, ctx.Err()
	case hung:
		return out, fmt.Errorf("hang: the client did not end within %v:\n%s", limit, out.output)
	case watched != nil:
		return out, fmt.Errorf("%w:\n%s", watched, out.output)
	case err == nil:
		return out, out.readMetadata(r.metadata)
	}
	return out, nil
}

// watch keeps what the client prints, and calls the function when its time has
// come. It is an error when that does not come.
func (r *running) watch(pipe io.Reader, at *regexp.Regexp, then func(*running) error) error {
	var errs []error
	done := at == nil
	lines := bufio.NewReader(pipe)
	for {
		line, err := lines.ReadString('\n')
		r.mu.Lock()
		r.out.WriteString(line)
		r.mu.Unlock()
		if !done && at.MatchString(line) {
			done = true
			errs = append(errs, then(r))
		}
		if err != nil {
			break
		}
	}
	if !done {
		errs = append(errs, fmt.Errorf("the progress has no line %v", at))
	}
	return errors.Join(errs...)
}

// readMetadata reads the digest of the image.
func (o *outcome) readMetadata(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var m struct {
		Digest digest.Digest `json:"containerimage.digest"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	o.digest = m.Digest
	return nil
}

// lastError matches the line with which a client ends in failure.
var lastError = regexp.MustCompile(`(?m)^(?:ERROR|error): .*$`)

// errors are the errors with which a client has ended.
func (o *outcome) errors() []string {
	text := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(o.output, "")
	return lastError.FindAllString(text, -1)
}

// signaled sends a signal to the client, as a user does who has lost patience.
func signaled(sig syscall.Signal) func(*world, *running) error {
	return func(_ *world, r *running) error { return syscall.Kill(-r.cmd.Process.Pid, sig) }
}

// step matches the line of the plain progress with which a step begins.
func step(name string) *regexp.Regexp {
	return regexp.MustCompile(`^#\d+ ` + strings.TrimPrefix(name, "^"))
}
