package gocache

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// build asks for packages as the go command does: what is missing is compiled.
func build(s *session, packages ...string) {
	s.t.Helper()
	for _, p := range packages {
		action := name(p)
		got, ok, err := s.get(action)
		if err != nil {
			s.t.Errorf("get %s: %v", p, err)
		}
		if ok && string(got) != compiled(p) {
			s.t.Errorf("get %s: %.40q", p, got)
		}
		if ok {
			_, _, err = s.get(subkey(action, "stdout"))
		} else {
			compile(s, p)
		}
		if err != nil {
			s.t.Errorf("get the text of %s: %v", p, err)
		}
	}
}

func compile(s *session, p string) {
	s.t.Helper()
	s.mustPut(subkey(name(p), "srcfiles"), "./"+p+".go\n")
	s.mustPut(subkey(name(p), "stdout"), "")
	s.mustPut(name(p), compiled(p))
}

func TestStore(t *testing.T) {
	store := filepath.Join(t.TempDir(), "a", "store")
	first := open(t, Options{Store: store})
	build(first, "a", "b")
	first.want(name("a"), compiled("a"))
	if got := first.end(); got.Misses != 2 || got.Puts != 6 || got.Hits.Put != 1 || got.Bytes.Put == 0 {
		t.Errorf("first: %+v", got)
	}
	second := open(t, Options{Store: store})
	build(second, "a", "b")
	second.want(name("link"), "miss")
	if got := second.end(); got.Hits.Store != 4 || got.Misses != 1 || got.Corrupt != 0 {
		t.Errorf("second: %+v", got)
	}
}

// The store is also the folder of releases that know no cache program.
func TestStoreIsGoCache(t *testing.T) {
	store := t.TempDir()
	s := open(t, Options{Store: store})
	build(s, "a")
	s.end()
	hash := name("a").String()
	line, err := os.ReadFile(filepath.Join(store, hash[:2], hash+"-a"))
	if err != nil {
		t.Fatal(err)
	}
	if len(line) != entrySize || !strings.HasPrefix(string(line), "v1 "+hash+" ") {
		t.Errorf("entry %q", line)
	}
	// The go command leaves no attribute, and opens what is there for writing.
	out := name(compiled("a")).String()
	data := filepath.Join(store, out[:2], out+"-d")
	if err := os.Remove(data); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(data, []byte(compiled("a")), 0o666); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Store: store})
	s.want(name("a"), compiled("a"))
	s.end()
}

// The go command keys these by a folder, whose content may be another one in
// another build.
func TestModuleIndexStaysOutOfTheStore(t *testing.T) {
	const body = "go index v2\nwhat is in the folder"
	store, out := t.TempDir(), t.TempDir()
	s := open(t, Options{Store: store, Out: out})
	s.want(name("i"), "miss")
	s.mustPut(name("i"), body)
	s.want(name("i"), body)
	s.end()
	s = open(t, Options{Store: store})
	s.want(name("i"), "miss")
	s.end()
	s = open(t, Options{Layers: []Layer{{Dir: out}}})
	s.want(name("i"), body)
	s.end()
	// The go command without a program puts it there.
	plant(t, store, name("i"), body)
	s = open(t, Options{Store: store})
	s.want(name("i"), "miss")
	if got := s.end(); got.Corrupt != 0 {
		t.Errorf("%+v", got)
	}
}

// plant puts into a store what the program would not, as if its SHA-256 had
// been checked.
func plant(t *testing.T, dir string, action id, body string) {
	t.Helper()
	st := &store{dir: dir, pins: &pins{}, now: time.Now}
	if _, err := st.put(action, name(body), []byte(body), checksum([]byte(body))); err != nil {
		t.Fatal(err)
	}
}

// A layer keeps alive in the store what it answers itself.
func TestLayerHitsKeepTheStore(t *testing.T) {
	store, out := t.TempDir(), t.TempDir()
	s := open(t, Options{Store: store, Out: out})
	build(s, "a")
	s.end()
	old := time.Now().Add(-48 * time.Hour)
	walk(t, store, func(path string) { os.Chtimes(path, old, old) })
	s = open(t, Options{Store: store, Layers: []Layer{{Dir: out}}})
	build(s, "a")
	if got := s.end(); got.Hits.Layer != 2 {
		t.Errorf("%+v", got)
	}
	fresh := 0
	walk(t, store, func(path string) {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) < time.Hour && strings.HasSuffix(path, "-a") {
			fresh++
		}
	})
	if fresh != 2 {
		t.Errorf("%d entries are fresh, want 2", fresh)
	}
}

// walk calls f for each file below a folder.
func walk(t *testing.T, dir string, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			f(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStoreUnusable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, store := range []string{"", file, filepath.Join(file, "below"), "/proc/nothing"} {
		s := open(t, Options{Store: store})
		build(s, "a", "b")
		build(s, "a")
		if got := s.end(); got.Misses != 2 || got.Hits.Put != 2 {
			t.Errorf("%q: %+v", store, got)
		}
	}
}

// What the store cannot take is served all the same.
func TestStoreTakesNothing(t *testing.T) {
	store := t.TempDir()
	for i := range 256 {
		// Nobody can make a file there.
		if err := os.Symlink("/proc/self/fdinfo", filepath.Join(store, fmt.Sprintf("%02x", i))); err != nil {
			t.Skip(err)
		}
	}
	s := open(t, Options{Store: store})
	build(s, "a", "b")
	build(s, "a", "b")
	if got := s.end(); got.Unkept != 6 || got.Hits.Put != 4 {
		t.Errorf("%+v", got)
	}
}

// What the go command was told about stays, even when somebody empties the
// store in the middle of the build.
func TestStoreEmptied(t *testing.T) {
	store := t.TempDir()
	s := open(t, Options{Store: store})
	if newPins().links == "" {
		if runtime.GOOS == "linux" {
			t.Fatal("got no /proc, want one")
		}
		t.Skip("there is no /proc")
	}
	build(s, "a")
	var paths []string
	for _, p := range []string{"a", "b"} {
		action := name(p)
		if p == "b" {
			compile(s, p)
		}
		res, err := s.do("get", &action, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, res.DiskPath)
	}
	entries, err := os.ReadDir(store)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(store, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range []string{"a", "b"} {
		if got, err := os.ReadFile(paths[i]); err != nil || string(got) != compiled(p) {
			t.Errorf("%s: %.40q, %v", p, got, err)
		}
	}
	build(s, "a", "b", "c")
	s.end()
}

func TestRequests(t *testing.T) {
	in := strings.NewReader(strings.Join([]string{
		`{"ID":1,"Command":"get","ActionID":"AAAA"}`,
		`{"ID":2,"Command":"put","ActionID":"` + strings.Repeat("A", 43) + `=","OutputID":"AAAA","BodySize":3}`, ``, `"AAAA"`,
		`{"ID":3,"Command":"put","ActionID":"` + strings.Repeat("A", 43) + `=","OutputID":"` + strings.Repeat("A", 43) + `=","BodySize":4}`, ``, `"AAAA"`,
		`{"ID":4,"Command":"put","ActionID":"` + strings.Repeat("A", 43) + `=","OutputID":"` + strings.Repeat("A", 43) + `=","BodySize":3}`, ``, `"A?AA"`,
		`{"ID":5,"Command":"get2"}`,
		`{"ID":6,"Command":"close"}`,
	}, "\n") + "\n")
	var out bytes.Buffer
	if err := Serve(in, &out, Options{Now: time.Now, Temp: t.TempDir()}); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		`{"ID":1,"Err":"gocache: identifier of 3 bytes: expected 32"}`,
		`{"ID":2,"Err":"gocache: identifier of 3 bytes: expected 32"}`,
		`{"ID":3,"Err":"gocache: body of 3 bytes where 4 were announced"}`,
		`{"ID":4,"Err":"gocache: illegal base64 data at input byte 1"}`,
		`{"ID":5,"Err":"unknown command \"get2\""}`,
		`{"ID":6}`,
	} {
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("no %s in\n%s", want, &out)
		}
	}
}

func TestBrokenRequests(t *testing.T) {
	for _, in := range []string{
		`{"ID":1`,
		"{\"ID\":1\n",
		"{\"ID\":1,\"Command\":\"put\",\"BodySize\":-1}\n",
		"{\"ID\":1,\"Command\":\"put\",\"BodySize\":3}\n",
		"{\"ID\":1,\"Command\":\"put\",\"BodySize\":3}\n\nx",
		"{\"ID\":1,\"Command\":\"put\",\"BodySize\":3}\n\n\"AA",
		"{\"ID\":1,\"Command\":\"put\",\"BodySize\":3}\n\n\"AAAA",
		strings.Repeat("x", 2*bufferSize),
	} {
		if err := Serve(strings.NewReader(in), io.Discard, Options{Now: time.Now, Temp: t.TempDir()}); err == nil {
			t.Errorf("%.60q: no error", in)
		}
	}
}
