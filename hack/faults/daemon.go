package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gopherfile/gopherfile/hack/buildkitd"
)

// daemon is a buildkitd that can be killed and started again on the same data.
// It has a process namespace of its own, as in a container: nothing that it
// started outlives it.
type daemon struct {
	config, log, address string
	cmd                  *exec.Cmd
	ended                chan struct{}
}

// newDaemon writes the configuration of a daemon. Its data is in root, its
// socket in run. Images of docker.io come from the registry at mirror.
func newDaemon(root, run, mirror string) (*daemon, error) {
	settings := buildkitd.Config{Root: root, Run: run, Registry: mirror, Worker: []string{`snapshotter = "overlayfs"`}}
	d := &daemon{config: filepath.Join(run, "buildkitd.toml"), log: filepath.Join(run, "buildkitd.log"), address: settings.Address()}
	return d, settings.Write(d.config)
}

// start starts the daemon and returns when it answers.
func (d *daemon) start(ctx context.Context) error {
	log, err := os.OpenFile(d.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	_ = os.Remove(d.socket()) // error ignored: a daemon that was killed leaves it
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "buildkitd", "--config", d.config)
	cmd.Stdout, cmd.Stderr = log, log
	// In a group of its own: an interrupt is for us, who stop it in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // error ignored: it is killed on purpose
		close(ended)
	}()
	d.cmd, d.ended = cmd, ended
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := exec.CommandContext(ctx, "buildctl", "--addr", d.address, "debug", "workers").Run()
		if err == nil {
			return nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
			continue
		}
		return fmt.Errorf("buildkitd does not answer: %w\n%s", err, d.tail())
	}
}

// socket is the file of its address.
func (d *daemon) socket() string { return strings.TrimPrefix(d.address, "unix://") }

// running reports whether the daemon has not ended.
func (d *daemon) running() bool {
	if d.cmd == nil {
		return false
	}
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

// kill ends the daemon at once, as a crash would.
func (d *daemon) kill() error { return d.end(syscall.SIGKILL, 30*time.Second) }

// stop ends the daemon in order.
func (d *daemon) stop() error {
	if err := d.end(syscall.SIGTERM, 15*time.Second); err == nil {
		return nil
	}
	return d.kill()
}

func (d *daemon) end(sig syscall.Signal, limit time.Duration) error {
	if !d.running() {
		return nil
	}
	if pid := d.pid(); pid != 0 {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	select {
	case <-d.ended:
		return nil
	case <-time.After(limit):
		return fmt.Errorf("buildkitd does not end within %v of signal %v", limit, sig)
	}
}

// pid is the process of the daemon: the only child of the program that made
// its namespace.
func (d *daemon) pid() int {
	for _, pid := range buildkitd.Children(d.cmd.Process.Pid) {
		return pid
	}
	return 0
}

// tail is the end of the daemon's log.
func (d *daemon) tail() string {
	text, _ := os.ReadFile(d.log) // error ignored: it is there to explain another one
	return string(text[max(0, len(text)-2000):])
}

// logged is how long the log is now.
func (d *daemon) logged() int64 {
	info, err := os.Stat(d.log)
	if err != nil {
		return 0
	}
	return info.Size()
}

// loggedSince is what was logged from an offset on.
func (d *daemon) loggedSince(from int64) string {
	text, err := os.ReadFile(d.log)
	if err != nil || from > int64(len(text)) {
		return ""
	}
	return string(text[from:])
}

// find returns the processes that the daemon started and whose command matches.
func (d *daemon) find(match func(args []string) bool) []int {
	var found []int
	if !d.running() {
		return nil
	}
	for next := buildkitd.Children(d.cmd.Process.Pid); len(next) > 0; next = next[1:] {
		if text, err := os.ReadFile(proc(next[0], "cmdline")); err == nil {
			args := strings.Split(strings.TrimSuffix(string(bytes.ToValidUTF8(text, nil)), "\x00"), "\x00")
			if match(args) {
				found = append(found, next[0])
			}
		}
		next = append(next, buildkitd.Children(next[0])...)
	}
	return found
}

// isFrontend matches the process of the frontend.
func isFrontend(args []string) bool {
	return len(args) == 1 && filepath.Base(args[0]) == "gopherfile"
}

// isGo matches the go command and what it starts to compile.
func isGo(args []string) bool {
	base := filepath.Base(args[0])
	return base == "go" || base == "gocache" || base == "compile" || base == "link"
}

// isCompile matches the compiler at work on a package.
func isCompile(pkg string) func([]string) bool {
	return func(args []string) bool {
		return filepath.Base(args[0]) == "compile" && strings.Contains(strings.Join(args, " "), "-p "+pkg+" ")
	}
}

// await waits until the daemon has started what matches, or has no such
// process any more.
func (d *daemon) await(ctx context.Context, match func([]string) bool, there bool, limit time.Duration) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		found := d.find(match)
		if len(found) > 0 == there {
			return found, nil
		}
		if !pause(ctx, 5*time.Millisecond) {
			return found, fmt.Errorf("after %v there are %d such processes of the daemon", limit, len(found))
		}
	}
}

func proc(pid int, file string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), file)
}
