package plan

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// TestResolve runs every archive: a Gopherfile.yaml, a tree, optionally what
// the client asks for, and then the plan or the errors that they give.
func TestResolve(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := resolve(t, ar)
			got := txtar.File{Name: "plan", Data: []byte(dump(p))}
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

// resolve reads the sections of an archive.
func resolve(t *testing.T, ar *txtar.Archive) (*Plan, error) {
	t.Helper()
	opt := Options{BuildPlatform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, Args: map[string]string{}, Labels: map[string]string{}}
	tree := fstest.MapFS{}
	var s *spec.Spec
	for _, f := range ar.Files {
		switch f.Name {
		case "Gopherfile.yaml":
			var err error
			if s, err = spec.Parse(f.Name, f.Data); err != nil {
				t.Fatal(err)
			}
		case "options":
			options(t, string(f.Data), &opt)
		case "plan", "errors":
		default:
			tree[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
		}
	}
	ix, err := scan.Scan(tree, scan.Options{Main: s.Main})
	if err != nil {
		t.Fatal(err)
	}
	return Resolve(s, ix, opt)
}

func options(t *testing.T, text string, opt *Options) {
	t.Helper()
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case key == "platform":
			p, err := ParsePlatform(value)
			if err != nil {
				t.Fatal(err)
			}
			opt.Platforms = append(opt.Platforms, p)
		case key == "target":
			opt.Target = value
		case key == "ignored":
			opt.Ignored = true
		case key == "revision":
			opt.Revision = value
		case strings.HasPrefix(key, "arg:"):
			opt.Args[strings.TrimPrefix(key, "arg:")] = value
		case strings.HasPrefix(key, "label:"):
			opt.Labels[strings.TrimPrefix(key, "label:")] = value
		default:
			t.Fatalf("unknown option %q", key)
		}
	}
}

func golden(t *testing.T, file string, ar *txtar.Archive, got txtar.File) {
	t.Helper()
	last := len(ar.Files) - 1
	known := ar.Files[last].Name == "plan" || ar.Files[last].Name == "errors"
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

// dump writes a plan for reading.
func dump(p *Plan) string {
	if p == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "go %s\nbuilder %s %v\n", p.Release, p.Builder.Ref, p.Builder.Pos)
	if d := p.Download; d != nil {
		fmt.Fprintf(&b, "download in %s from %s env %q %v\n", d.Dir, strings.Join(d.Files, " "), d.Env, d.Pos)
	}
	fmt.Fprintf(&b, "rootfs %+v\n", p.Rootfs)
	if p.FilesOnly {
		fmt.Fprintf(&b, "files only\n")
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "warning %v %s\n", w.Pos, w.Msg)
	}
	for _, t := range p.Targets {
		fmt.Fprintf(&b, "target %s %s in %s for %s %v\n\tenv %s\n\tflags %q\n\tpath %s\n", t.Binary, t.Main, t.Dir, t.Port, t.Pos,
			strings.Join(t.Env, " "), t.Flags, t.Path)
		im := t.Image
		fmt.Fprintf(&b, "\timage user=%s workdir=%s entrypoint=%q cmd=%q expose=%v\n\timage env=%q\n", im.User, im.Workdir, im.Entrypoint, im.Cmd, im.Expose, im.Env)
		for _, k := range slices.Sorted(maps.Keys(im.Labels)) {
			fmt.Fprintf(&b, "\tlabel %s=%s\n", k, im.Labels[k])
		}
		for _, a := range im.Annotations {
			fmt.Fprintf(&b, "\tannotation %s=%s\n", a.Name, a.Value)
		}
		if im.Volumes != nil || im.Stopsignal != "" {
			fmt.Fprintf(&b, "\timage volumes=%q stopsignal=%s\n", im.Volumes, im.Stopsignal)
		}
	}
	return b.String()
}

// TestResolveTwice checks that equal arguments give equal plans.
func TestResolveTwice(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/full.txtar")
	if err != nil {
		t.Fatal(err)
	}
	first, err := resolve(t, ar)
	if err != nil {
		t.Fatal(err)
	}
	for range 25 {
		again, err := resolve(t, ar)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, again); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestSplitWords(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
		ok   bool
	}{
		{"", nil, true},
		{" -s  -w ", []string{"-s", "-w"}, true},
		{`'-X a=b c' "d'e"`, []string{"-X a=b c", "d'e"}, true},
		{`-X a='b`, []string{"-X", "a='b"}, true},
		{`'open`, nil, false},
	} {
		got, ok := splitWords(tt.text)
		if !slices.Equal(got, tt.want) || ok != tt.ok {
			t.Errorf("%q: got %q %v, want %q %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

func TestBinaryName(t *testing.T) {
	for path, want := range map[string]string{
		"example.com/hello":      "hello",
		"github.com/mike/yq/v4":  "yq",
		"example.com/a/v2/cmd/b": "b",
		"gopkg.in/yaml.v3":       "yaml.v3",
		"example.com/v1":         "v1",
		"example.com/x/cmd/v10":  "cmd",
		"hello":                  "hello",
		"v2":                     "v2",
	} {
		if got := binaryName(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
