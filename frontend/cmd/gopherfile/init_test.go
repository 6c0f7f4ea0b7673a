package main

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/draft"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// TestScripts runs the scripts of testdata. In them, gopherfile is the command.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			bin := filepath.Join(env.WorkDir, ".bin")
			if err := os.Mkdir(bin, 0o777); err != nil {
				return err
			}
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv(asMain, "1")
			return os.Symlink(self, filepath.Join(bin, "gopherfile"))
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// archives are the trees that package draft is tested with, by name.
func archives(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	names, err := filepath.Glob("../../draft/testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	all := map[string]*txtar.Archive{}
	for _, name := range names {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".txtar")] = ar
	}
	return all
}

// TestInitArchives runs the command in the trees that package draft is tested
// with: what is written and printed is the same on a disk.
func TestInitArchives(t *testing.T) {
	for name, ar := range archives(t) {
		t.Run(name, func(t *testing.T) {
			tree, err := txtar.FS(ar)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, tree); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for _, f := range ar.Files {
				if golden, ok := strings.CutPrefix(f.Name, "want/"); ok {
					want[golden] = string(f.Data)
				}
			}
			if err := os.RemoveAll(filepath.Join(dir, "want")); err != nil {
				t.Fatal(err)
			}
			checkInit(t, dir, want)
		})
	}
}

// checkInit runs the command in a directory, for one file there is to be.
func checkInit(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	spec := filepath.Join(dir, "Gopherfile.yaml")
	before, _ := os.ReadFile(spec) // there may be none
	t.Chdir(dir)
	stdout, stderr, code := gopherfile(t, "init", "-force")
	if want["error"] != "" {
		after, _ := os.ReadFile(spec)
		if string(before) != string(after) {
			t.Errorf("got an error and the file\n%s", after)
		}
		// Where there is no module the command names the directory.
		told := strings.Replace(stderr, " in .: ", ": ", 1)
		if told != "gopherfile: init: "+want["error"] || stdout != "" || code != 1 {
			t.Errorf("got stdout %q, stderr %q and exit code %d, want the error %q and 1", stdout, stderr, code, want["error"])
		}
		return
	}
	if stderr != "" || code != 0 {
		t.Errorf("got stderr %q and exit code %d, want none and 0", stderr, code)
	}
	if diff := cmp.Diff(want["stdout"], stdout); diff != "" {
		t.Errorf("stdout: -want +got:\n%s", diff)
	}
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want["Gopherfile.yaml"], string(text)); diff != "" {
		t.Errorf("spec: -want +got:\n%s", diff)
	}
}

// TestInitPlans looks at the drafts with the eyes of package plan: each says
// all that a build must be told, and builds what was reported.
func TestInitPlans(t *testing.T) {
	for name, ar := range archives(t) {
		has := func(file string) bool {
			return slices.ContainsFunc(ar.Files, func(f txtar.File) bool { return f.Name == file })
		}
		if has("want/error") || has(".dockerignore") || name == "no-go-line" {
			continue // no plan, or one of a smaller tree
		}
		t.Run(name, func(t *testing.T) {
			tree := fstest.MapFS{}
			for _, f := range ar.Files {
				tree[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			d, err := draft.New(tree, draft.Options{})
			if err != nil {
				t.Fatal(err)
			}
			s, err := spec.Parse("Gopherfile.yaml", d.Text)
			if err != nil {
				t.Fatal(err)
			}
			index, err := scan.Scan(tree, scan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			p, err := plan.Resolve(s, index, plan.Options{BuildPlatform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, Every: true})
			if err != nil {
				t.Fatalf("%v\n%s", err, d.Text)
			}
			var got []draft.Binary
			for i := range p.Targets {
				b := &p.Targets[i].Binaries[0]
				main := path.Join(b.Dir, b.Main)
				if main != "." {
					main = "./" + main
				}
				got = append(got, draft.Binary{Name: b.Name, Main: main})
			}
			if diff := cmp.Diff(d.Binaries, got); diff != "" {
				t.Errorf("-reported +planned:\n%s", diff)
			}
		})
	}
}
