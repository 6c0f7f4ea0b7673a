package modcache

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDownload checks that all modules are there, that what is wrong is said by
// the go command, and that a wait has an end.
func TestDownload(t *testing.T) {
	p := newProject(t, "main", ".")
	download := func(cache string, more ...string) (string, error) {
		t.Helper()
		var stderr lockedBuffer
		err := Download(t.Context(), Options{
			Dir: p.src, Env: append(p.env(cache), more...), Stderr: &stderr, Silence: 200 * time.Millisecond, Limit: time.Second,
		})
		return stderr.String(), err
	}
	cache := t.TempDir()
	if said, err := download(cache); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if _, err := os.Stat(filepath.Join(cache, "example.test", "a@v1.0.0", "go.mod")); err != nil {
		t.Error(err)
	}
	if said, err := download(t.TempDir(), "GOPROXY=off"); !errors.Is(err, ErrGo) || !strings.Contains(said, "GOPROXY=off") {
		t.Errorf("got error %v and stderr %q, want the words of the go command", err, said)
	}
	end := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	defer srv.Close()
	defer close(end)
	said, err := download(t.TempDir(), "GOPROXY="+srv.URL)
	if !errors.Is(err, errSilent) || !strings.Contains(said, "gocache: still waiting: nothing arrived in ") {
		t.Errorf("got error %v and stderr %q, want the end of a wait", err, said)
	}
}
