package modcache

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The imports of testdata/main.txtar, for some platforms.
func mainBuilds(flags ...string) []Build {
	imports := []string{
		"example.test/a", "example.test/asm/plain", "example.test/c", "example.test/inc/inc",
		"example.test/old", "example.test/plug",
	}
	var all []Build
	for _, goos := range []string{"linux", "windows"} {
		all = append(all, Build{Env: []string{"GOOS=" + goos, "GOARCH=amd64", "CGO_ENABLED=0"}, Flags: flags, Imports: imports})
	}
	return all
}

// What is reached is written, and nothing else.
func TestFill(t *testing.T) {
	p := newProject(t, "main", ".")
	res := p.must(p.fill(t.TempDir(), mainBuilds()...))
	got := files(t, res.out)
	for _, name := range []string{
		"example.test/!upper@v1.0.0/u.go",
		"example.test/a@v1.0.0/LICENSE",
		"example.test/a@v1.0.0/a.go",
		"example.test/a@v1.0.0/a_windows.go",
		"example.test/a@v1.0.0/go.mod",
		"example.test/a@v1.0.0/static/page.html",
		"example.test/a@v1.0.0/static/icons/a.svg",
		"example.test/a@v1.0.0/static/icons/b.svg",
		"example.test/a@v1.0.0/testdata/seed",
		"example.test/asm@v1.0.0/plain/plain.go",
		"example.test/asm@v1.0.0/plain/plain.s",
		"example.test/c@v1.0.0/c.go",
		"example.test/c@v1.0.0/cgo.go",
		"example.test/c@v1.0.0/go.mod",
		"example.test/deep/one@v1.1.0/go.mod",
		"example.test/deep/one@v1.1.0/one.go",
		"example.test/inc@v1.0.0/go.mod",
		"example.test/inc@v1.0.0/inc/inc.go",
		"example.test/inc@v1.0.0/inc/inc.s",
		"example.test/inc@v1.0.0/shared/def.h",
		"example.test/new@v1.2.0/go.mod",
		"example.test/new@v1.2.0/old.go",
		"example.test/plug@v1.0.0/go.mod",
		"example.test/plug@v1.0.0/plug.go",
		"example.test/win@v1.0.0/go.mod",
		"example.test/win@v1.0.0/win.go",
		"cache/download/example.test/!upper/@v/v1.0.0.ziphash",
		"cache/download/example.test/a/@v/v1.0.0.mod",
		"cache/download/example.test/a/@v/v1.0.0.ziphash",
		"cache/download/example.test/asm/@v/v1.0.0.ziphash",
		"cache/download/example.test/deep/@v/v1.1.0.ziphash",
		"cache/download/example.test/new/@v/v1.2.0.ziphash",
	} {
		if !got[name] {
			t.Errorf("%s is missing", name)
		}
	}
	for name := range got {
		download := strings.HasPrefix(name, "cache/download/")
		if download && filepath.Ext(name) != ".mod" && filepath.Ext(name) != ".ziphash" || !download && strings.HasPrefix(name, "cache/") && name != backFile ||
			strings.HasSuffix(name, "_test.go") || strings.Contains(name, "unused") || strings.HasSuffix(name, "other.html") || strings.HasSuffix(name, "large") || strings.Contains(name, "hidden") {
			t.Errorf("%s is there", name)
		}
	}
	// A module that could provide example.test/deep/one, and does not.
	if entries, err := os.ReadDir(filepath.Join(res.out, "example.test/deep@v1.1.0")); err != nil || len(entries) > 0 {
		t.Errorf("example.test/deep: %v, %v", entries, err)
	}
	if want := []string{"example.org/local", "example.org/main/lib"}; !slices.Equal(res.back, want) {
		t.Errorf("back imports are %q, want %q", res.back, want)
	}
	if n := strings.Count(snapshot(t, res.out), " 0 ") + strings.Count(snapshot(t, res.out), " 0\n"); n != strings.Count(snapshot(t, res.out), "\n") {
		t.Error("times are not the epoch")
	}
}

// A package with cgo gets the whole module.
func TestFillCgo(t *testing.T) {
	long(t)
	p := newProject(t, "main", ".")
	b := mainBuilds()[:1]
	b[0].Env = append(b[0].Env, "CGO_ENABLED=1")
	got := files(t, p.must(p.fill(t.TempDir(), b...)).out)
	for name, want := range map[string]bool{"include/c.h": true, "deps/lib.c": true, "testdata/t": false} {
		if got["example.test/c@v1.0.0/"+name] != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
	if got["example.test/a@v1.0.0/a_test.go"] || got["example.test/a@v1.0.0/unused/unused.go"] {
		t.Error("of others, too")
	}
}

// Equal wishes give equal bytes, whatever is in the shared cache.
func TestFillIsDeterministic(t *testing.T) {
	long(t)
	p := newProject(t, "main", ".")
	cold := t.TempDir()
	want := snapshot(t, p.must(p.fill(cold, mainBuilds()...)).out)
	full := t.TempDir()
	p.golang(p.src, full, "go", "mod", "download")
	p.golang(p.src, full, "go", "mod", "download", "example.test/a@v0.9.0", "example.test/old@v1.0.0", "example.test/deep@v1.0.0")
	for what, cache := range map[string]string{"warm": cold, "full": full} {
		res := p.must(p.fill(cache, mainBuilds()...))
		if got := snapshot(t, res.out); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
		}
		if strings.Contains(res.stderr, "was not used") {
			t.Errorf("%s: %s", what, res.stderr)
		}
	}
}

// A build takes what was written as it takes a whole module cache. Another
// compile finds every package compiled.
func TestGoBuild(t *testing.T) {
	long(t)
	for _, tt := range []struct{ name, at, other string }{{"main", ".", ""}, {"work", "app", "main"}} {
		t.Run(tt.name, func(t *testing.T) {
			var p *project
			builds := mainBuilds()
			if tt.other == "" {
				p = newProject(t, tt.name, tt.at)
			} else {
				p = newProject(t, tt.name, tt.at, tt.other)
				for i := range builds {
					builds[i].Imports = []string{"example.test/a", "example.test/c", "example.test/plug"}
				}
			}
			full := t.TempDir()
			res := p.must(p.fill(full, builds...))
			if want := []string{"example.org/local", "example.org/main/lib"}; !slices.Equal(res.back, want) {
				t.Errorf("back imports are %q, want %q", res.back, want)
			}
			before := snapshot(t, res.out)
			src := filepath.Join(p.src, tt.at)
			for _, mod := range []string{"GOFLAGS=-mod=readonly", "GOFLAGS="} {
				for _, goos := range []string{"GOOS=linux", "GOOS=windows"} {
					want := p.packages(src, full, goos, mod)
					if got := p.packages(src, res.out, goos, mod, "GOPROXY=off", "GOSUMDB=sum.golang.org"); got != want || !strings.Contains(got, "example.test/a") {
						t.Errorf("%s: other packages\n%s\nwant\n%s", goos, got, want)
					}
				}
			}
			a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
			p.golang(src, full, "GOFLAGS=-mod=readonly", "go", "build", "-trimpath", "-buildvcs=false", "-o", a, ".")
			said := p.golang(src, res.out, "GOFLAGS=-mod=readonly", "GOPROXY=off", "go", "build", "-v", "-trimpath", "-buildvcs=false", "-o", b, ".")
			if strings.Contains(said, "example.test") {
				t.Errorf("compiled again:\n%s", said)
			}
			one, err := os.ReadFile(a)
			two, err2 := os.ReadFile(b)
			if err = errors.Join(err, err2); err != nil || !bytes.Equal(one, two) {
				t.Errorf("another binary, %v", err)
			}
			if after := snapshot(t, res.out); after != before {
				t.Errorf("the go command has written:\n%s\nbefore\n%s", after, before)
			}
		})
	}
}

// With -mod=mod the go command completes go.sum, which is read-only.
func TestFillModMod(t *testing.T) {
	long(t)
	p := newProject(t, "main", ".")
	want := files(t, p.must(p.fill(t.TempDir(), mainBuilds("-mod=mod")...)).out)
	sum := filepath.Join(p.files, "go.sum")
	if err := os.Remove(sum); err != nil {
		t.Fatal(err)
	}
	res := p.must(p.fill(t.TempDir(), mainBuilds("-mod=mod")...))
	got := files(t, res.out)
	for name := range want {
		if !got[name] {
			t.Errorf("without go.sum %s is missing", name)
		}
	}
	if err := os.Remove(filepath.Join(p.src, "go.sum")); err != nil {
		t.Fatal(err)
	}
	p.golang(p.src, res.out, "GOFLAGS=-mod=mod", "GOPROXY=off", "go", "list", "-deps", ".")
	// The lock is no must: the folder is read-only.
	if err := os.Remove(filepath.Join(res.out, "cache/lock")); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if after := files(t, res.out); !maps.Equal(after, got) {
		t.Errorf("the go command has written %v, before %v", after, got)
	}
	// Otherwise the compiler says that it is missing.
	if got := files(t, p.must(p.fill(t.TempDir(), mainBuilds()...)).out); len(got) > 0 {
		t.Errorf("without go.sum there is %v", got)
	}
}

// The compiler knows as much of the modules as with a whole module cache.
func TestCompilerSays(t *testing.T) {
	long(t)
	p := newProject(t, "main", ".")
	b := Build{Env: []string{"GOOS=linux"}, Imports: []string{"example.test/c"}}
	res := p.must(p.fill(t.TempDir(), b))
	write(t, filepath.Join(p.src, "cmd/typo.go"), "package main\n\nimport _ \"example.test/c\"\nimport _ \"example.org/main/typo\"\n")
	full := t.TempDir()
	p.golang(p.src, full, "go", "mod", "download")
	var said []string
	for _, cache := range []string{full, res.out} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, "./cmd")
		cmd.Dir, cmd.Env = p.src, append(p.env(cache), "GOPROXY=off")
		text, err := cmd.CombinedOutput()
		if err == nil {
			t.Error("it was built")
		}
		said = append(said, string(text))
	}
	if said[0] != said[1] || strings.Count(said[0], "no required module provides package") != 1 {
		t.Errorf("the compiler says\n%s\nwant\n%s", said[1], said[0])
	}
}

// What the compiler says in better words is no error.
func TestFillMissingPackage(t *testing.T) {
	p := newProject(t, "main", ".")
	b := Build{Env: []string{"GOOS=plan9"}, Imports: []string{"example.test/c", "example.test/a/none", "example.test/asm/plain", "example.org/main/gone", "golang.test/x"}}
	res := p.must(p.fill(t.TempDir(), b))
	if got := files(t, res.out); !got["example.test/c@v1.0.0/c.go"] {
		t.Errorf("%v", got)
	}
	if strings.Contains(res.stderr, "was not used") {
		t.Error(res.stderr)
	}
	empty := p.must(p.fill(t.TempDir(), Build{}))
	if len(empty.back) > 0 {
		t.Errorf("%q", empty.back)
	}
}

func TestChunks(t *testing.T) {
	list := strings.Fields("aaaa bb c dddddddd e f")
	if got := fmt.Sprint(chunks(list, 8)); got != "[[aaaa bb] [c] [dddddddd] [e f]]" {
		t.Errorf("got %s", got)
	}
	long(t)
	p := newProject(t, "main", ".")
	b := mainBuilds()[0]
	cache := t.TempDir()
	want := snapshot(t, p.must(p.fill(cache, b)).out)
	b.Imports = slices.Repeat(b.Imports, 2*listLimit/len(strings.Join(b.Imports, " ")))
	if got := snapshot(t, p.must(p.fill(cache, b)).out); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
