package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// removeTree deletes a folder in which a daemon that was interrupted may have
// left something mounted.
func removeTree(dir string) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var errs []error
	for _, point := range mountsUnder(string(table), dir) {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil {
			errs = append(errs, fmt.Errorf("unmount %s: %w", point, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...) // not deleted: what is mounted is not ours
	}
	return os.RemoveAll(dir)
}

// mountsUnder returns the mount points below dir that a mount table names, the
// last mounted first.
func mountsUnder(table, dir string) []string {
	var points []string
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(unescape(fields[4]), dir+"/") {
			points = append(points, unescape(fields[4]))
		}
	}
	slices.Reverse(points)
	return points
}

// unescape undoes what the kernel does to spaces and the like in a path.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
