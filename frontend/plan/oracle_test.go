package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestPlansAreForGo gives every plan to the go command, which says what it
// would run. Modules that must be downloaded are left out: there are none such.
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
				run(t, file, filepath.Join(dir, b.Dir), b.Env, append(args, b.Main))
			}
			if test := target.Test; test != nil && test.Download == nil {
				n++
				args := []string{"test", "-n"}
				for _, arg := range test.Args {
					args = append(args, strings.ReplaceAll(arg, "/out/", dir+"/"))
				}
				run(t, file, filepath.Join(dir, test.Dir), test.Env, args)
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

func run(t *testing.T, file, dir string, env, args []string) {
	t.Helper()
	env = append([]string{"GOWORK=", "GOFLAGS=", "GOPROXY=off"}, env...)
	if out, err := goCommand(t, dir, env, args...); err != nil {
		lines := strings.Split(out, "\n")
		t.Errorf("%s: go %s: %v\n%s", file, strings.Join(args, " "), err, strings.Join(lines[max(0, len(lines)-8):], "\n"))
	}
}
