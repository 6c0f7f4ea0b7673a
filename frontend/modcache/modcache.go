package modcache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ErrGo is returned when a go command has failed and said why.
var ErrGo = errors.New("the go command failed")

// errSuspect is wrapped when the shared cache may be to blame.
var errSuspect = errors.New("suspect module cache")

// Want is what the module cache is for.
type Want struct {
	Builds []Build `json:"builds"`
}

// Build is the packages that one build imports from elsewhere.
type Build struct {
	// Env is put over the environment, as in GOOS=linux.
	Env []string `json:"env"`
	// Flags are those of go build that decide which files are read.
	Flags []string `json:"flags"`
	// Imports are import paths.
	Imports []string `json:"imports"`
}

// Back is what reached packages import from the tree itself.
type Back struct {
	Imports []string `json:"imports"`
}

// Options say where everything is.
type Options struct {
	Want Want
	// Dir is the directory of the main module or in a workspace.
	Dir string
	// Out is an empty directory, which becomes the module cache.
	Out string
	// Temp is where temporary directories are made.
	Temp string
	// Env is the environment of the go command, and says where the shared
	// module cache is.
	Env []string
	// Stderr is where the go command says what is wrong.
	Stderr io.Writer
	// Silence is after how long without a byte from anywhere it is said that a
	// go command waits, and Limit after how long it is ended. Zero is never.
	Silence, Limit time.Duration
}

// run is one try to fill the module cache.
type run struct {
	Options
	// builds are those that were asked for, and what was found for them.
	builds []*build
	// cache is the module cache that modules are downloaded to.
	cache string
	// private is true when nobody else writes to it.
	private bool
	temp    string
	settings
	tree *tree
}

// build is one of the builds and what the go command says of it.
type build struct {
	Build
	// modfile is a copy of go.mod that the go command may change, "" when it
	// does not.
	modfile  string
	packages map[string]*pkg
}

// Fill writes the module cache. An error that wraps ErrGo needs no words.
func Fill(ctx context.Context, opt Options) (back *Back, err error) {
	temp, err := os.MkdirTemp(opt.Temp, "modcache-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	set, err := goEnv(ctx, opt)
	if err != nil {
		return nil, err
	}
	shared := &run{Options: opt, cache: set.GOMODCACHE, temp: filepath.Join(temp, "shared"), settings: set}
	back, err = shared.fill(ctx)
	if !errors.Is(err, errSuspect) {
		return back, err
	}
	if err := empty(opt.Out); err != nil {
		return nil, err
	}
	why := err
	private := &run{Options: opt, cache: filepath.Join(temp, "modules"), private: true, temp: filepath.Join(temp, "private"), settings: set}
	if back, err = private.fill(ctx); err != nil {
		return nil, err
	}
	if kept := mend(shared.cache, private.cache); kept != nil {
		why = fmt.Errorf("%w; what is wrong with it stays: %w", why, kept)
	}
	_, err = fmt.Fprintf(opt.Stderr, "gocache: the shared module cache was not used: %v\n", why)
	return back, err
}

// fill is the steps one after the other.
func (r *run) fill(ctx context.Context) (*Back, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	if err := r.listAll(ctx); err != nil {
		return nil, err
	}
	if r.incomplete() {
		if err := r.download(ctx); err != nil {
			return nil, err
		}
		if err := r.listAll(ctx); err != nil {
			return nil, err
		}
	}
	sel, err := r.selection()
	if err != nil {
		return nil, err
	}
	back := r.back()
	for _, step := range []func() error{
		func() error { return r.missed() },
		func() error { return r.copyAll(sel) },
		func() error { return r.consulted() },
		func() error { return r.trace(ctx) },
		func() error { return back.write(r.Out) },
		func() error { return settle(r.Out) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return back, nil
}

// prepare makes the list of builds. With -mod=mod the go command wants to
// change go.mod, and go.sum next to it.
func (r *run) prepare() error {
	for i, b := range r.Want.Builds {
		// Without an import it is still read which modules there are.
		if len(b.Imports) == 0 {
			b.Imports = []string{"unsafe"}
		}
		r.builds = append(r.builds, &build{Build: b})
		if !r.changes(b) {
			continue
		}
		modfile, err := r.copyModule(b, fmt.Sprint(i))
		if err != nil {
			return err
		}
		r.builds[i].modfile = modfile
	}
	return os.MkdirAll(r.temp, 0o755)
}

// back lists what external packages import of the tree.
func (r *run) back() *Back {
	found := map[string]bool{}
	for _, b := range r.builds {
		for _, p := range b.packages {
			if !p.external() {
				continue
			}
			for _, path := range p.Imports {
				if r.ours(path, b.packages[path]) {
					found[path] = true
				}
			}
		}
	}
	back := &Back{Imports: []string{}}
	for path := range found {
		back.Imports = append(back.Imports, path)
	}
	slices.Sort(back.Imports)
	return back
}

// backFile is where a module cache says what its packages import of the tree. The
// go command does not look there.
const backFile = "cache/back.json"

// write notes in a module cache what its packages import of the tree, if that is
// anything.
func (b *Back) write(out string) error {
	if len(b.Imports) == 0 {
		return nil
	}
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	name := filepath.Join(out, filepath.FromSlash(backFile))
	return errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, append(data, '\n'), 0o644))
}

// empty removes what is in a directory.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}
