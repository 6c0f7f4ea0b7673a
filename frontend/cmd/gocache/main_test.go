package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopherfile/gopherfile/frontend/gocache"
)

// mainVar makes the test binary the program with all its arguments.
const mainVar = "GOCACHE_TEST_MAIN"

// TestMain lets the test binary be the program, and a tool that counts what is
// compiled.
func TestMain(m *testing.M) {
	if os.Getenv(mainVar) != "" {
		main()
		return
	}
	args := os.Args[1:]
	if len(args) == 0 {
		os.Exit(m.Run())
	}
	var err error
	switch args[0] {
	case "cache":
		err = run(args[1:])
	case "count":
		err = count(args[1], args[2:])
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// count runs a tool of the go command and notes which package it compiles.
func count(log string, tool []string) error {
	if strings.HasPrefix(filepath.Base(tool[0]), "compile") && !slices.Contains(tool, "-V=full") {
		f, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := fmt.Fprintln(f, tool[slices.Index(tool, "-p")+1]); err != nil {
			return err
		}
	}
	cmd := exec.Command(tool[0], tool[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}

// project is a small program and what its builds are run with.
type project struct {
	t   *testing.T
	dir string
	exe string
}

// packages is how many the program has apart from its main package and std.
const packages = 12

func newProject(t *testing.T) *project {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles the standard library")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, dir: t.TempDir(), exe: exe}
	p.write("go.mod", "module example.com/p\n\ngo 1.24\n")
	main := "package main\n\nimport (\n"
	for i := range packages {
		main += fmt.Sprintf("\t\"example.com/p/p%d\"\n", i)
		text := fmt.Sprintf("package p%d\n\n", i)
		sum := "1"
		if i > 2 {
			text += fmt.Sprintf("import (\n\t\"example.com/p/p%d\"\n\t\"example.com/p/p%d\"\n)\n\n", i-2, i-3)
			sum = fmt.Sprintf("p%d.F() + p%d.F()", i-2, i-3)
		}
		p.write(fmt.Sprintf("p%d/p.go", i), text+"func F() int { return "+sum+" }\n")
	}
	main += ")\n\nfunc main() {\n"
	for i := range packages {
		main += fmt.Sprintf("\tprintln(p%d.F())\n", i)
	}
	p.write("main.go", main+"}\n")
	return p
}

func (p *project) write(name, text string) {
	p.t.Helper()
	name = filepath.Join(p.dir, name)
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name, []byte(text), 0o644)
	}
	// The go command indexes no package that has changed a moment ago, so that
	// two builds would not ask for the same.
	old := time.Now().Add(-time.Hour)
	for err == nil && name != filepath.Dir(p.dir) {
		err = os.Chtimes(name, old, old)
		name = filepath.Dir(name)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// outcome is what a build gives.
type outcome struct {
	binary   []byte
	compiled []string
	stats    gocache.Stats
}

// build builds the program with some flags for the cache program, or without
// it when there are none.
func (p *project) build(flags ...string) outcome {
	t := p.t
	t.Helper()
	temp := t.TempDir()
	path := func(name string) string { return filepath.Join(temp, name) }
	cmd := exec.Command("go", "build", "-toolexec", fmt.Sprintf("'%s' count '%s'", p.exe, path("log")), "-o", path("binary"), ".")
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOENV=off", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
	if len(flags) > 0 {
		quoted := fmt.Sprintf("'%s' cache -stats '%s' '%s'", p.exe, path("stats"), strings.Join(flags, "' '"))
		cmd.Env = append(cmd.Env, "GOCACHEPROG="+quoted, "GOCACHE="+path("cache"))
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go build with %q: %v\n%s", flags, err, text)
		return outcome{}
	}
	var o outcome
	var err error
	if o.binary, err = os.ReadFile(path("binary")); err != nil {
		t.Error(err)
	}
	if log, err := os.ReadFile(path("log")); err == nil {
		o.compiled = strings.Fields(string(log))
	}
	if len(flags) == 0 {
		return o
	}
	data, err := os.ReadFile(path("stats"))
	if err == nil {
		err = json.Unmarshal(data, &o.stats)
	}
	if err != nil {
		t.Error(err)
	}
	if files, _ := filepath.Glob(path("cache/*/*")); len(files) > 0 {
		t.Errorf("the go command has written %q", files)
	}
	return o
}

// The same program comes out whatever the objects come from, and nothing is
// compiled that lies somewhere.
func TestGoCommand(t *testing.T) {
	p := newProject(t)
	want := p.build().binary
	store, out, again := t.TempDir(), t.TempDir(), t.TempDir()
	check := func(what string, o outcome, compiled int) outcome {
		t.Helper()
		if !bytes.Equal(o.binary, want) {
			t.Errorf("%s: another binary", what)
		}
		if compiled >= 0 && len(o.compiled) != compiled {
			t.Errorf("%s: %d packages compiled, want %d: %q", what, len(o.compiled), compiled, o.compiled)
		}
		if o.stats.Corrupt != 0 || o.stats.Unkept != 0 || o.stats.Waits.Count != 0 {
			t.Errorf("%s: %+v", what, o.stats)
		}
		return o
	}
	cold := check("cold", p.build("-store", store, "-out", out), -1)
	all := len(cold.compiled)
	if all < packages+2 {
		t.Fatalf("%d packages compiled", all)
	}
	warm := check("warm", p.build("-store", store, "-out", again), 0)
	if warm.stats.Hits.Store < all {
		t.Errorf("warm: %+v", warm.stats)
	}
	layer := check("layer", p.build("-layer", out), 0)
	if layer.stats.Hits.Layer < all || layer.stats.Puts > 1 {
		t.Errorf("layer: %+v", layer.stats)
	}
	if diff, err := exec.Command("diff", "-r", out, again).CombinedOutput(); err != nil {
		t.Errorf("the layers differ: %v\n%s", err, diff)
	}
	// An edit compiles what depends on it, whatever the rest comes from.
	p.write("p9/p.go", "package p9\n\nfunc F() int { return 9 }\n")
	edited := p.build("-layer", out, "-store", t.TempDir())
	if got := strings.Join(slices.Sorted(slices.Values(edited.compiled)), " "); got != "example.com/p/p11 example.com/p/p9 main" {
		t.Errorf("after an edit %s were compiled", got)
	}
	if plain := p.build(); !bytes.Equal(plain.binary, edited.binary) {
		t.Error("after an edit: another binary")
	}
}

// Several builds at once share the work.
func TestGoCommandAtOnce(t *testing.T) {
	p := newProject(t)
	store := t.TempDir()
	outcomes := make([]outcome, 3)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range outcomes {
		wg.Go(func() { outcomes[i] = p.build("-store", store) })
	}
	wg.Wait()
	var all []string
	waits := 0
	for _, o := range outcomes {
		all = append(all, o.compiled...)
		waits += o.stats.Waits.Count
		if !bytes.Equal(o.binary, outcomes[0].binary) {
			t.Error("another binary")
		}
	}
	slices.Sort(all)
	different := len(slices.Compact(slices.Clone(all)))
	t.Logf("%d packages, %d compiles, %d waits, %s", different, len(all), waits, time.Since(start))
	if len(all)*100 > different*105 {
		t.Errorf("%d packages were compiled %d times: %q", different, len(all), all)
	}
}

// sums are the lines of go.sum that begin with a text.
func sums(t *testing.T, prefix string) string {
	t.Helper()
	data, err := os.ReadFile("../../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	var found string
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, prefix) {
			found += line
		}
	}
	return found
}

// The program stays the same to the bit when the project around it changes:
// that is what keeps the keys of build steps.
func TestProgramIsStable(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the program")
	}
	deps, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const root = "github.com/gopherfile/gopherfile/frontend"
	for _, path := range strings.Fields(string(deps)) {
		if !strings.HasPrefix(path, "golang.org/x/mod/") && path != root+"/gocache" && path != root+"/goflags" && path != root+"/modcache" && path != root+"/cmd/gocache" {
			t.Errorf("the program imports %s", path)
		}
	}
	elsewhere := t.TempDir()
	for _, dir := range []string{"frontend/gocache", "frontend/goflags", "frontend/modcache", "frontend/cmd/gocache"} {
		if err := os.CopyFS(filepath.Join(elsewhere, dir), os.DirFS(filepath.Join("../../..", dir))); err != nil {
			t.Fatal(err)
		}
	}
	// A project with another version and other requirements, but for x/mod.
	out, err := exec.Command("go", "list", "-m", "-f", "{{.GoVersion}} {{.Version}}", "golang.org/x/mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, mod, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	line, err := exec.Command("go", "list", "-m", "-f", "{{.GoVersion}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod": "module github.com/gopherfile/gopherfile\n\ngo " + string(line) + "\nrequire golang.org/x/mod " + mod + "\n",
		"go.sum": sums(t, "golang.org/x/mod "+mod),
	} {
		if err := os.WriteFile(filepath.Join(elsewhere, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	here := buildProgram(t, "../../..")
	there := buildProgram(t, elsewhere)
	if !bytes.Equal(here, there) {
		t.Error("another place gives another binary")
	}
	info, err := buildinfo.Read(bytes.NewReader(here))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range info.Settings {
		if strings.HasPrefix(s.Key, "vcs") {
			t.Errorf("the binary knows %s", s.Key)
		}
	}
	if len(info.Deps) > 1 || info.Main.Version != "(devel)" {
		t.Errorf("%+v", info)
	}
	t.Logf("%d bytes", len(here))
}

// buildProgram builds the program as the image does.
func buildProgram(t *testing.T, root string) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "gocache")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", "-ldflags=-s -w", "-o", name, "./frontend/cmd/gocache")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFlags(t *testing.T) {
	for flags, want := range map[string]string{
		"-nonsense":     "flag provided but not defined: -nonsense",
		"-wait soon":    "invalid value",
		"-store s more": `unexpected argument "more"`,
		"-layer":        "flag needs an argument",
	} {
		if err := run(strings.Fields(flags)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", flags, err, want)
		}
	}
}
