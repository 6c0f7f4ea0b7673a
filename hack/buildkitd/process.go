package buildkitd

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Children are the processes that one started and that have not ended, as /proc
// of Linux has them.
func Children(pid int) []int {
	lists, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task/*/children"))
	if err != nil {
		return nil
	}
	var pids []int
	for _, list := range lists {
		text, _ := os.ReadFile(list) // error ignored: the thread ended
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
