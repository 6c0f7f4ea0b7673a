package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fakeRegistry listens on a socket as the real one does.
func fakeRegistry(t *testing.T, h http.HandlerFunc) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &httptest.Server{Listener: ln, Config: &http.Server{Handler: h}}
	srv.Start()
	t.Cleanup(srv.Close)
	return socket
}

// withManifests answers with the path, if that is one of those.
func withManifests(paths ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(paths, r.URL.Path) {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, r.URL.Path)
	}
}

// fakeAssembler has one answer for every tag.
type fakeAssembler struct {
	stored string
	err    error
}

func (a fakeAssembler) image(context.Context, string) (string, error) { return a.stored, a.err }

func TestHub(t *testing.T) {
	socket := fakeRegistry(t, withManifests(
		"/v2/library/golang/manifests/pushed",
		"/v2/library/golang/manifests/made",
		"/v2/other/image/manifests/1",
	))
	for _, test := range []struct {
		name, path string
		assembler  fakeAssembler
		status     int
		body       string
	}{
		{"pushed image goes first", "/v2/library/golang/manifests/pushed", fakeAssembler{stored: "made"}, 200, "manifests/pushed"},
		{"assembled", "/v2/library/golang/manifests/1.26", fakeAssembler{stored: "made"}, 200, "manifests/made"},
		{"no release", "/v2/library/golang/manifests/9.99", fakeAssembler{err: fmt.Errorf("%w: x", errNotFound)}, 404, ""},
		{"broken", "/v2/library/golang/manifests/1.26", fakeAssembler{err: errors.New("disk full")}, 502, "disk full"},
		{"digest", "/v2/library/golang/manifests/sha256:00", fakeAssembler{stored: "made"}, 404, ""},
		{"other repository", "/v2/other/image/manifests/1", fakeAssembler{err: errors.New("asked")}, 200, "other"},
		{"health", "/healthz", fakeAssembler{}, 200, "ok"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHub(newStore(socket, t.TempDir()))
			h.images = map[string]assembler{"library/golang": test.assembler}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, test.path, nil))
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.body) {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, test.status, test.body)
			}
		})
	}
}

func TestHubKeepsHost(t *testing.T) {
	socket := fakeRegistry(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) })
	r := httptest.NewRequest(http.MethodPost, "/v2/x/blobs/uploads/", nil)
	r.Host = "127.0.0.1:4242"
	w := httptest.NewRecorder()
	newHub(newStore(socket, t.TempDir())).ServeHTTP(w, r)
	if got := w.Body.String(); got != r.Host {
		t.Errorf("the registry sees the host %q, want %q", got, r.Host)
	}
}
