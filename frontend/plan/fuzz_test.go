package plan

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// fuzzTree is a module with two programs and a library, and another module
// beside it.
func fuzzTree() fstest.MapFS {
	tree := fstest.MapFS{}
	for name, text := range map[string]string{
		"go.mod":              "module example.com/hello\n\ngo 1.26.0\n\nrequire example.com/dep v1.0.0\n",
		"main.go":             "package main\n",
		"cmd/server/main.go":  "package main\n",
		"cmd/migrate/main.go": "package main\n",
		"cmd/w/w_windows.go":  "package main\n",
		"lib/lib.go":          "package lib\n",
		"svc/go.mod":          "module example.com/svc\n\ngo 1.25.0\n\nreplace example.com/x => ../../x\n",
		"svc/main.go":         "package main\n",
	} {
		tree[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return tree
}

// FuzzResolve checks that no spec panics, that every error has a place in a
// file, and that a plan without errors is complete.
func FuzzResolve(f *testing.F) {
	for _, glob := range []string{"testdata/*.txtar", "../spec/testdata/ok/*.txtar", "../../examples/*/Gopherfile.yaml"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			f.Fatalf("no files: %v", err)
		}
		for i, file := range files {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				f.Fatal(err)
			}
			data := ar.Comment
			if len(ar.Files) > 0 {
				data = ar.Files[0].Data
			}
			f.Add(data, uint8(i))
		}
	}
	for _, b := range bombs() {
		if len(b.source) < 4<<10 { // the others are slow to change
			f.Add([]byte(b.source), uint8(4))
		}
	}
	tree := fuzzTree()
	f.Fuzz(func(t *testing.T, data []byte, mode uint8) {
		s, err := spec.Parse("f", data)
		if err != nil {
			return // FuzzParse is about these
		}
		opt := Options{BuildPlatform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}}
		opt.Target = []string{"", "server", TargetBinaries, TargetTest}[mode%4]
		opt.Every = mode&4 != 0
		if mode&8 != 0 {
			opt.Platforms = []ocispecs.Platform{{OS: "windows", Architecture: "arm64"}, {OS: "linux", Architecture: "arm", Variant: "v6"}}
		}
		if mode&16 != 0 {
			opt.Revision, opt.Source = "0123abc", "https://example.com/hello"
		}
		ix, err := scan.Scan(tree, scan.Options{Mains: Mains(s), NoWork: NoWork(s)})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := Prepare(s, ix, opt); err != nil {
			checkErrors(t, tree, string(data), err)
		} else if len(p.Targets) > 0 || p.Builder.Ref == "" || len(p.Generate) != len(s.Generate) {
			t.Errorf("not prepared: %+v", p)
		}
		p, err := Resolve(s, ix, opt)
		if err != nil {
			checkErrors(t, tree, string(data), err)
			return
		}
		checkPlan(t, p)
	})
}

// checkErrors checks what holds for every list of errors.
func checkErrors(t *testing.T, tree fstest.MapFS, source string, err error) {
	t.Helper()
	var list spec.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		t.Fatalf("got %T, want an ErrorList", err)
	}
	for _, e := range list {
		text := strings.TrimPrefix(source, "\ufeff")
		if file := tree[e.File]; file != nil {
			text = string(file.Data)
		} else if e.File != "f" {
			t.Errorf("%v: in no file", e)
		}
		lines := strings.Split(text, "\n")
		if e.Pos.Line < 1 || e.Pos.Line > len(lines) || e.Pos.Column < 1 || e.Pos.Column > len(lines[e.Pos.Line-1])+1 {
			t.Errorf("%v: place outside of the file", e)
		}
		if e.Msg == "" || strings.ContainsAny(e.Error(), "\n\r\t\x1b\x00") {
			t.Errorf("%q: want one line", e.Error())
		}
		for _, word := range []string{"spec.", "plan.", "reflect", "*string", "[]string", "goroutine", "yaml:", "runtime error", "%!", ":0:", "strconv"} {
			if strings.Contains(e.Error(), word) && !strings.Contains(source, word) {
				t.Errorf("%v: no user knows what %q is", e, word)
			}
		}
	}
}

// checkPlan checks that nothing in a plan is left open.
func checkPlan(t *testing.T, p *Plan) {
	t.Helper()
	if p.Builder.Ref == "" || len(p.Targets) == 0 {
		t.Fatalf("incomplete: %+v", p)
	}
	for i := range p.Targets {
		target := &p.Targets[i]
		if target.Name == "" || target.Port == (Port{}) || target.Platform.OS == "" || (target.Test == nil) != (target.Name != TargetTest) {
			t.Errorf("target is incomplete: %+v", target)
		}
		if target.Test == nil && len(target.Binaries) == 0 {
			t.Errorf("target without a binary: %+v", target)
		}
		for _, b := range target.Binaries {
			if b.Name == "" || b.File == "" || b.Main == "" || b.Dir == "" || !strings.HasPrefix(b.Path, "/") || !b.Pos.IsValid() {
				t.Errorf("binary is incomplete: %+v", b)
			}
			for _, flag := range b.Flags {
				if !strings.HasPrefix(flag, "-") {
					t.Errorf("%q is not a flag: %q", flag, b.Flags)
				}
			}
			for _, env := range b.Env {
				if name, _, ok := strings.Cut(env, "="); !ok || !isName(name) {
					t.Errorf("%q is no variable", env)
				}
			}
		}
		for _, file := range target.Files {
			if !strings.HasPrefix(file.To, "/") || (file.URL == "") == (file.Path == "") {
				t.Errorf("file is incomplete: %+v", file)
			}
		}
	}
}
