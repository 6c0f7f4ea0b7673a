package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// down ends what up started, and nothing else.
func down(ctx context.Context, l layout, data bool) error {
	if err := l.create(); err != nil {
		return err
	}
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()

	s, err := loadState(l)
	if err != nil {
		return err
	}
	all := services(l, s)
	slices.Reverse(all)
	for _, service := range all {
		if pid, _ := service.running(l); pid != 0 {
			progress("stopping %s", service.name)
		}
		if err := service.stop(ctx, l); err != nil {
			return err
		}
	}
	if err := unmountUnder(l.data("")); err != nil {
		return err
	}
	if data {
		progress("deleting %s", l.data(""))
		return os.RemoveAll(l.data(""))
	}
	return nil
}

// unmountUnder removes what a buildkitd that was killed has left mounted.
func unmountUnder(dir string) error {
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
	return errors.Join(errs...)
}

// mountsUnder returns the mount points below dir that a mount table names, the
// last mounted first.
func mountsUnder(table, dir string) []string {
	dir = strings.TrimSuffix(dir, "/") + "/"
	var points []string
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if point := unescape(fields[4]); strings.HasPrefix(point, dir) {
			points = append(points, point)
		}
	}
	slices.Reverse(points)
	return points
}

// unescape undoes the kernel's \040 for a space, and the like.
func unescape(s string) string {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(s, `\`)
		b.WriteString(plain)
		if !found {
			return b.String()
		}
		code, err := strconv.ParseUint(rest[:min(3, len(rest))], 8, 8)
		if err != nil {
			b.WriteByte('\\')
			s = rest
			continue
		}
		b.WriteByte(byte(code))
		s = rest[3:]
	}
}
