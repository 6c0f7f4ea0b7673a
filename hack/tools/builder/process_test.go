package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// sleeper copies the sleep program, so that it is nobody else's, and runs it.
func sleeper(t *testing.T) (cmd *exec.Cmd, exe string) {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	program, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	exe = filepath.Join(t.TempDir(), "sleep")
	if err := os.WriteFile(exe, program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(exe, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait() // its end is always a violent one
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	return cmd, exe
}

func TestOwned(t *testing.T) {
	cmd, exe := sleeper(t)
	pid := cmd.Process.Pid
	if !owned(pid, exe) || !current(pid, exe) {
		t.Error("a running process is not owned")
	}
	if owned(os.Getpid(), exe) {
		t.Error("a process of another program is owned")
	}
	if err := os.Remove(exe); err != nil {
		t.Fatal(err)
	}
	if !owned(pid, exe) {
		t.Error("a process is not owned after its program was replaced")
	}
	if current(pid, exe) {
		t.Error("a process is current after its program was replaced")
	}
	if err := terminate(context.Background(), pid, exe, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if owned(pid, exe) {
		t.Error("a process is owned after its end")
	}
}

func TestRunningIgnoresForeignPid(t *testing.T) {
	l := layout{dir: t.TempDir()}
	if err := l.create(); err != nil {
		t.Fatal(err)
	}
	s := service{name: "x", exe: l.bin("x")}
	for _, note := range []string{"", "nonsense\n", strconv.Itoa(os.Getpid()) + "\nkey\n"} {
		if err := os.WriteFile(s.pidFile(l), []byte(note), 0o644); err != nil {
			t.Fatal(err)
		}
		if pid, _ := s.running(l); pid != 0 {
			t.Errorf("pid file %q: running as %d", note, pid)
		}
	}
}

func TestDescendants(t *testing.T) {
	cmd, _ := sleeper(t)
	if all := descendants(os.Getpid()); !slices.Contains(all, cmd.Process.Pid) {
		t.Errorf("descendants %v lack %d", all, cmd.Process.Pid)
	}
	if all := descendants(cmd.Process.Pid); len(all) > 0 {
		t.Errorf("a process without children has descendants %v", all)
	}
}

func TestParentOf(t *testing.T) {
	for stat, want := range map[string]int{
		"12 (sh) S 7 12 12 0":      7,
		"12 (a) b (c)) R 8 1 1":    8,
		"12 (evil) R 9) S 10 12 1": 10,
		"":                         0,
	} {
		if got := parentOf(stat); got != want {
			t.Errorf("parentOf(%q) = %d, want %d", stat, got, want)
		}
	}
}
