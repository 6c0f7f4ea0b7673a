package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestPlansAreForGo gives every plan to the go command, which says what it
// would run, and the same where there is nothing but what a binary reads. Modules
// that must be downloaded are left out: there are none such.
func TestPlansAreForGo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command once for each binary")
	}
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := resolve(t, ar)
		if err != nil || !isPresent(p.Release) {
			continue
		}
		dir := t.TempDir()
		for _, f := range ar.Files {
			write(t, dir, f.Name, f.Data)
		}
		seen := map[string]bool{} // one platform is enough
		for i := range p.Targets {
			target := &p.Targets[i]
			for _, b := range target.Binaries {
				if b.Fetch() != nil || seen[b.Name] {
					continue
				}
				seen[b.Name] = true
				n++
				if b.Profile != "" {
					write(t, dir, b.Profile, nil)
				}
				args := append([]string{"build", "-n", "-o", "/dev/null"}, b.Flags...)
				args = append(args, "-trimpath", b.Main) // so that the place of the tree is in no build ID
				want := run(t, file, dir, b.Dir, b.Env, args)
				if b.Files == nil {
					continue
				}
				if diff := cmp.Diff(want, run(t, file, narrow(t, dir, b.Files), b.Dir, b.Env, args)); diff != "" {
					t.Errorf("%s: -whole tree +what %s reads:\n%s", file, b.Name, diff)
				}
			}
			if test := target.Test; test != nil && test.Download == nil {
				n++
				args := []string{"test", "-n"}
				for _, arg := range test.Args {
					args = append(args, strings.ReplaceAll(arg, "/out/", dir+"/"))
				}
				run(t, file, dir, test.Dir, test.Env, args)
			}
		}
	}
	if n < 60 {
		t.Errorf("got %d binaries and tests, want more", n)
	}
}

// isPresent reports whether the go command that compiled the test can stand in
// for a release.
func isPresent(release string) bool { return release == "" || strings.HasPrefix(release, "1.26") }

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// narrow copies files of a tree.
func narrow(t *testing.T, from string, files []string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(from, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, data)
	}
	return dir
}

// run returns what the go command says in a directory of a tree, wherever that
// tree is.
func run(t *testing.T, file, tree, dir string, env, args []string) string {
	t.Helper()
	env = append([]string{"GOWORK=", "GOFLAGS=", "GOPROXY=off"}, env...)
	out, err := goCommand(t, filepath.Join(tree, dir), env, args...)
	if err != nil {
		lines := strings.Split(out, "\n")
		t.Errorf("%s: go %s: %v\n%s", file, strings.Join(args, " "), err, strings.Join(lines[max(0, len(lines)-8):], "\n"))
	}
	return strings.ReplaceAll(out, tree, "TREE")
}
