package integration

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Binaries of the fleet that TestConcurrent builds, and packages that they
// share.
const (
	fleetBinaries = 8
	fleetPackages = 30
)

// TestConcurrent builds all binaries of a module at once, with a daemon that
// has nothing. The builds share a folder of objects while they run: together
// they compile hardly more than one that compiles each package once, and none
// waits forever.
func TestConcurrent(t *testing.T) {
	builder(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "concurrent.txtar"), []byte("compilespy t/concurrent-go\nbuildkitd\nconcurrent\n"))
	testscript.Run(t, testscript.Params{
		Dir:   dir,
		Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"compilespy": cmdCompilespy,
			"buildkitd":  cmdBuildkitd,
			"concurrent": func(ts *testscript.TestScript, _ bool, _ []string) { concurrent(t, ts) },
		},
	})
}

func concurrent(t *testing.T, ts *testscript.TestScript) {
	root := ts.MkAbs("fleet")
	for name, text := range fleet(ts.Getenv("REGISTRY") + "/t/concurrent-go") {
		write(t, filepath.Join(root, name), []byte(text))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	logs := make([]bytes.Buffer, fleetBinaries)
	errs := make([]error, fleetBinaries)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range fleetBinaries {
		wg.Go(func() {
			cmd := exec.CommandContext(ctx, "buildctl", "--addr", ts.Getenv("BUILDKIT_HOST"), "build", "--progress=plain",
				"--frontend", "gateway.v0", "--opt", "source=gopherfile/gopherfile:1", "--opt", "filename=Gopherfile.yaml",
				"--opt", fmt.Sprintf("target=m%d", i), "--opt", "build-arg:GOPROXY="+ts.Getenv("SERVER")+"/goproxy",
				"--local", "context="+root, "--local", "dockerfile="+root, "--output", "type=local,dest="+filepath.Join(root+".out", fmt.Sprint(i)))
			cmd.Stdout, cmd.Stderr = &logs[i], &logs[i]
			errs[i] = cmd.Run()
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	for i, err := range errs {
		if err != nil {
			ts.Fatalf("build %d after %v: %v\n%s", i, elapsed, err, logs[i].String())
		}
		out, err := exec.Command(filepath.Join(root+".out", fmt.Sprint(i), fmt.Sprintf("m%d", i))).CombinedOutput()
		if want := fmt.Sprintf("m%d %d\n", i, i+fleetPackages); err != nil || string(out) != want {
			ts.Fatalf("binary %d: got %q and error %v, want %q", i, out, err, want)
		}
	}
	counts := compiled(logs)
	total := 0
	for _, n := range counts {
		total += n
	}
	t.Logf("%d binaries in %v: %d packages, %d compiles, %.3f for each", fleetBinaries, elapsed.Round(time.Second), len(counts), total, float64(total)/float64(len(counts)))
	if len(counts) < 200+fleetPackages {
		ts.Fatalf("got only %d compiled packages: the compiler is not the one that says them", len(counts))
	}
	if float64(total) > 1.05*float64(len(counts)) {
		for what, n := range counts {
			if n > 1 {
				t.Logf("%d times %s", n, what)
			}
		}
		ts.Fatalf("%d packages were compiled %d times, want at most 1.05 times each", len(counts), total)
	}
}

// compiled counts what was compiled how often. A step that several builds wait
// for is in the log of each, and ran once: the times are the same.
func compiled(logs []bytes.Buffer) map[string]int {
	line := regexp.MustCompile(`^#\d+ [0-9.]+ compiled (\S+ \S+ \d+)$`)
	runs := map[string]bool{}
	for i := range logs {
		for l := range strings.Lines(logs[i].String()) {
			if m := line.FindStringSubmatch(strings.TrimSpace(l)); m != nil {
				runs[m[1]] = true
			}
		}
	}
	counts := map[string]int{}
	for r := range runs {
		counts[r[:strings.LastIndex(r, " ")]]++
	}
	return counts
}

// fleet is a module of several binaries. What they import overlaps: any two
// share most packages, and no two import the same.
func fleet(builder string) map[string]string {
	files := map[string]string{
		"go.mod": "module example.com/fleet\n\ngo 1.26.0\n\nrequire (\n\tgithub.com/go-chi/chi/v5 v5.5.0\n\tgithub.com/google/go-cmp v0.7.0\n" +
			"\tgolang.org/x/mod v0.42.0\n\tgolang.org/x/sync v0.24.0\n)\n",
		"go.sum": `github.com/go-chi/chi/v5 v5.5.0 h1:xdKQ1dJmVJsmgahrXSKhUx8NyVPzpwdlyrrQFpMPJgg=
github.com/go-chi/chi/v5 v5.5.0/go.mod h1:d1IG7GtKPSjPyBP365PH8sAGVHk3qfB/IhjFNRH1wWM=
github.com/google/go-cmp v0.7.0 h1:wk8382ETsv4JYUZwIsn6YpYiWiBsYLSJiTsyBybVuN8=
github.com/google/go-cmp v0.7.0/go.mod h1:pXiqmnSA92OHEEa9HXL2W4E7lf9JzCmGVUdgjX3N/iU=
golang.org/x/mod v0.42.0 h1:ICeL3t2L30ljSPHHxDnR4fqVcBt/zR2zJAb9juavmQg=
golang.org/x/mod v0.42.0/go.mod h1:u5fzIrRInkL8MaO1cbRkUHT64v303YIT5KEqpNr7jRs=
golang.org/x/sync v0.24.0 h1:iqiDrGoDgyuvAKrhLQthUEzU/R378N78gXbBjxed7oA=
golang.org/x/sync v0.24.0/go.mod h1:sUUOizhqBxiL6pEWpqNLUiaJn1ShEbZ6BBqskPbjZm0=
`,
	}
	external := []string{
		"github.com/go-chi/chi/v5", "github.com/go-chi/chi/v5/middleware", "github.com/google/go-cmp/cmp", "golang.org/x/mod/modfile",
		"golang.org/x/mod/semver", "golang.org/x/mod/zip", "golang.org/x/sync/errgroup", "golang.org/x/sync/singleflight",
	}
	spec := "# syntax=gopherfile/gopherfile:1\nbuilder: " + builder + "\nbinaries:\n"
	for i := range fleetPackages {
		// A chain would leave nothing to do at once; each imports a third of
		// those before it.
		imports, sum := "", ""
		for j := i % 3; j < i; j += 3 {
			imports += fmt.Sprintf("import \"example.com/fleet/p%d\"\n", j)
			sum += fmt.Sprintf("\t_ = p%d.N\n", j)
		}
		files[fmt.Sprintf("p%d/p.go", i)] = fmt.Sprintf("package p%d\n\nimport \"fmt\"\n%s\nconst N = 1\n\nfunc F() {\n\tfmt.Println(N)\n%s}\n", i, imports, sum)
	}
	for i := range fleetBinaries {
		imports, sum := "", fmt.Sprint(i)
		for j, e := range external {
			if j != i { // all but one of them
				imports += fmt.Sprintf("import _ %q\n", e)
			}
		}
		for j := range fleetPackages {
			imports += fmt.Sprintf("import \"example.com/fleet/p%d\"\n", j)
			sum += fmt.Sprintf("+p%d.N", j)
		}
		files[fmt.Sprintf("cmd/m%d/main.go", i)] = fmt.Sprintf("package main\n\nimport \"fmt\"\n%s\nfunc main() { fmt.Println(\"m%d\", %s) }\n", imports, i, sum)
		spec += fmt.Sprintf("  m%d: ./cmd/m%d\n", i, i)
	}
	files["Gopherfile.yaml"] = spec
	return files
}
