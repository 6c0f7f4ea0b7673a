package modcache

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
	"golang.org/x/tools/txtar"
)

// zipFile is a file of an archive that goes into the zip of a module.
type zipFile struct {
	name string
	data []byte
}

func (f zipFile) Path() string                 { return f.name }
func (f zipFile) Lstat() (fs.FileInfo, error)  { return zipInfo{f}, nil }
func (f zipFile) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.data)), nil }

// zipInfo describes a regular file.
type zipInfo struct{ zipFile }

func (i zipInfo) Name() string       { return filepath.Base(i.name) }
func (i zipInfo) Size() int64        { return int64(len(i.data)) }
func (i zipInfo) Mode() fs.FileMode  { return 0o644 }
func (i zipInfo) IsDir() bool        { return false }
func (i zipInfo) Sys() any           { return nil }
func (i zipInfo) ModTime() time.Time { return time.Time{} }

// newProxy writes modules as GOPROXY wants them.
func newProxy(t *testing.T) string {
	t.Helper()
	modules := map[module.Version][]zip.File{}
	for _, f := range archive(t, "modules") {
		mod, name, _ := strings.Cut(f.Name, "/go.mod")
		if mod == f.Name {
			at := strings.Index(f.Name, "@")
			slash := at + strings.Index(f.Name[at:], "/")
			mod, name = f.Name[:slash], f.Name[slash+1:]
		} else {
			name = "go.mod" + name
		}
		path, version, _ := strings.Cut(mod, "@")
		m := module.Version{Path: path, Version: version}
		modules[m] = append(modules[m], zipFile{name, f.Data})
	}
	dir := t.TempDir()
	for m, files := range modules {
		var b bytes.Buffer
		if err := zip.Create(&b, m, files); err != nil {
			t.Fatal(err)
		}
		path, version, err := escape(m)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Join(dir, path, "@v", version)
		write(t, base+".zip", b.String())
		write(t, base+".info", fmt.Sprintf(`{"Version":%q,"Time":"2020-01-01T00:00:00Z"}`, m.Version))
		write(t, base+".mod", string(files[0].(zipFile).data))
		list := filepath.Join(dir, path, "@v", "list")
		before, err := os.ReadFile(list)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		write(t, list, string(before)+m.Version+"\n")
	}
	return dir
}

func archive(t *testing.T, name string) []txtar.File {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return a.Files
}

func write(t *testing.T, name, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func fileURL(dir string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(dir)}
	return u.String()
}

// long leaves a test out with -short. What is left runs in the race detector, too.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the go command many times")
	}
}

// project is a tree and what the go command is run with.
type project struct {
	t *testing.T
	// src is the tree, and files its module files alone.
	src, files string
	// proxy serves the modules.
	proxy string
	// at is the directory in either that is built in.
	at string
	// more is put over the environment.
	more []string
	// silence and limit are those of the go command.
	silence, limit time.Duration
}

// newProject makes a tree of an archive, and its go.sum files. The modules of a
// workspace are in at and others.
func newProject(t *testing.T, name, at string, others ...string) *project {
	t.Helper()
	p := &project{t: t, src: t.TempDir(), files: t.TempDir(), proxy: newProxy(t), at: at}
	for _, f := range archive(t, name) {
		write(t, filepath.Join(p.src, f.Name), string(f.Data))
	}
	cache := t.TempDir()
	for _, dir := range append(others, at) {
		// A module of a workspace is tidy if the others are replaced.
		mod := filepath.Join(p.src, dir, "go.mod")
		before, err := os.ReadFile(mod)
		if err != nil {
			t.Fatal(err)
		}
		if len(others) > 0 {
			write(t, mod, string(before)+"\nreplace example.org/local => ../local\nreplace example.org/main => ../main\n")
		}
		p.golang(filepath.Join(p.src, dir), cache, "GOWORK=off", "go", "mod", "tidy")
		if len(others) > 0 {
			tidy, err := os.ReadFile(mod)
			if err != nil {
				t.Fatal(err)
			}
			text, _, _ := strings.Cut(string(tidy), "\nreplace example.org/local")
			write(t, mod, text)
		}
	}
	if len(others) > 0 {
		p.golang(filepath.Join(p.src, at), cache, "GOFLAGS=", "go", "list", "-deps", "./...")
	}
	p.moduleFiles()
	return p
}

// moduleFiles copies the module files of the tree.
func (p *project) moduleFiles() {
	p.t.Helper()
	err := filepath.WalkDir(p.src, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(filepath.Base(name), "go.") {
			return err
		}
		data, err := os.ReadFile(name)
		rel, _ := filepath.Rel(p.src, name)
		write(p.t, filepath.Join(p.files, rel), string(data))
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// env is the environment of the go command, with what comes first in args.
func (p *project) env(cache string) []string {
	env := append(os.Environ(), "GOENV=off", "GOFLAGS=-modcacherw", "GOTOOLCHAIN=local", "GOWORK=",
		"GOSUMDB=off", "GOMODCACHE="+cache, "GOPROXY="+fileURL(p.proxy), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	return append(env, p.more...)
}

// golang runs a command after settings of the environment.
func (p *project) golang(dir, cache string, args ...string) string {
	p.t.Helper()
	env := p.env(cache)
	for strings.Contains(args[0], "=") {
		env, args = append(env, args[0]), args[1:]
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}

// result is what Fill does.
type result struct {
	out    string
	back   []string
	stderr string
	err    error
}

// fill fills a module cache for builds, from a shared cache.
func (p *project) fill(cache string, builds ...Build) result {
	p.t.Helper()
	before := snapshot(p.t, p.files)
	var stderr lockedBuffer
	temp := p.t.TempDir()
	res := result{out: p.t.TempDir()}
	back, err := Fill(p.t.Context(), Options{
		Want: Want{Builds: builds}, Dir: filepath.Join(p.files, p.at), Out: res.out, Temp: temp, Env: p.env(cache), Stderr: &stderr, Silence: p.silence, Limit: p.limit,
	})
	res.err, res.stderr = err, stderr.String()
	if back != nil {
		res.back = back.Imports
		p.checkBack(res)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		p.t.Errorf("temporary files are left: %q, %v", left, err)
	}
	if after := snapshot(p.t, p.files); after != before {
		p.t.Errorf("the tree was changed:\n%s", after)
	}
	return res
}

// checkBack checks that the module cache says what leads back, and nothing else.
func (p *project) checkBack(res result) {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(res.out, filepath.FromSlash(backFile)))
	var noted Back
	switch {
	case len(res.back) == 0 && errors.Is(err, fs.ErrNotExist):
		return
	case err == nil:
		err = json.Unmarshal(data, &noted)
	}
	if err != nil || !slices.Equal(noted.Imports, res.back) {
		p.t.Errorf("%s: %v, %q, want %q", backFile, err, noted.Imports, res.back)
	}
}

// must is a result that did not fail.
func (p *project) must(res result) result {
	p.t.Helper()
	if res.err != nil {
		p.t.Fatalf("%v\n%s", res.err, res.stderr)
	}
	return res
}

// snapshot is everything that can be told of a directory.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		fmt.Fprintf(&b, "%s %s %d", filepath.ToSlash(rel), info.Mode(), info.ModTime().UnixNano())
		if !d.IsDir() {
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %x", sha256.Sum256(data))
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// files lists the files of a directory.
func files(t *testing.T, dir string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all[name] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// lockedBuffer is a buffer that two commands may write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string { return l.b.String() }

// packages lists what a build reaches, one line per package with its files.
func (p *project) packages(src, cache string, args ...string) string {
	p.t.Helper()
	out := p.golang(src, cache, append(args, "go", "list", "-deps", "-json=ImportPath,GoFiles,EmbedFiles,Imports,SFiles,CgoFiles", "./...")...)
	var b strings.Builder
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var v map[string]any
		if err := d.Decode(&v); err != nil {
			p.t.Fatal(err)
		}
		fmt.Fprintln(&b, v)
	}
	return b.String()
}
