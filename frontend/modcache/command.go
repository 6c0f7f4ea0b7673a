package modcache

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/gopherfile/gopherfile/frontend/goflags"
)

// settings are what go env says.
type settings struct {
	GOMOD, GOWORK, GOMODCACHE, GOFLAGS string
}

// goEnv asks for the settings. All builds are of the same modules.
func goEnv(ctx context.Context, opt Options) (set settings, err error) {
	r := &run{Options: opt}
	var b Build
	if len(opt.Want.Builds) > 0 {
		b = opt.Want.Builds[0]
	}
	out, err := r.goCommand(ctx, b.Env, "env", "-json", "GOMOD", "GOWORK", "GOMODCACHE", "GOFLAGS")
	if err != nil {
		return set, r.say(err)
	}
	err = json.Unmarshal(out, &set)
	if set.GOWORK == "off" {
		set.GOWORK = ""
	}
	return set, err
}

// goCommand runs the go command and returns what it prints. What it says goes
// to stderr when it fails.
func (r *run) goCommand(ctx context.Context, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(slices.Clone(r.Env), env...)
	// An index of a module in GOCACHE would say what is in it after the module
	// has changed. To make one takes longer than to read what is reached.
	cmd.Env = append(cmd.Env, "GODEBUG="+join(goflags.Getenv(cmd.Env, "GODEBUG"), "goindex=0"))
	if r.cache != "" {
		cmd.Env = append(cmd.Env, "GOMODCACHE="+r.cache)
	}
	said := &speech{to: r.Stderr}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, said
	err := r.runWatched(ctx, cmd, said)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out.Bytes(), nil
	case errors.Is(err, errSilent):
		return nil, err
	case !errors.As(err, &exit) || ctx.Err() != nil:
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	case !r.private && r.cache != "" && corrupt.MatchString(said.text()):
		// A wrong go.sum says the same: that is found out the hard way.
		return nil, fmt.Errorf("%w: go %s finds something wrong", errSuspect, args[0])
	}
	return nil, &goError{text: said.text()}
}

// corrupt matches what the go command says of files in the module cache that
// are not what they were.
var corrupt = regexp.MustCompile(`checksum mismatch|SECURITY ERROR|ziphash|zip: |unzip|unexpected end|input/output error|(is a|not a) directory`)

// goError is what a failed go command said. Several that fail alike say the
// same, which is why it is not printed at once.
type goError struct {
	text string
}

func (e *goError) Error() string { return ErrGo.Error() }
func (e *goError) Unwrap() error { return ErrGo }

// speech passes on which modules are downloaded, and keeps the rest.
type speech struct {
	to   io.Writer
	line []byte
	rest bytes.Buffer

	mu sync.Mutex
	// last is the module that was downloaded last.
	last string
}

// text is what was kept, once the go command has ended.
func (s *speech) text() string {
	return s.rest.String() + string(s.line)
}

// Write takes what the go command says.
func (s *speech) Write(p []byte) (int, error) {
	for part := range bytes.Lines(p) {
		s.line = append(s.line, part...)
		if !bytes.HasSuffix(s.line, []byte("\n")) {
			break // the rest of the line comes later
		}
		if err := s.sort(s.line); err != nil {
			return 0, err
		}
		s.line = s.line[:0]
	}
	return len(p), nil
}

// sort passes on a line or keeps it.
func (s *speech) sort(line []byte) error {
	what, ok := bytes.CutPrefix(line, []byte("go: downloading "))
	if !ok {
		s.rest.Write(line)
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = string(bytes.TrimSpace(what))
	_, err := s.to.Write(line)
	return err
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "," + b
}

// flag returns the value of a flag of the go command, where the last one counts.
func (r *run) flag(b Build, name string) string {
	words, _ := goflags.Split(r.GOFLAGS) // the go command refuses a quote that is never closed
	v, _ := goflags.Value(append(words, b.Flags...), name)
	return v
}

// changes reports whether a build lets the go command change go.mod and go.sum,
// which are read-only here.
func (r *run) changes(b Build) bool {
	return r.GOWORK == "" && r.flag(b, "mod") == "mod"
}

// modfile is the go.mod file of a build.
func (r *run) modfile(b Build) string {
	name := r.flag(b, "modfile")
	switch {
	case name == "":
		return r.GOMOD
	case filepath.IsAbs(name):
		return name
	}
	return filepath.Join(r.Dir, name)
}

// copyModule copies go.mod and go.sum to where they may be changed.
func (r *run) copyModule(b Build, id string) (string, error) {
	from, dir := r.modfile(b), filepath.Join(r.temp, id)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	to := filepath.Join(dir, "go.mod")
	for from, to := range map[string]string{from: to, sumFile(from): sumFile(to)} {
		data, err := os.ReadFile(from)
		if errors.Is(err, os.ErrNotExist) {
			continue // the go command says what it thinks of that
		}
		if err == nil {
			err = os.WriteFile(to, data, 0o644)
		}
		if err != nil {
			return "", err
		}
	}
	return to, nil
}

// sumFile is the go.sum of a go.mod.
func sumFile(modfile string) string {
	return strings.TrimSuffix(modfile, ".mod") + ".sum"
}

// download downloads all modules, and in vain says why.
func (r *run) download(ctx context.Context) error {
	var b Build
	if len(r.builds) > 0 {
		b = r.builds[0].Build
	}
	args := []string{"mod", "download", "-modcacherw"}
	if r.GOWORK == "" {
		modfile, err := r.copyModule(b, "download")
		if err != nil {
			return err
		}
		args = append(args, "-modfile="+modfile)
	}
	_, err := r.goCommand(ctx, b.Env, args...)
	return r.say(err)
}

// say prints what a go command said that ends the run.
func (r *run) say(err error) error {
	var e *goError
	if errors.As(err, &e) {
		if _, err := fmt.Fprint(r.Stderr, e.text); err != nil {
			return err
		}
	}
	return err
}

// parallel calls a function for each item, n at a time, and returns the first
// error.
func parallel[T any](n int, items []T, f func(T) error) error {
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	next := make(chan T)
	failed := make(chan struct{})
	for range min(n, len(items)) {
		wg.Go(func() {
			for item := range next {
				if err := f(item); err != nil {
					once.Do(func() { first = err; close(failed) })
					return
				}
			}
		})
	}
feed:
	for _, item := range items {
		select {
		case next <- item:
		case <-failed:
			break feed
		}
	}
	close(next)
	wg.Wait()
	return first
}
