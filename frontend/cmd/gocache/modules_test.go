package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program runs the program in a directory with an environment.
func program(t *testing.T, dir string, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), mainVar+"=1", "GOENV=off", "GOWORK=off", "GOFLAGS=", "GOTOOLCHAIN=local")
	cmd.Env = append(cmd.Env, env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	return out.String(), said.String(), err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}
func TestModules(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	dir, out := t.TempDir(), t.TempDir()
	back := filepath.Join(t.TempDir(), "back")
	want := write(t, filepath.Join(t.TempDir(), "want"), `{"builds":[{"env":["GOOS=linux"],"imports":[]}]}`)
	write(t, filepath.Join(dir, "go.mod"), "module example.org/m\n\ngo 1.21\n")
	env := []string{"GOMODCACHE=" + t.TempDir(), "GOPROXY=off"}
	stdout, stderr, err := program(t, dir, env, "modules", "-want", want, "-out", out, "-back", back)
	if err != nil || stdout != "" || stderr != "" {
		t.Errorf("%v\n%s%s", err, stdout, stderr)
	}
	if data, err := os.ReadFile(back); err != nil || string(data) != "{\"imports\":[]}\n" {
		t.Errorf("%q, %v", data, err)
	}
	// The go command speaks for itself.
	write(t, filepath.Join(dir, "go.mod"), "module example.org/m\n\ngo 1.21\n\nrequire example.test/a v1.0.0\n")
	write(t, want, `{"builds":[{"imports":["example.test/a"]}]}`)
	_, stderr, err = program(t, dir, env, "modules", "-want", want, "-out", out)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || stderr != "go: example.test/a@v1.0.0: module lookup disabled by GOPROXY=off\n" {
		t.Errorf("%v\n%s", err, stderr)
	}
	write(t, want, "nonsense")
	_, stderr, err = program(t, dir, env, "modules", "-want", want, "-out", out)
	if err == nil || !strings.HasPrefix(stderr, "gocache: "+want+": invalid character") {
		t.Errorf("%v\n%s", err, stderr)
	}
}
func TestModulesFlags(t *testing.T) {
	for flags, want := range map[string]string{
		"":                      "-want and -out must be given",
		"-want x":               "-want and -out must be given",
		"-nonsense":             "flag provided but not defined: -nonsense",
		"-want x -out y more":   `unexpected argument "more"`,
		"-want /none/x -out /y": "open /none/x: no such file or directory",
	} {
		if err := modules(t.Context(), strings.Fields(flags)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", flags, err, want)
		}
	}
}
