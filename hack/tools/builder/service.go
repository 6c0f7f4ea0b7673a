package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// service is a process that up starts, which goes on without it.
type service struct {
	name string
	exe  string
	args []string
	// env is added to the environment.
	env []string
	// config is the text of its configuration file, if it has one.
	config     string
	configPath string
	// socket is the unix socket it listens on, if it does.
	socket string
	// ready returns nil once the service answers.
	ready func(ctx context.Context) error
}

// ensure starts the service unless it runs already, as this program and with
// this configuration. It returns when the service answers.
func (s service) ensure(ctx context.Context, l layout) error {
	pid, key := s.running(l)
	if pid != 0 && key == s.key() && current(pid, s.exe) {
		return s.wait(ctx, l, nil)
	}
	if pid != 0 {
		progress("restarting %s, which has changed", s.name)
		if err := s.stop(ctx, l); err != nil {
			return err
		}
	}
	return s.start(ctx, l)
}

func (s service) start(ctx context.Context, l layout) error {
	if s.configPath != "" {
		if err := os.WriteFile(s.configPath, []byte(s.config), 0o644); err != nil {
			return err
		}
	}
	if s.socket != "" {
		if err := os.RemoveAll(s.socket); err != nil {
			return err
		}
	}
	logFile, err := os.OpenFile(l.log(s.name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer logFile.Close()

	cmd := exec.Command(s.exe, s.args...)
	cmd.Dir = l.dir
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	note := fmt.Sprintf("%d\n%s\n", cmd.Process.Pid, s.key())
	if err := os.WriteFile(s.pidFile(l), []byte(note), 0o644); err != nil {
		return errors.Join(err, cmd.Process.Kill())
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return s.wait(ctx, l, ended)
}

// wait polls the service until it answers, ends, or a minute has passed.
func (s service) wait(ctx context.Context, l layout, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := s.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case end := <-ended:
			return fmt.Errorf("%s ended: %v\n%s", s.name, end, s.logTail(l))
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w\n%s", s.name, err, s.logTail(l))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the service if it runs.
func (s service) stop(ctx context.Context, l layout) error {
	if pid, _ := s.running(l); pid != 0 {
		if err := terminate(ctx, pid, s.exe, 10*time.Second); err != nil {
			return fmt.Errorf("stop %s: %w", s.name, err)
		}
	}
	return errors.Join(os.RemoveAll(s.pidFile(l)), os.RemoveAll(s.socket))
}

// running returns the number of the service's process, 0 if there is none,
// and the key it was started with.
func (s service) running(l layout) (pid int, key string) {
	data, err := os.ReadFile(s.pidFile(l))
	if err != nil {
		return 0, ""
	}
	number, key, _ := strings.Cut(strings.TrimSpace(string(data)), "\n")
	pid, err = strconv.Atoi(number)
	if err != nil || !owned(pid, s.exe) {
		return 0, ""
	}
	return pid, key
}

// key changes with everything that a running process cannot take over.
func (s service) key() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q", s.args, s.env, s.config)
	return fmt.Sprintf("%x", h.Sum(nil))
}

func (s service) pidFile(l layout) string { return l.run(s.name + ".pid") }

// logTail returns the last lines of the service's log, for an error.
func (s service) logTail(l layout) string {
	data, err := os.ReadFile(l.log(s.name))
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	lines = lines[max(0, len(lines)-20):]
	return l.log(s.name) + ":\n" + string(bytes.Join(lines, []byte("\n")))
}
