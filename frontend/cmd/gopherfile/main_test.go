package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// asMain makes the test binary the command.
const asMain = "GOPHERFILE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		os.Exit(0)
	}
	if os.Getenv(asGovulncheck) != "" {
		os.Exit(govulncheck(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// gopherfile runs the command, with a standard input on which nothing comes,
// as in a terminal.
func gopherfile(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "BUILDKIT_") })
	cmd.Env = append(cmd.Env, asMain+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r, &out, &errs
	err = cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%q: got no end in 30 s", args)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// TestCommand checks what is printed, where, and the exit code. The texts are
// regular expressions for all of it.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name           string
		args           []string
		stdout, stderr string
		code           int
	}{
		{"version", []string{"version"}, `gopherfile \S+( [0-9a-f]{40})? go1\.\S+\n`, ``, 0},
		{"unknown", []string{"biuld"}, ``, `gopherfile: unknown command "biuld": expected init, schema, verify, version or help; BuildKit calls gopherfile without arguments\n`, 1},
		{"help", []string{"help"}, `(?s)usage: gopherfile COMMAND\n.*  init  .*  schema  .*  verify  .*  version  .*  help  .*`, ``, 0},
		{"help as a flag", []string{"--help"}, `(?s)usage: gopherfile COMMAND\n.*`, ``, 0},
		{"help as a short flag", []string{"-h"}, `(?s)usage: gopherfile COMMAND\n.*`, ``, 0},
		{"schema", []string{"schema"}, `(?s)\{\n.*"ldflags".*\}\n`, ``, 0},
		{"schema with an argument", []string{"schema", "x"}, ``, `gopherfile: schema: expected no arguments, found "x"\n`, 1},
		{"flag", []string{"-version"}, ``, `gopherfile: unknown command "-version": .*\n`, 1},
		{"no folder", []string{"rootfs"}, ``, `gopherfile: rootfs: expected one folder to write to, found 0\n`, 1},
		{"two folders", []string{"rootfs", "a", "b"}, ``, `gopherfile: rootfs: expected one folder to write to, found 2\n`, 1},
		{"unknown flag", []string{"rootfs", "-certz", dir}, ``, `gopherfile: rootfs: flag provided but not defined: -certz\n`, 1},
		{"no such folder", []string{"rootfs", "-tmp", dir + "/none"}, ``, `gopherfile: write rootfs files: .*no such file or directory\n`, 1},
		{"nothing", []string{"rootfs", dir}, ``, ``, 0},
		{"missing", []string{"rootfs", "-certs", "-tzdata", "-from", t.TempDir(), dir}, ``,
			`the builder image has no CA certificates\nthe builder image has no time zones\n`, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := gopherfile(t, tt.args...)
			if !regexp.MustCompile("^" + tt.stdout + "$").MatchString(stdout) {
				t.Errorf("got stdout %q, want %q", stdout, tt.stdout)
			}
			if !regexp.MustCompile("^" + tt.stderr + "$").MatchString(stderr) {
				t.Errorf("got stderr %q, want %q", stderr, tt.stderr)
			}
			if code != tt.code {
				t.Errorf("got exit code %d, want %d", code, tt.code)
			}
		})
	}
}

// TestRootfs runs the command as package llb writes it into the graph.
func TestRootfs(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := gopherfile(t, "rootfs", "-certs", "-tzdata", "-passwd", "-tmp", "-from", t.TempDir(), dir)
	if code != 0 || stdout != "" {
		t.Errorf("got exit code %d, stdout %q and stderr %q, want success", code, stdout, stderr)
	}
	for _, name := range []string{"etc/passwd", "tmp", "home/nonroot"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestByHand starts the frontend as nobody should: it says what it is, at once,
// and leaves standard output, which is the gateway's connection, alone.
func TestByHand(t *testing.T) {
	start := time.Now()
	stdout, stderr, code := gopherfile(t)
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("got the answer after %v, want it at once", d)
	}
	for _, want := range []string{"gopherfile: this is a BuildKit frontend", "# syntax=gopherfile/gopherfile:1", "docker buildx build"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("got %q, want %q in it", stderr, want)
		}
	}
	if stdout != "" || code != 1 {
		t.Errorf("got stdout %q and exit code %d, want nothing and 1", stdout, code)
	}
}

// TestGateway starts the frontend as the gateway does: it speaks HTTP/2 on
// standard output.
func TestGateway(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), asMain+"=1", "BUILDKIT_SESSION_ID=", "BUILDKIT_WORKERS=null")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	const want = "PRI * HTTP/2.0"
	got := make([]byte, len(want))
	if _, err := out.Read(got); err != nil || string(got) != want {
		t.Errorf("got %q and error %v, want %q", got, err, want)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
}
