package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxLinks is how many symbolic links a path may lead through, as for Linux.
const maxLinks = 40

// copier writes files of a system to the same places in a layer, each once.
// Links stay links: /lib may be one, and half of git is.
type copier struct {
	w    *tarWriter
	root string
	done map[string]bool
	// first has the first entry with a content. Another one with the same
	// becomes a hard link, whether or not it is one here: a system that was
	// copied may have lost its links.
	first map[string]string
}

func newCopier(w *tarWriter, root string) *copier {
	return &copier{w: w, root: root, done: make(map[string]bool), first: make(map[string]string)}
}

// add writes a file, or a folder with all that is in it, and the folders and
// links that lead to it.
func (c *copier) add(name string) error { return c.walk(name, maxLinks) }

// walk goes along the path from the root. At a link it starts anew with what
// the link stands for.
func (c *copier) walk(name string, links int) error {
	parts := strings.Split(strings.TrimPrefix(path.Clean("/"+name), "/"), "/")
	at := ""
	for i, part := range parts {
		dir := at
		at = path.Join(dir, part)
		info, err := os.Lstat(filepath.Join(c.root, at))
		if err != nil {
			return err
		}
		last := i == len(parts)-1
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			if links == 0 {
				return fmt.Errorf("%s: too many links", name)
			}
			target, err := c.symlink(at)
			if err != nil {
				return err
			}
			if !path.IsAbs(target) {
				target = path.Join("/", dir, target)
			}
			return c.walk(path.Join(target, path.Join(parts[i+1:]...)), links-1)
		case info.IsDir():
			if err := c.once(at, func() error { return c.w.dir(at, 0o755) }); err != nil {
				return err
			}
			if last {
				// A link in a folder may lead back to it.
				return c.once(at+"/", func() error { return c.entries(at) })
			}
		default:
			return c.once(at, func() error { return c.file(at, info) })
		}
	}
	return nil
}

func (c *copier) once(name string, write func() error) error {
	if c.done[name] {
		return nil
	}
	c.done[name] = true
	return write()
}

func (c *copier) symlink(name string) (string, error) {
	target, err := os.Readlink(filepath.Join(c.root, name))
	if err != nil {
		return "", err
	}
	return target, c.once(name, func() error { return c.w.symlink(name, target) })
}

func (c *copier) entries(dir string) error {
	entries, err := os.ReadDir(filepath.Join(c.root, dir)) // sorted
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := c.walk(path.Join(dir, entry.Name()), maxLinks); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) file(name string, info fs.FileInfo) error {
	from := filepath.Join(c.root, name)
	sum, err := fileSum(from)
	if err != nil {
		return err
	}
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	key := fmt.Sprintf("%o %s", mode, sum)
	if first := c.first[key]; first != "" {
		return c.w.hardlink(name, first, mode)
	}
	c.first[key] = name
	return c.w.copy(name, from, mode)
}
