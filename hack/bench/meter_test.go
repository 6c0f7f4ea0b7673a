package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestMeter(t *testing.T) {
	serve := func(name string) *httptest.Server {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n, _ := io.Copy(io.Discard, r.Body); n > 0 {
				w.WriteHeader(http.StatusCreated)
				return
			}
			_, _ = io.WriteString(w, name+" "+r.URL.Path)
		}))
		t.Cleanup(srv.Close)
		return srv
	}
	hub, own := serve("hub"), serve("own")
	m := newMeter(hub.Listener.Addr().String(), own.Listener.Addr().String(), http.DefaultTransport)
	srv := httptest.NewServer(m)
	t.Cleanup(srv.Close)

	for path, want := range map[string]string{
		"/v2/library/golang/blobs/sha256:1":   "hub /v2/library/golang/blobs/sha256:1",
		"/v2/library/golang/manifests/1.26":   "hub /v2/library/golang/manifests/1.26",
		"/v2/measured/cache-x/blobs/sha256:2": "own /v2/measured/cache-x/blobs/sha256:2",
		"/v2/measured/x/y/manifests/sha256:3": "own /v2/measured/x/y/manifests/sha256:3",
		"/v2/":                                "hub /v2/",
	} {
		if got := fetchText(t, srv.URL+path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	resp, err := http.Post(srv.URL+"/v2/measured/x/blobs/uploads/", "text/plain", strings.NewReader("12345"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	passed := m.reset()
	if want := int64(len("own /v2/measured/cache-x/blobs/sha256:2")); passed.of("measured/cache-x") != want {
		t.Errorf("%d bytes pulled of the cache, want %d", passed.of("measured/cache-x"), want)
	}
	if want := int64(len("hub /v2/library/golang/blobs/sha256:1hub /v2/library/golang/manifests/1.26")); passed.of("library/") != want {
		t.Errorf("%d bytes pulled of golang, want %d", passed.of("library/"), want)
	}
	if passed.pushed != 5 {
		t.Errorf("%d bytes pushed, want 5", passed.pushed)
	}
	if passed = m.reset(); passed.of("") != 0 || passed.pushed != 0 {
		t.Errorf("after a reset there are %+v", passed)
	}
}

func fetchText(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
