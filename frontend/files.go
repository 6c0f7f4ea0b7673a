package frontend

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// maxMissing is how many missing files are told of: a list of errors has no more.
const maxMissing = 100

// checkFiles looks for the files of the context that the plan needs, and whether
// they can stand where it puts them.
func (b *build) checkFiles() error {
	var errs spec.ErrorList
	found := map[string]error{} // asked once, for all platforms
	type missing struct {
		pos  spec.Pos
		name string
	}
	told := map[missing]bool{}
	look := func(key, name string, pos spec.Pos) error {
		name = strings.TrimPrefix(name, "/")
		if name == "" || hasWildcard(name) {
			return nil
		}
		err, known := found[name]
		if !known {
			_, err = b.tree.Stat(name)
			found[name] = err
		}
		if errors.Is(err, fs.ErrNotExist) {
			if told[missing{pos, name}] || len(errs) == maxMissing {
				return nil
			}
			told[missing{pos, name}] = true
			e := &spec.Error{File: b.source.Filename, Pos: pos, Msg: fmt.Sprintf("%s: no %s in the context", key, name)}
			errs = append(errs, e.WithHelp("%s", b.missingHelp(name, nil)))
			return nil
		}
		if errors.Is(err, scan.ErrLinks) {
			e := &spec.Error{File: b.source.Filename, Pos: pos, Msg: fmt.Sprintf("%s: %s is behind %v", key, name, scan.ErrLinks)}
			errs = append(errs, e)
			return nil
		}
		return err
	}
	for i := range b.plan.Targets {
		t := &b.plan.Targets[i]
		for _, f := range t.Files {
			if f.Context != "" || f.URL != "" {
				continue
			}
			if err := look("image.files", f.Path, f.Pos); err != nil {
				return err
			}
		}
		for _, bin := range t.Binaries {
			key := "build.pgo"
			if !goflags.Has(bin.Flags, "pgo") {
				key = "build.env: -pgo in GOFLAGS"
			}
			if err := look(key, bin.Profile, bin.ProfilePos); err != nil {
				return err
			}
			if to := b.linkOf(bin.Profile); to != "" && bin.Files != nil {
				e := &spec.Error{File: b.source.Filename, Pos: bin.ProfilePos, Msg: fmt.Sprintf("%s: %s is behind a symbolic link", key, bin.Profile)}
				return e.WithHelp("write the file itself: %s", to)
			}
		}
	}
	layout, err := b.checkLayouts()
	if err != nil {
		return err
	}
	return append(errs, layout...).Err()
}

// linkOf is where the first link on the way to a file of the context leads, if the
// index does not know of it, with what is behind it: "" otherwise.
func (b *build) linkOf(name string) string {
	if len(b.index.Reach(name)) > 1 {
		return ""
	}
	for i, c := range name + "/" {
		if c != '/' {
			continue
		}
		if to, err := fs.ReadLink(b.tree, name[:i]); err == nil { // otherwise it is no link
			return path.Join(path.Dir(name[:i]), to, name[i:])
		}
	}
	return ""
}

// missingHelp names the nearest file beside one that is missing, of those that
// are fit (nil: all).
func (b *build) missingHelp(name string, fit func(fs.DirEntry) bool) string {
	if ignored, err := b.ignored(); err == nil && ignored(name) {
		return ".dockerignore excludes it"
	}
	dir := path.Dir(name)
	entries, err := b.tree.ReadDir(dir)
	if err != nil {
		return "expected a path from the context's root"
	}
	var names []string
	for _, e := range entries {
		if fit == nil || fit(e) {
			names = append(names, e.Name())
		}
	}
	if near := spec.Nearest(path.Base(name), names); near != "" {
		return "did you mean " + path.Join(dir, near) + "?"
	}
	return "expected a path from the context's root"
}
