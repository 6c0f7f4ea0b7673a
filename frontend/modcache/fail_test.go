package modcache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The go command says why it failed, and is not interrupted.
func TestFillFails(t *testing.T) {
	tests := map[string]struct {
		change func(p *project)
		build  func(b *Build)
		want   []string
	}{
		"go.sum": {
			change: func(p *project) { p.edit("go.sum", "example.test/a v1.0.0 h1:", "example.test/a v1.0.0 h1:AAAA") },
			want:   []string{"SECURITY ERROR", "example.test/a@v1.0.0", "checksum mismatch"},
		},
		"sum of go.mod": {
			change: func(p *project) {
				p.edit("go.sum", "example.test/a v1.0.0/go.mod h1:", "example.test/a v1.0.0/go.mod h1:AAAA")
			},
			want: []string{"SECURITY ERROR", "example.test/a@v1.0.0/go.mod"},
		},
		"go.mod": {
			change: func(p *project) { p.edit("go.mod", "replace (", "nonsense (") },
			want:   []string{"go: errors parsing go.mod:\ngo.mod:22: unknown block type: nonsense\n"},
		},
		"missing module": {
			change: func(p *project) { p.gone("example.test/!upper") },
			want:   []string{"example.test/Upper@v1.0.0: reading file://", "no such file or directory"},
		},
		"broken proxy": {
			change: func(p *project) { p.proxy = filepath.Join(p.proxy, "nowhere") },
			want:   []string{"/nowhere/", "no such file or directory"},
		},
		"flag": {
			build: func(b *Build) { b.Flags = []string{"-nonsense"} },
			want:  []string{"flag provided but not defined: -nonsense"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, "main", ".")
			if tt.change != nil {
				tt.change(p)
			}
			builds := mainBuilds()
			for i := range builds {
				if tt.build != nil {
					tt.build(&builds[i])
				}
			}
			res := p.fill(t.TempDir(), builds...)
			if !errors.Is(res.err, ErrGo) {
				t.Errorf("error %v\n%s", res.err, res.stderr)
			}
			for _, want := range tt.want {
				if !strings.Contains(res.stderr, want) {
					t.Errorf("stderr is\n%s\nwithout %s", res.stderr, want)
				}
				if first := tt.want[0]; strings.Count(res.stderr, first) > 1 {
					t.Errorf("said twice:\n%s", res.stderr)
				}
			}
		})
	}
}

// edit changes a module file.
func (p *project) edit(name, before, after string) {
	p.t.Helper()
	name = filepath.Join(p.files, name)
	data, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(data), before) {
		p.t.Fatalf("%s has no %q: %v", name, before, err)
	}
	text := strings.Replace(string(data), before, after, 1)
	// A sum keeps its length.
	if rest, ok := strings.CutPrefix(after, before); ok {
		at := strings.Index(text, after) + len(after)
		text = text[:at] + text[at+len(rest):]
	}
	write(p.t, name, text)
}

// gone removes a module from the proxy.
func (p *project) gone(path string) {
	p.t.Helper()
	if err := os.RemoveAll(filepath.Join(p.proxy, path)); err != nil {
		p.t.Fatal(err)
	}
}

// Whatever somebody did to the shared cache, the same is written.
func TestFillTampered(t *testing.T) {
	long(t)
	p := newProject(t, "main", ".")
	shared := t.TempDir()
	want := snapshot(t, p.must(p.fill(shared, mainBuilds()...)).out)
	const a = "example.test/a@v1.0.0"
	tests := map[string]struct {
		change func(t *testing.T, cache string)
		// harmless is true when what was done does not matter.
		harmless bool
	}{
		"changed file":    {change: func(t *testing.T, c string) { write(t, c+"/"+a+"/a.go", "package a\n") }},
		"changed embed":   {change: func(t *testing.T, c string) { write(t, c+"/"+a+"/static/page.html", "<i>") }},
		"truncated file":  {change: func(t *testing.T, c string) { write(t, c+"/"+a+"/LICENSE", "") }},
		"missing file":    {change: func(t *testing.T, c string) { remove(t, c+"/"+a+"/a_windows.go") }},
		"missing embed":   {change: func(t *testing.T, c string) { remove(t, c+"/"+a+"/static/page.html") }},
		"missing in dir":  {change: func(t *testing.T, c string) { remove(t, c+"/"+a+"/static/icons/b.svg") }},
		"missing package": {change: func(t *testing.T, c string) { remove(t, c+"/example.test/asm@v1.0.0/plain") }},
		"missing include": {change: func(t *testing.T, c string) { remove(t, c+"/example.test/inc@v1.0.0/shared") }},
		"empty module":    {change: func(t *testing.T, c string) { remove(t, c+"/"+a); write(t, c+"/"+a+"/x", "") }},
		"added import": {change: func(t *testing.T, c string) {
			write(t, c+"/"+a+"/b.go", "package a\n\nimport _ \"example.test/asm/other\"\n")
		}},
		"added embed": {change: func(t *testing.T, c string) {
			write(t, c+"/"+a+"/b.go", "package a\n\nimport _ \"embed\"\n\n//go:embed b.go\nvar b string\n")
		}},
		"ambiguous import": {change: func(t *testing.T, c string) { write(t, c+"/example.test/deep@v1.1.0/one/one.go", "package one\n") }},
		"symlink":          {change: func(t *testing.T, c string) { remove(t, c+"/"+a+"/a.go"); link(t, "a_windows.go", c+"/"+a+"/a.go") }},
		"go.mod": {change: func(t *testing.T, c string) {
			write(t, c+"/cache/download/example.test/a/@v/v1.0.0.mod", "module example.test/a\n")
		}},
		"ziphash": {change: func(t *testing.T, c string) {
			write(t, c+"/cache/download/example.test/a/@v/v1.0.0.ziphash", "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
		}},
		"zip": {change: func(t *testing.T, c string) {
			remove(t, c+"/"+a)
			write(t, c+"/cache/download/example.test/a/@v/v1.0.0.zip", "PK")
		}},
		"lock": {change: func(t *testing.T, c string) {
			remove(t, c+"/"+a)
			remove(t, c+"/cache/download/example.test/a/@v/v1.0.0.zip")
			remove(t, c+"/cache/download/example.test/a/@v/v1.0.0.lock")
			write(t, c+"/cache/download/example.test/a/@v/v1.0.0.lock/x", "")
		}},
		"unreached file": {harmless: true, change: func(t *testing.T, c string) { write(t, c+"/"+a+"/unused/unused.go", "package x\n") }},
		"added file":     {harmless: true, change: func(t *testing.T, c string) { write(t, c+"/"+a+"/README", "") }},
		"manifest":       {harmless: true, change: func(t *testing.T, c string) { write(t, c+"/cache/gopherfile/"+a+".sums", "0  "+a+"/a.go\n") }},
		"missing module": {harmless: true, change: func(t *testing.T, c string) { remove(t, c+"/"+a) }},
		"other file without manifest": {change: func(t *testing.T, c string) {
			remove(t, c+"/cache/gopherfile")
			write(t, c+"/"+a+"/unused/unused.go", "package x\n")
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			if err := os.CopyFS(cache, os.DirFS(shared)); err != nil {
				t.Fatal(err)
			}
			tt.change(t, cache)
			res := p.must(p.fill(cache, mainBuilds()...))
			if got := snapshot(t, res.out); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if again := strings.Contains(res.stderr, "was not used"); again == tt.harmless {
				t.Errorf("stderr is\n%s", res.stderr)
			}
			// What was wrong is not there any more.
			res = p.must(p.fill(cache, mainBuilds()...))
			if got := snapshot(t, res.out); got != want {
				t.Errorf("again: got\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(res.stderr, "was not used") {
				t.Errorf("again: stderr is\n%s", res.stderr)
			}
		})
	}
}

// With GOFIPS140 a part of the standard library is in the shared cache, which no
// go.sum confirms. It is not used.
func TestFillSnapshot(t *testing.T) {
	long(t)
	p := newProject(t, "main", ".")
	p.more = []string{"GOFIPS140=v1.0.0"}
	builds := mainBuilds()
	for i := range builds {
		builds[i].Imports = append(builds[i].Imports, "crypto/aes")
	}
	cache := t.TempDir()
	want := snapshot(t, p.must(p.fill(cache, builds...)).out)
	frozen, err := filepath.Glob(filepath.Join(cache, "golang.org/fips140@*/fips140/*/aes/aes.go"))
	if err != nil || len(frozen) != 1 || !strings.Contains(want, "/aes/aes.go") {
		t.Fatalf("%v in %q, %v", frozen, want, err)
	}
	write(t, frozen[0], "package aes\n\nconst BlockSize = 1\n")
	if got := snapshot(t, p.must(p.fill(cache, builds...)).out); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}
