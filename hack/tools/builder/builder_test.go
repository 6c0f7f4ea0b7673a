package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "plain", "two words", `it's "$HOME" \`, "a\nb"} {
		out, err := exec.Command("sh", "-c", "printf %s "+quote(s)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if string(out) != s {
			t.Errorf("the shell reads %s as %q, want %q", quote(s), out, s)
		}
	}
}

func TestExports(t *testing.T) {
	l := layout{dir: "/it's/here"}
	s := state{Port: 4242, Host: l.buildkitHost()}
	set := func(name string) (string, bool) { return "", name == "DOCKER_HOST" }
	script := exports(l, s, set) + `echo "$BUILDKIT_HOST|$PATH|$DOCKER_CONFIG|$BUILDX_BUILDER|$GOPHERFILE_REGISTRY|${DOCKER_HOST-unset}"`
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env = []string{"PATH=/usr/bin", "DOCKER_HOST=tcp://example.org"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "unix:///it's/here/run/buildkitd.sock|/it's/here/bin:/usr/bin|/it's/here/docker|gopherfile|127.0.0.1:4242|unset\n"
	if string(out) != want {
		t.Errorf("the shell has\n%s, want\n%s", out, want)
	}
}

func TestEnvWhileDown(t *testing.T) {
	var b strings.Builder
	l := layout{dir: t.TempDir()}
	if err := printEnv(&b, l); err == nil || b.Len() > 0 {
		t.Errorf("printed %q, error %v", b.String(), err)
	}
}

func TestBuildkitHost(t *testing.T) {
	l := layout{dir: "/x/.builder"}
	own := "unix:///x/.builder/run/buildkitd.sock"
	for named, want := range map[string]string{
		"":                     own,
		own:                    own,
		"tcp://127.0.0.1:1234": "tcp://127.0.0.1:1234",
	} {
		if got := buildkitHost(l, named); got != want {
			t.Errorf("buildkitHost(%q) = %q, want %q", named, got, want)
		}
	}
}

func TestCreateRefusesLongPaths(t *testing.T) {
	l := layout{dir: filepath.Join(t.TempDir(), strings.Repeat("x", 100))}
	err := l.create()
	if err == nil || !strings.Contains(err.Error(), "GOPHERFILE_BUILDER_DIR") {
		t.Errorf("error %v, want one that names GOPHERFILE_BUILDER_DIR", err)
	}
	if _, err := os.Stat(l.dir); err == nil {
		t.Error("the folder was made")
	}
}

func TestState(t *testing.T) {
	l := layout{dir: t.TempDir()}
	if err := l.create(); err != nil {
		t.Fatal(err)
	}
	if s, err := loadState(l); s != (state{}) || err != nil {
		t.Errorf("before the first up: %+v, %v", s, err)
	}
	want := state{Port: 4242, Assemble: true, Host: "unix:///x"}
	if err := want.save(l); err != nil {
		t.Fatal(err)
	}
	if got, err := loadState(l); got != want || err != nil {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestFreePort(t *testing.T) {
	first, err := freePort("/some/checkout")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", state{Port: first}.registry())
	if err != nil {
		t.Skip(err) // somebody else was quicker
	}
	defer ln.Close()
	second, err := freePort("/some/checkout")
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Errorf("port %d is taken, and given again", first)
	}
}

func TestReachable(t *testing.T) {
	status := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	for code, want := range map[int]bool{
		http.StatusOK:           true,
		http.StatusUnauthorized: true, // a registry that wants a token
		http.StatusForbidden:    false,
		http.StatusBadGateway:   false, // a proxy that reaches nothing
	} {
		status = code
		if got := reachable(context.Background(), srv.URL); got != want {
			t.Errorf("status %d: reachable %v, want %v", code, got, want)
		}
	}
	srv.Close()
	if reachable(context.Background(), srv.URL) {
		t.Error("a closed port is reachable")
	}
}

func TestMountsUnder(t *testing.T) {
	const table = `22 1 0:20 / / rw - ext4 /dev/vda rw
30 22 0:30 / /x/.builder/data/a rw - overlay overlay rw
31 30 0:31 / /x/.builder/data/a/b\040c rw - tmpfs tmpfs rw
32 22 0:32 / /x/.builder/database rw - tmpfs tmpfs rw
`
	want := []string{"/x/.builder/data/a/b c", "/x/.builder/data/a"}
	if got := mountsUnder(table, "/x/.builder/data"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestServiceKeyIgnoresEnvironment(t *testing.T) {
	l, s := layout{dir: "/x"}, state{Port: 1}
	before := buildkitdService(l, s).key()
	t.Setenv("BUILDKIT_HOST", "unix:///x/run/buildkitd.sock")
	t.Setenv("PATH", "/x/bin:"+os.Getenv("PATH"))
	if after := buildkitdService(l, s).key(); after != before {
		t.Error("the shell's exports restart buildkitd")
	}
	s.Port = 2
	if after := buildkitdService(l, s).key(); after == before {
		t.Error("a new port does not restart buildkitd")
	}
}
