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

// TestFillHangs checks that the wait for a module proxy that does not answer has
// an end, and that people are told before.
func TestFillHangs(t *testing.T) {
	end := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	defer srv.Close()
	defer close(end)
	p := newProject(t, "main", ".")
	p.silence, p.limit = 200*time.Millisecond, time.Second
	p.more = []string{"GOPROXY=" + srv.URL}
	res := p.fill(t.TempDir(), mainBuilds()...)
	if !errors.Is(res.err, errSilent) || errors.Is(res.err, ErrGo) {
		t.Errorf("got error %v, want one that says itself what is wrong", res.err)
	}
	if want := "nothing arrived in 1s"; res.err == nil || !strings.Contains(res.err.Error(), want) {
		t.Errorf("got error %v, want one with %q", res.err, want)
	}
	if want := "gocache: still waiting: nothing arrived in "; !strings.Contains(res.stderr, want) {
		t.Errorf("stderr is %q, want one with %q", res.stderr, want)
	}
}

// TestTransferred checks what is counted of a process and its descendants.
func TestTransferred(t *testing.T) {
	proc := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		file := filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	io := func(read, written string) string {
		return "rchar: " + read + "\nwchar: " + written + "\nsyscr: 7\nread_bytes: 9\n"
	}
	put("10/stat", "10 (go) S 1 10 10 0\n")
	put("10/io", io("100", "10"))
	put("11/stat", "11 (git (a b) R 5) S 10 10 10 0\n")
	put("11/io", io("2000", "1"))
	put("12/stat", "12 (ssh) S 11 10 10 0\n")
	put("12/io", io("30000", "0"))
	put("13/stat", "13 (other) S 1 10 10 0\n")
	put("13/io", io("400000", "0"))
	put("14/stat", "14 (ended) S 10 10 10 0\n")
	put("20/stat", "20 (secret) S 1 10 10 0\n")
	put("21/stat", "")
	put("sys/stat", "no process")
	for _, tt := range []struct {
		name string
		pid  int
		want uint64
		ok   bool
	}{
		{"with descendants", 10, 32111, true},
		{"a part", 11, 32001, true},
		{"the last", 12, 30000, true},
		{"not told", 20, 0, false},
		{"not there", 99, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := transferred(proc, tt.pid); got != tt.want || ok != tt.ok {
				t.Errorf("got %d, %v, want %d, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
	if _, ok := transferred(filepath.Join(proc, "none"), 10); ok {
		t.Error("got a count without processes")
	}
}

// TestWatchUnknown checks that a process is left alone when the kernel does not
// say what it reads.
func TestWatchUnknown(t *testing.T) {
	if n, ok := counted(filepath.Join(t.TempDir(), "io")); ok {
		t.Errorf("got %d bytes of no file", n)
	}
	for _, text := range []string{"", "rchar", "rchar: many\n", "syscr: 3\n"} {
		file := filepath.Join(t.TempDir(), "io")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if n, ok := counted(file); ok {
			t.Errorf("%q: got %d bytes, want none known", text, n)
		}
	}
}
