package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// owned tells whether the process pid runs the program at path exe. It does
// not if the process has ended, or if its number was given to another since.
func owned(pid int, exe string) bool {
	link, err := os.Readlink(procPath(pid, "exe"))
	return err == nil && strings.TrimSuffix(link, " (deleted)") == exe
}

// current tells whether the process pid runs the very file that is at exe
// now, not one that stood there before.
func current(pid int, exe string) bool {
	runs, err := os.Stat(procPath(pid, "exe"))
	if err != nil {
		return false
	}
	is, err := os.Stat(exe)
	return err == nil && os.SameFile(runs, is)
}

// terminate asks the process to end, and after a while makes it. What the
// process started itself is ended with it.
func terminate(ctx context.Context, pid int, exe string, patience time.Duration) error {
	if err := kill(pid, syscall.SIGTERM); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if waitGone(ctx, pid, exe) {
		return nil
	}
	family := descendants(pid)
	if err := kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	for _, child := range family {
		if err := kill(child, syscall.SIGKILL); err != nil {
			return err
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if !waitGone(last, pid, exe) {
		return errors.New("process " + strconv.Itoa(pid) + " does not end")
	}
	return nil
}

// waitGone waits until the process has ended; it returns false if ctx ends
// first.
func waitGone(ctx context.Context, pid int, exe string) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for owned(pid, exe) {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// kill is no error for a process that has ended.
func kill(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
		return err
	}
	return nil
}

// descendants returns the processes that pid started, and those that these
// started, and so on.
func descendants(pid int) []int {
	children := make(map[int][]int)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	for _, path := range stats {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		parent := parentOf(string(data))
		children[parent] = append(children[parent], child)
	}
	var all []int
	for next := children[pid]; len(next) > 0; next = next[1:] {
		all = append(all, next[0])
		next = append(next, children[next[0]]...)
	}
	return all
}

// parentOf reads the parent's number from the text of /proc/PID/stat. The
// second field is the program's name in parentheses and may hold anything; the
// parent is the second one after it.
func parentOf(stat string) int {
	_, rest, _ := strings.Cut(stat[strings.LastIndexByte(stat, ')')+1:], " ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	pid, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return pid
}

func procPath(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}
