package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/tonistiigi/fsutil"

	"github.com/gopherfile/gopherfile/hack/buildkitd"
)

// daemon is a BuildKit of its own, with nothing in it at first.
type daemon struct {
	*described
	process *process
	client  *client.Client
	// root is its state, run its socket, definitions what it reads.
	root, run, definitions string
}

func startDaemon(ctx context.Context, d *described) (builder, error) {
	root, err := os.MkdirTemp(d.env.work, "buildkitd-")
	if err != nil {
		return nil, err
	}
	// The path of a socket is short, that of a checkout may be long.
	run, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	b := &daemon{described: d, root: root, run: run, definitions: filepath.Join(root, "definitions")}
	if err := b.start(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *daemon) start(ctx context.Context) error {
	config := filepath.Join(b.root, "buildkitd.toml")
	settings := buildkitd.Config{Root: filepath.Join(b.root, "state"), Run: b.run, Registry: b.env.registry}
	if err := errors.Join(settings.Write(config), os.Mkdir(b.definitions, 0o755)); err != nil {
		return err
	}
	var err error
	if b.process, err = startProcess(filepath.Join(b.root, "log"), "buildkitd", "--config", config); err != nil {
		return err
	}
	if b.client, err = client.New(ctx, settings.Address()); err != nil {
		return err
	}
	return b.process.wait(ctx, func(ctx context.Context) error {
		_, err := b.client.ListWorkers(ctx)
		return err
	})
}

// close ends the daemon and removes all that it had.
func (b *daemon) close() error {
	var errs []error
	if b.client != nil {
		errs = append(errs, b.client.Close())
	}
	if b.process != nil {
		errs = append(errs, b.process.stop())
	}
	return errors.Join(append(errs, os.RemoveAll(b.run), removeTree(b.root))...)
}

// mounts are the folders that a build reads: the source tree, and the build
// definition with the file that says what of the tree is left out.
func (b *daemon) mounts(p *project) (map[string]fsutil.FS, error) {
	text, err := b.definition(p)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.definitions, b.file)
	if err := errors.Join(os.WriteFile(file, []byte(text), 0o644), os.WriteFile(file+".dockerignore", []byte(".git\n"), 0o644)); err != nil {
		return nil, err
	}
	source, err := fsutil.NewFS(p.tree.dir)
	if err != nil {
		return nil, err
	}
	definitions, err := fsutil.NewFS(b.definitions)
	if err != nil {
		return nil, err
	}
	return map[string]fsutil.FS{"context": source, "dockerfile": definitions}, nil
}

// process is a program that runs until it is stopped.
type process struct {
	cmd *exec.Cmd
	log string
	// ended is closed when it has.
	ended chan struct{}
}

func startProcess(log string, name string, args ...string) (*process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &process{cmd: exec.Command(name, args...), log: log, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	// In a group of its own: an interrupt is for us, who stop it in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // error ignored: it is stopped by a signal
		close(p.ended)
	}()
	return p, nil
}

// wait returns when the process answers, has ended, or a minute has passed.
func (p *process) wait(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
			continue
		}
		text, _ := os.ReadFile(p.log) // error ignored: it is there to explain another one
		return fmt.Errorf("%s does not answer: %w\n%s", p.cmd.Path, err, text[max(0, len(text)-2000):])
	}
}

// stop ends the process and returns when it has ended.
func (p *process) stop() error {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := p.cmd.Process.Signal(sig); errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		select {
		case <-p.ended:
			return nil
		case <-time.After(30 * time.Second):
		}
	}
	return fmt.Errorf("%s does not end", p.cmd.Path)
}
