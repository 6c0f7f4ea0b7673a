package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// environment is what builders work in.
type environment struct {
	// dir is the benchmark's folder, and work what of it is deleted at the end.
	dir, work string
	// registry is the address of the meter, which every builder takes for docker.io.
	registry string
	meter    *meter
	log      io.Writer

	own    *process
	server *http.Server
	lock   *os.File
	run    string
}

// openEnvironment starts the registry and the meter. The hub is the registry
// that hack/builder has started.
func openEnvironment(ctx context.Context, dir, hub string, log io.Writer) (_ *environment, err error) {
	e := &environment{dir: dir, work: filepath.Join(dir, "work"), log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := e.lockDir(); err != nil {
		return nil, err
	}
	// What a killed run has left.
	if err := removeTree(e.work); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(e.work, 0o755); err != nil {
		return nil, err
	}
	if e.run, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	own, transport, err := startRegistry(ctx, dir, filepath.Join(e.run, "registry"))
	e.own = own
	if err != nil {
		return nil, fmt.Errorf("start a registry: %w", err)
	}
	e.meter = newMeter(hub, "registry", transport)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e.registry = ln.Addr().String()
	e.server = &http.Server{Handler: e.meter, ReadHeaderTimeout: time.Minute}
	go func() { _ = e.server.Serve(ln) }() // error ignored: it says that close was called
	return e, nil
}

// lockDir fails if another benchmark runs: both would measure each other.
func (e *environment) lockDir() error {
	f, err := os.OpenFile(filepath.Join(e.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("another benchmark runs in %s", e.dir)
	}
	e.lock = f
	return nil
}

func (e *environment) close() error {
	if e.lock == nil {
		return nil
	}
	var errs []error
	if e.server != nil {
		errs = append(errs, e.server.Close())
	}
	if e.own != nil {
		errs = append(errs, e.own.stop())
	}
	return errors.Join(append(errs, os.RemoveAll(e.run), removeTree(e.work), e.lock.Close())...)
}

func (e *environment) progress(format string, a ...any) { fmt.Fprintf(e.log, format+"\n", a...) }
