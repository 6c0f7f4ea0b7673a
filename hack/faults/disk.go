package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// disk is a file system of limited size for the daemon's data, which can be
// filled without harm to the machine.
type disk struct{ point string }

// diskSize is the size of the disk in bytes, of which a run uses more than a third.
const diskSize = 6 << 30

// mountDisk mounts the disk of the last run, or makes a new one when there is
// none or it has become full: a file system in a file, and in memory where the
// machine has no loop devices.
func mountDisk(ctx context.Context, dir string) (*disk, error) {
	d := &disk{point: filepath.Join(dir, "disk")}
	image := filepath.Join(dir, "disk.img")
	if err := errors.Join(os.MkdirAll(d.point, 0o755), d.unmount()); err != nil {
		return nil, err
	}
	if _, err := os.Stat(image); err == nil && d.mount(ctx, image) == nil {
		released := d.release()
		if used, err := d.used(); released == nil && err == nil && used < 0.3 {
			return d, nil
		}
		if err := d.unmount(); err != nil {
			return nil, err
		}
	}
	if err := makeDisk(ctx, image); err != nil {
		return nil, err
	}
	if err := d.mount(ctx, image); err == nil {
		return d, nil
	}
	if out, err := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", diskSize/2), "tmpfs", d.point).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mount: %w: %s", err, out)
	}
	return d, nil
}

// makeDisk makes an empty file system in a file that takes no more room than
// what is in it.
func makeDisk(ctx context.Context, image string) error {
	if err := os.RemoveAll(image); err != nil {
		return err
	}
	f, err := os.Create(image)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(diskSize), f.Close()); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "mkfs.ext4", "-q", "-F", "-m", "0", image).CombinedOutput(); err != nil {
		return fmt.Errorf("mkfs.ext4: %w: %s", err, out)
	}
	return nil
}

func (d *disk) mount(ctx context.Context, image string) error {
	out, err := exec.CommandContext(ctx, "mount", "-o", "loop,discard", image, d.point).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mount: %w: %s", err, out)
	}
	return nil
}

// unmount undoes all mounts of the disk, also one that an earlier run has left.
func (d *disk) unmount() error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var points []string
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 4 && (f[4] == d.point || strings.HasPrefix(f[4], d.point+"/")) {
			points = append(points, f[4])
		}
	}
	var errs []error
	for _, p := range slices.Backward(points) {
		if err := syscall.Unmount(p, 0); err != nil {
			errs = append(errs, syscall.Unmount(p, syscall.MNT_DETACH))
		}
	}
	return errors.Join(errs...)
}

// used is the part of the disk that is in use, from 0 to 1.
func (d *disk) used() (float64, error) {
	var st syscall.Statfs_t
	err := syscall.Statfs(d.point, &st)
	return 1 - float64(st.Bavail)/float64(max(st.Blocks, 1)), err
}

func (d *disk) ballast() string { return filepath.Join(d.point, "ballast") }

// fill leaves so many bytes free.
func (d *disk) fill(leave int64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.point, &st); err != nil {
		return err
	}
	f, err := os.Create(d.ballast())
	if err != nil {
		return err
	}
	// What is free is in pieces, and some of it is for the file system itself. The
	// daemon may also take what is kept back for root.
	free, size := int64(st.Bfree)*st.Bsize-leave, int64(0)
	for step := free; step >= st.Bsize && size < free; {
		if err := syscall.Fallocate(int(f.Fd()), 0, size, min(step, free-size)); err != nil {
			step /= 2
			continue
		}
		size += min(step, free-size)
	}
	return f.Close()
}

// release undoes fill.
func (d *disk) release() error { return os.RemoveAll(d.ballast()) }
