package lint

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

const specName = "Gopherfile.yaml"

// request is what a client sends.
type request struct {
	spec []byte
	tree fstest.MapFS
	opt  plan.Options
}

func newRequest(text string) *request {
	return &request{
		spec: []byte(text),
		tree: fstest.MapFS{},
		opt: plan.Options{
			BuildPlatform: ocispecs.Platform{OS: "linux", Architecture: "amd64"},
			Args:          map[string]string{},
			Every:         true,
		},
	}
}

func (r *request) add(name, text string) {
	r.tree[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
}

// check runs the rules as the frontend does.
func (r *request) check(t *testing.T) ([]Warning, Config, error) {
	t.Helper()
	in, cfg, err := r.input(t)
	if err != nil {
		return nil, cfg, err
	}
	return Check(in, cfg), cfg, nil
}

// input is what the rules get to see.
func (r *request) input(t *testing.T) (Input, Config, error) {
	t.Helper()
	s, err := spec.Parse(specName, r.spec)
	if err != nil {
		return Input{}, Config{}, err
	}
	cfg, err := ParseConfig(specName, r.spec, r.opt.Args)
	if err != nil {
		return Input{}, cfg, err
	}
	ix, err := scan.Scan(r.tree, scan.Options{Mains: plan.Mains(s), NoWork: plan.NoWork(s)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Resolve(s, ix, r.opt)
	if err != nil {
		return Input{}, cfg, err
	}
	return Input{Spec: s, Source: r.spec, Index: ix, Plan: p, FilesOnly: r.opt.Target == plan.TargetBinaries}, cfg, nil
}

// TestCheck runs every archive: a Gopherfile.yaml, a tree, optionally what the
// client asks for, and then the warnings, or the errors, that they give.
func TestCheck(t *testing.T) {
	for file, ar := range archives(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			r := newRequest("")
			for _, f := range ar.Files {
				switch f.Name {
				case specName:
					r.spec = f.Data
				case "options":
					options(t, string(f.Data), r)
				case "warnings", "errors":
				default:
					r.add(f.Name, string(f.Data))
				}
			}
			ws, cfg, err := r.check(t)
			got := txtar.File{Name: "warnings", Data: []byte(dump(r.spec, ws))}
			if err == nil {
				err = cfg.Err(specName, ws)
			}
			if err != nil {
				var list spec.ErrorList
				if !errors.As(err, &list) {
					t.Fatalf("got %T %v, want an ErrorList", err, err)
				}
				got = txtar.File{Name: "errors", Data: []byte(list.Error() + "\n")}
			}
			golden(t, file, ar, got)
		})
	}
}

// archives returns all archives by their file names.
func archives(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	all := map[string]*txtar.Archive{}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[file] = ar
	}
	return all
}

func options(t *testing.T, text string, r *request) {
	t.Helper()
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case key == "platform":
			p, err := plan.ParsePlatform(value)
			if err != nil {
				t.Fatal(err)
			}
			r.opt.Platforms = append(r.opt.Platforms, p)
		case key == "target":
			r.opt.Target = value
		case key == "revision":
			r.opt.Revision = value
		case strings.HasPrefix(key, "arg:"):
			r.opt.Args[strings.TrimPrefix(key, "arg:")] = value
		default:
			t.Fatalf("unknown option %q", key)
		}
	}
}

// dump writes warnings with the text that they are about.
func dump(source []byte, ws []Warning) string {
	var b strings.Builder
	for _, w := range ws {
		fmt.Fprintf(&b, "%d:%d-%d:%d %s %q\n\t%s\n", w.Start.Line, w.Start.Column, w.End.Line, w.End.Column, w.Rule, between(source, w.Start, w.End), w.Msg)
	}
	return b.String()
}

// between returns the text of a range, in a way of its own.
func between(source []byte, start, end spec.Pos) string {
	lines := strings.SplitAfter(strings.TrimPrefix(string(source), "\ufeff"), "\n")
	if start.Line == end.Line {
		return lines[start.Line-1][start.Column-1 : end.Column-1]
	}
	text := lines[start.Line-1][start.Column-1:] + strings.Join(lines[start.Line:end.Line-1], "")
	return text + lines[end.Line-1][:end.Column-1]
}

func golden(t *testing.T, file string, ar *txtar.Archive, got txtar.File) {
	t.Helper()
	last := len(ar.Files) - 1
	known := ar.Files[last].Name == "warnings" || ar.Files[last].Name == "errors"
	if *update {
		if known {
			ar.Files = ar.Files[:last]
		}
		ar.Files = append(ar.Files, got)
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !known || ar.Files[last].Name != got.Name {
		t.Fatalf("want the last section to be %q; got:\n%s", got.Name, got.Data)
	}
	if diff := cmp.Diff(string(ar.Files[last].Data), string(got.Data)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzCheck checks that whatever the spec, warnings lie inside it, and that no
// source but that of the spec is needed to survive.
func FuzzCheck(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(ar.Files[0].Data), uint(9))
	}
	f.Fuzz(func(t *testing.T, text string, cut uint) {
		r := example(t, Example{})
		r.spec = []byte(text)
		r.add("cmd/server/main.go", "package main\n")
		in, cfg, err := r.input(t)
		if err != nil {
			return
		}
		ws := Check(in, cfg)
		for _, w := range ws {
			if n := len(between(r.spec, w.Start, w.End)); n > len(text) {
				t.Errorf("%v: got %d bytes, want those of the spec", w, n)
			}
		}
		in.Source = r.spec[:min(cut, uint(len(r.spec)))]
		Check(in, cfg)
	})
}

// TestArchives checks that every rule has an archive in which it is told, and
// one of its name in which it is not.
func TestArchives(t *testing.T) {
	for _, r := range Rules() {
		told, silent := false, false
		for file, ar := range archives(t) {
			ours := strings.HasPrefix(filepath.Base(file), strings.TrimSuffix(PageName(r.Name), ".md"))
			result := string(ar.Files[len(ar.Files)-1].Data)
			has := strings.Contains(result, " "+r.Name+" ")
			told = told || has
			silent = silent || ours && !has
		}
		if byBuild := r.Name == "CertsMissing" || r.Name == "TzdataMissing"; !byBuild && (!told || !silent) {
			t.Errorf("%s: got an archive with a warning %v and one without %v, want both", r.Name, told, silent)
		}
	}
}

// TestPages runs the examples of the pages: the bad one gives the rule and
// nothing else, the good one gives nothing.
func TestPages(t *testing.T) {
	for _, r := range Rules() {
		bad := []string{r.Name}
		if r.Name == "CertsMissing" || r.Name == "TzdataMissing" {
			bad = nil // the image tells
		}
		for name, tt := range map[string]struct {
			example Example
			want    []string
		}{"bad": {r.Bad, bad}, "good": {r.Good, nil}} {
			t.Run(r.Name+"/"+name, func(t *testing.T) {
				ws, _, err := example(t, tt.example).check(t)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, w := range ws {
					got = append(got, w.Rule)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

// example is the request of an example.
func example(t *testing.T, e Example) *request {
	t.Helper()
	r := newRequest(e.Text())
	r.add("go.mod", "module example.com/app\n\ngo 1.26.0\n")
	r.add("main.go", "package main\n\nfunc main() {}\n")
	for _, f := range txtar.Parse([]byte(e.Tree)).Files {
		r.add(f.Name, string(f.Data))
	}
	words := strings.Fields(e.Options)
	for i := 0; i+1 < len(words); i += 2 {
		switch words[i] {
		case "--build-arg":
			name, value, _ := strings.Cut(words[i+1], "=")
			r.opt.Args[name] = value
		case "--target":
			r.opt.Target = words[i+1]
		default:
			t.Fatalf("unknown option %s", words[i])
		}
	}
	return r
}

// TestRules checks that the table is sorted and complete.
func TestRules(t *testing.T) {
	rules := Rules()
	if !slices.IsSortedFunc(rules, func(a, b Rule) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the rules are not sorted by name")
	}
	for _, r := range rules {
		if r.Summary == "" || r.Why == "" || r.Bad.Spec == "" || r.Good.Spec == "" {
			t.Errorf("%s lacks a part of its page", r.Name)
		}
		if strings.ContainsAny(r.Summary, "\n|") || strings.HasSuffix(r.Summary, ".") {
			t.Errorf("%s: got summary %q, want a line without a full stop", r.Name, r.Summary)
		}
	}
	for rule, want := range map[string]string{
		"RootUser":         pages + "root-user.md",
		"TagsHaveNoEffect": pages + "tags-have-no-effect.md",
	} {
		if got := URL(rule); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
