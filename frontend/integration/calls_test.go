package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// call asks the frontend without building, and returns what the client prints.
func call(t *testing.T, dir, request string) (string, error) {
	t.Helper()
	cmd := exec.Command("docker", "buildx", "build", "--call", request, "--platform", "linux/amd64", "-f", filepath.Join(dir, "Gopherfile.yaml"), dir)
	cmd.Env = append(os.Environ(), "BUILDX_GIT_INFO=false") // a commit must not change a golden file
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		t.Logf("%s", stderr.String())
	}
	return stdout.String(), err
}

// TestCalls compares what every subrequest prints for every example with
// testdata/calls. The schema is that of the repository.
func TestCalls(t *testing.T) {
	t.Parallel()
	builder(t)
	examples, err := filepath.Glob("../../examples/*/Gopherfile.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, example := range examples {
		dir := filepath.Dir(example)
		for _, request := range []string{"check", "outline", "targets", "gopherfile.plan", "gopherfile.plan,format=json"} {
			t.Run(filepath.Base(dir)+"/"+request, func(t *testing.T) {
				t.Parallel()
				got, err := call(t, dir, request)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join("testdata/calls", filepath.Base(dir), strings.ReplaceAll(request, ",format=", ".")+".golden"), got)
			})
		}
		t.Run(filepath.Base(dir)+"/gopherfile.schema", func(t *testing.T) {
			t.Parallel()
			got, err := call(t, dir, "gopherfile.schema")
			if err != nil || strings.TrimSpace(got) != strings.TrimSpace(string(spec.Schema())) {
				t.Errorf("got another schema than frontend/spec/schema.json, error %v", err)
			}
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		write(t, file, []byte(got))
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", file, diff)
	}
}

// TestCallsDescribed checks that the frontend lists exactly what it serves,
// through docker buildx and through buildctl.
func TestCallsDescribed(t *testing.T) {
	t.Parallel()
	builder(t)
	dir := "../../examples/hello"
	out, err := call(t, dir, "subrequests.describe,format=json")
	if err != nil {
		t.Fatal(err)
	}
	var requests []struct{ Name string }
	if err := json.Unmarshal([]byte(out), &requests); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(requests) < 7 {
		t.Errorf("got %d requests, want at least 7:\n%s", len(requests), out)
	}
	for _, r := range requests {
		name := strings.TrimPrefix(r.Name, "frontend.")
		if out, err := call(t, dir, name); err != nil {
			t.Errorf("--call %s: got %q and error %v", name, out, err)
		}
		cmd := exec.Command("buildctl", "build", "--frontend", "gateway.v0", "--opt", "source=gopherfile/gopherfile:1", "--opt", "filename=Gopherfile.yaml",
			"--local", "context="+dir, "--local", "dockerfile="+dir, "--opt", "requestid="+r.Name)
		if out, err := cmd.Output(); err != nil {
			t.Errorf("buildctl %s: got %q and error %v", r.Name, out, err)
		}
	}
	if _, err := call(t, dir, "gopherfile.nothing"); err == nil {
		t.Error("an unknown request got an answer")
	}
}

// TestCallsFail checks that a broken spec is an exit code of its own, with the
// place of the error, and that warnings are one, too.
func TestCallsFail(t *testing.T) {
	t.Parallel()
	builder(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), []byte("module example.com/app\n\ngo 1.26.0\n"))
	write(t, filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"))
	for _, tt := range []struct{ name, spec, want string }{
		{"error", "# syntax=gopherfile/gopherfile:1\nimage: {usr: root}\n", `unknown key "usr" in image \(did you mean user\?\)\n.*Gopherfile.yaml:2\n`},
		{"warning", "# syntax=gopherfile/gopherfile:1\nimage:\n  user: root\n", `WARNING: RootUser - https://github.com/gopherfile/gopherfile/blob/main/docs/rules/root-user.md\n(.*\n)*.*Gopherfile.yaml:3\n`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			write(t, filepath.Join(dir, "Gopherfile.yaml"), []byte(tt.spec))
			cmd := exec.Command("docker", "buildx", "build", "--call", "check", "-f", filepath.Join(dir, "Gopherfile.yaml"), dir)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Error("got exit code 0, want another one")
			}
			if !regexp.MustCompile(tt.want).Match(out) {
				t.Errorf("want %s in:\n%s", tt.want, out)
			}
		})
	}
}
