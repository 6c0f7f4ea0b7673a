package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gopherfile/gopherfile/hack/buildkitd"
)

// watchTree looks at a process and all that it started. The function that it
// returns ends that, and returns the most memory that they had allocated at a
// time, in bytes: not what they mapped from files, which the kernel may take
// back. It looks rarely enough to take little time from what it watches; a
// process that lives between two looks is missed.
func watchTree(pid int) (peak func() int64) {
	end, most := make(chan struct{}), make(chan int64)
	go func() {
		var high int64
		for {
			high = max(high, allocated(pid))
			select {
			case <-end:
				most <- high
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(end)
		return <-most
	}
}

// allocated is the memory of a process and of its descendants now.
func allocated(pid int) int64 {
	var sum int64
	for next := []int{pid}; len(next) > 0; next = next[1:] {
		if status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(next[0]), "status")); err == nil { // else it ended
			sum += int64(size(status, "RssAnon:"))
		}
		next = append(next, buildkitd.Children(next[0])...)
	}
	return sum
}

// cpuOf is the processor time of a process and of all that it started and that
// has ended, in seconds.
func cpuOf(pid int) float64 {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	return ticks(string(text))
}

// ticks adds up the four times of /proc/PID/stat: the process's own and its
// children's, outside and inside of the kernel. The second field is the
// program's name in parentheses, and may hold anything.
func ticks(stat string) float64 {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const first, last = 14 - 3, 17 - 3 // the fields' numbers in proc(5), less those cut off
	if len(fields) <= last {
		return 0
	}
	var sum int
	for _, f := range fields[first : last+1] {
		n, _ := strconv.Atoi(f) // error ignored: the kernel writes numbers
		sum += n
	}
	return float64(sum) / 100
}

// busy is the processor time of the whole machine since it started, in seconds.
func busy() float64 {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	return busyTicks(string(text))
}

// busyTicks reads the first line of /proc/stat: user, nice, system, idle,
// waiting, and what interrupts and other machines took.
func busyTicks(stat string) float64 {
	line, _, _ := strings.Cut(stat, "\n")
	var sum int
	for i, f := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // the name; idle; waiting; guests, which count as user
			continue
		}
		n, _ := strconv.Atoi(f) // error ignored: the kernel writes numbers
		sum += n
	}
	return float64(sum) / 100
}
