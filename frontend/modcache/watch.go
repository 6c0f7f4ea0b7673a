package modcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// looks is how often, within the time after which something is said, it is
// looked at what a go command has read.
const looks = 6

// trickle is how many bytes are no sign of life: programs that wait for an
// answer wake up now and then, and read some.
const trickle = 1 << 10

// errSilent is returned when a go command was ended because it waited for too
// long.
var errSilent = errors.New("the go command waited for too long")

// runWatched runs a go command. The go command waits for a module proxy or a
// git host without an end. When nothing arrives for a while, that is said; when
// nothing does for much longer, the command is ended.
func (r *run) runWatched(ctx context.Context, cmd *exec.Cmd, said *speech) error {
	cmd.WaitDelay = time.Second // git, which may outlive its parent, holds the pipes
	if err := cmd.Start(); err != nil {
		return err
	}
	end := make(chan struct{})
	var wg sync.WaitGroup
	silent := false
	if r.Silence > 0 {
		wg.Go(func() { silent = r.watch(ctx, cmd.Process, said, end) })
	}
	err := cmd.Wait()
	close(end)
	wg.Wait()
	if silent {
		return fmt.Errorf("%w: nothing arrived in %v%s: is the module proxy or the host reachable?", errSilent, r.Limit, said.waitsFor())
	}
	return err
}

// watch looks at a process until it ends. It reports whether it ended it.
func (r *run) watch(ctx context.Context, p *os.Process, said *speech, end <-chan struct{}) bool {
	every := r.Silence / looks
	tick := time.NewTicker(every)
	defer tick.Stop()
	var quiet, told time.Duration
	var last uint64
	for {
		select {
		case <-end:
			return false
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		now, ok := transferred(procDir, p.Pid)
		switch {
		case !ok || now > last+trickle || now < last: // less: a git command has ended
			quiet, told, last = 0, 0, now
			continue
		}
		if quiet += every; quiet-told >= r.Silence {
			told = quiet
			said.tell(fmt.Sprintf("gocache: still waiting: nothing arrived in %v%s\n", quiet, said.waitsFor()))
		}
		if r.Limit > 0 && quiet >= r.Limit {
			_ = p.Kill() // error ignored: it may have ended by now
			return true
		}
	}
}

// procDir is where the kernel tells of processes.
const procDir = "/proc"

// transferred is how many bytes a process and those that it started have read
// and written, from files, pipes and connections. It is not known where the
// kernel does not say.
func transferred(proc string, pid int) (sum uint64, ok bool) {
	parents := map[int][]int{}
	stats, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "stat"))
	if err != nil {
		return 0, false
	}
	for _, name := range stats {
		data, err := os.ReadFile(name)
		// The name of the program, in parentheses, may hold anything.
		fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
		if err != nil || len(fields) < 2 {
			continue // it has ended
		}
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(name))) // error ignored: the pattern wants a number
		parent, _ := strconv.Atoi(string(fields[1]))                // error ignored: the kernel writes numbers
		parents[parent] = append(parents[parent], child)
	}
	for next := []int{pid}; len(next) > 0; next = next[1:] {
		if n, known := counted(filepath.Join(proc, strconv.Itoa(next[0]), "io")); known {
			sum, ok = sum+n, true
		}
		next = append(next, parents[next[0]]...)
	}
	return sum, ok
}

// counted is the bytes that the kernel has counted for a process.
func counted(name string) (n uint64, ok bool) {
	data, err := os.ReadFile(name)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(data)) {
		field, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if field != "rchar" && field != "wchar" {
			continue
		}
		if count, err := strconv.ParseUint(value, 10, 64); err == nil {
			n, ok = n+count, true
		}
	}
	return n, ok
}

// tell says something of our own.
func (s *speech) tell(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(s.to, line) // error ignored: the step goes on without
}

// waitsFor names what was asked for last, if anything was.
func (s *speech) waitsFor() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == "" {
		return ""
	}
	return " (the last that was asked for: " + s.last + ")"
}
