package frontend

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// copied is a file or a directory that an entry of image.files copies.
type copied struct {
	name string
	dir  bool
}

// layout is what the files of a target make of the image, as far as that is
// known before they are copied. BuildKit copies several files onto one another
// without a word, and tells of what it cannot copy in paths of its own.
type layout struct {
	file string // the spec
	base bool   // there is more in the image than is known here
	// made are directories (nil) and files, with what puts them there.
	made map[string]*plan.File
	// either are names that one or the other has.
	either map[string]bool
	errs   spec.ErrorList
}

// checkLayout looks for files that cannot stand where the spec puts them.
func (b *build) checkLayout(t *plan.Target) (spec.ErrorList, error) {
	l := &layout{file: b.source.Filename, base: t.Base != "", made: map[string]*plan.File{"/": nil}, either: map[string]bool{}}
	for i := range t.Files {
		f := &t.Files[i]
		from, known, err := b.copied(f)
		if err != nil {
			return nil, err
		}
		switch {
		case !known:
			l.mkdir(f)
			l.either[path.Clean(f.To)] = true
		case len(from) == 0:
			l.errorf(f, "no file in the context matches %s", f.Path[1:]).WithHelp("expected a path from the context's root")
		default:
			l.add(f, from)
		}
	}
	return l.errs, nil
}

// copied is what an entry copies. It is not known of another context, nor where
// a directory is named with wildcards.
func (b *build) copied(f *plan.File) (from []copied, known bool, err error) {
	dir, pattern := path.Split(f.Path[min(1, len(f.Path)):])
	dir = path.Clean(dir)
	switch {
	case f.URL != "":
		return []copied{{name: path.Base(f.To)}}, !strings.HasSuffix(f.To, "/"), nil
	case f.Context != "" || hasWildcard(dir):
		return nil, false, nil
	case !hasWildcard(pattern):
		info, err := b.tree.Stat(path.Join(dir, pattern))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, scan.ErrLinks) {
			return nil, false, nil // it is said elsewhere
		}
		return []copied{{pattern, err == nil && info.IsDir()}}, true, err
	}
	if info, err := b.tree.Stat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil, true, nil
	}
	entries, err := b.tree.ReadDir(dir)
	if err != nil {
		return nil, false, err
	}
	for _, e := range entries {
		if ok, _ := path.Match(pattern, e.Name()); !ok { // error ignored: nothing matches it
			continue
		}
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := b.tree.Stat(path.Join(dir, e.Name()))
			if err != nil {
				return nil, false, nil // error ignored: a link to nowhere, which the copy tells of
			}
			isDir = info.IsDir()
		}
		from = append(from, copied{e.Name(), isDir})
	}
	return from, true, nil
}

func hasWildcard(name string) bool { return strings.ContainsAny(name, `*?[\`) }

// add puts what an entry copies into the image.
func (l *layout) add(f *plan.File, from []copied) {
	to := path.Clean(f.To)
	if !l.mkdir(f) {
		return
	}
	if there, ok := l.made[to]; len(from) > 1 && !from[0].dir && (!ok || there != nil) && !l.either[to] {
		l.errorf(f, "several files match %s, and %s is the name of one", f.Path[1:], to).WithHelp("write to: %s/", to)
		return
	}
	for _, c := range from {
		there, ok := l.made[to]
		switch {
		case c.dir && ok && there != nil:
			l.conflict(f, to, there)
			return
		case c.dir:
			l.made[to] = nil
		case ok && there == nil:
			l.made[path.Join(to, c.name)] = f
		case !l.base && !l.either[to]: // otherwise it may be a directory
			l.made[to] = f
		}
	}
}

// mkdir makes the directory that an entry copies into, and those above. It
// returns false when one of them is a file.
func (l *layout) mkdir(f *plan.File) bool {
	dir := path.Clean(f.To)
	if !strings.HasSuffix(f.To, "/") {
		dir = path.Dir(dir)
	}
	for ; dir != "/"; dir = path.Dir(dir) {
		if there := l.made[dir]; there != nil {
			l.conflict(f, dir, there)
			return false
		}
		l.made[dir] = nil
	}
	return true
}

// conflict says that an entry wants a directory where another one puts a file.
func (l *layout) conflict(f *plan.File, name string, there *plan.File) {
	l.errorf(f, "line %d puts a file at %s, where this needs a directory", there.Pos.Line, name).WithHelp("choose another path for one of them")
}

// errorf adds an error about an entry.
func (l *layout) errorf(f *plan.File, format string, a ...any) *spec.Error {
	e := &spec.Error{File: l.file, Pos: f.Pos, Msg: "image.files: " + fmt.Sprintf(format, a...)}
	l.errs = append(l.errs, e)
	return e
}

// checkLayouts is checkLayout for all targets.
func (b *build) checkLayouts() (all spec.ErrorList, err error) {
	for i := range b.plan.Targets {
		t := &b.plan.Targets[i]
		if i > 0 && t.Base == b.plan.Targets[i-1].Base && slices.Equal(t.Files, b.plan.Targets[i-1].Files) {
			continue
		}
		errs, err := b.checkLayout(t)
		if err != nil {
			return nil, err
		}
		all = append(all, errs...)
	}
	return all, nil
}
