package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	digest "github.com/opencontainers/go-digest"
)

// A persistent cache of the daemon is known by what is in it.
const (
	buildCache  = "gopherfile.lock"
	moduleCache = "cache/gopherfile"
)

// cacheDir is the folder of a persistent cache on the daemon's disk.
func (w *world) cacheDir(what string) (string, error) {
	all, err := filepath.Glob(filepath.Join(w.disk.point, "buildkitd/runc-overlayfs/snapshots/snapshots/*/fs"))
	if err != nil {
		return "", err
	}
	for _, dir := range all {
		if _, err := os.Stat(filepath.Join(dir, what)); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("no persistent cache with %s: expected a build before this", what)
}

// files are those of a persistent cache, in order.
func (w *world) files(what string) ([]string, error) {
	dir, err := w.cacheDir(what)
	if err != nil {
		return nil, err
	}
	var all []string
	err = filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && filepath.Base(name) != buildCache {
			all = append(all, name)
		}
		return err
	})
	return all, err
}

// forgetSlow makes the daemon compile the slow package again: what it knows of
// it is removed, as trimming does.
func (w *world) forgetSlow() error {
	all, err := w.files(buildCache)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range all {
		if !strings.HasSuffix(name, "-d") {
			continue
		}
		if data, err := os.ReadFile(name); err == nil && bytes.Contains(data, []byte("example.com/app")) {
			errs = append(errs, os.Remove(name))
		}
	}
	return errors.Join(errs...)
}

// forgetModules makes the daemon download the module again.
func (w *world) forgetModules() error {
	dir, err := w.cacheDir(moduleCache)
	if err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(filepath.Join(dir, "example.com")), os.RemoveAll(filepath.Join(dir, "cache/download/example.com")), os.RemoveAll(filepath.Join(dir, moduleCache, "example.com")))
}

// damage changes files of a persistent cache: one in n, chosen by a seed. It notes
// what they are then.
func (w *world) damage(what string, n int, change func(string) error) error {
	all, err := w.files(what)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(uint64(n), 7)) //nolint:gosec // G404: the same choice each time
	w.damaged = map[string]string{}
	var errs []error
	for _, name := range all {
		if r.IntN(n) == 0 {
			errs = append(errs, change(name))
			w.damaged[name] = state(name)
		}
	}
	return errors.Join(errs...)
}

// state is what a file is: its digest, or why it has none.
func state(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return digest.FromBytes(data).String()
}

// mended checks that the build has met the damage, and removed or replaced some of
// it. A fault that nobody meets shows nothing.
func mended(_ context.Context, w *world, _ *outcome) error {
	for name, before := range w.damaged {
		if state(name) != before {
			return nil
		}
	}
	return fmt.Errorf("all %d files are still damaged: nothing has read them", len(w.damaged))
}

// flip flips one bit in the middle of a file. Its time and size stay.
func flip(name string) error {
	info, err := os.Stat(name)
	if err != nil || info.Size() == 0 {
		return err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	data[len(data)/2] ^= 1 << 4
	return rewrite(name, info, func(f *os.File) error {
		_, err := f.WriteAt(data[len(data)/2:len(data)/2+1], info.Size()/2)
		return err
	})
}

// truncate takes the second half of a file away, empty all of it.
func truncate(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return rewrite(name, info, func(f *os.File) error { return f.Truncate(info.Size() / 2) })
}

func empty(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return rewrite(name, info, func(f *os.File) error { return f.Truncate(0) })
}

// rewrite changes a file where it lies: a disk that fails asks for no rights.
func rewrite(name string, info fs.FileInfo, change func(*os.File) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(change(f), f.Close(), os.Chtimes(name, info.ModTime(), info.ModTime()))
}

// directory puts a directory in the place of a file.
func directory(name string) error { return errors.Join(os.Remove(name), os.Mkdir(name, 0o755)) }

// dated gives a file a time.
func dated(at time.Time) func(string) error {
	return func(name string) error { return os.Chtimes(name, at, at) }
}
