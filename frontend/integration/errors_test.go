package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestErrors builds every tree of testdata/errors with docker buildx build and
// compares what the user reads at the end. The first line of an archive may
// give more arguments: "args: --target x". There REGISTRY is that of the builder,
// and has the image badgo: a builder image whose go command builds something else
// than it was told (testdata/badgo).
func TestErrors(t *testing.T) {
	t.Parallel()
	builder(t)
	badgo(t)
	files, err := filepath.Glob("testdata/errors/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := []byte(failedBuild(t, ar))
			last := len(ar.Files) - 1
			known := ar.Files[last].Name == "stderr"
			if *update {
				if known {
					ar.Files = ar.Files[:last]
				}
				ar.Files = append(ar.Files, txtar.File{Name: "stderr", Data: got})
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !known {
				t.Fatalf("no golden text; got:\n%s", got)
			}
			if diff := cmp.Diff(string(ar.Files[last].Data), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// badgo makes the builder image of that name.
func badgo(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "badgo"), "./testdata/badgo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	write(t, filepath.Join(dir, "Dockerfile"), []byte("FROM golang:1.26-alpine AS go\n"+
		"FROM go\nCOPY --from=go /usr/local/go/bin/go /usr/local/go/bin/go.real\nCOPY badgo /usr/local/go/bin/go\n"))
	cmd := exec.Command("docker", "buildx", "build", "--progress=plain", "--provenance=false", "--push", "-t", os.Getenv("GOPHERFILE_REGISTRY")+"/badgo", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// failedBuild writes the tree of an archive, builds it and returns the end of
// what the client prints.
func failedBuild(t *testing.T, ar *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range ar.Files {
		if f.Name == "stderr" {
			continue
		}
		write(t, filepath.Join(dir, f.Name), f.Data)
	}
	args := []string{"buildx", "build", "--progress=plain", "--output", "type=cacheonly", "-f", "Gopherfile.yaml"}
	if more, ok := strings.CutPrefix(string(ar.Comment), "args: "); ok {
		args = append(args, strings.Fields(strings.ReplaceAll(more, "REGISTRY", os.Getenv("GOPHERFILE_REGISTRY")))...)
	}
	cmd := exec.Command("docker", append(args, ".")...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err == nil {
		t.Fatalf("the build did not fail:\n%s", out.String())
	}
	return lastWords(out.String())
}

// lastWords is what stands below the progress: the log of the step that
// failed, the source and the error, without times and addresses.
func lastWords(out string) string {
	lines := strings.SplitAfter(out, "\n")
	start := len(lines)
	for start > 0 && !regexp.MustCompile(`^#\d+ |^\s*$`).MatchString(lines[start-1]) || start == len(lines) {
		start--
	}
	text := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(strings.Join(lines[start:], ""), "")
	text = regexp.MustCompile(`(?m)^\d+\.\d+ `).ReplaceAllString(text, "0.000 ")
	return strings.ReplaceAll(text, os.Getenv("GOPHERFILE_REGISTRY"), "REGISTRY")
}
