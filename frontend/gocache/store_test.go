package gocache

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// damages returns what can happen to a file.
func damages() map[string]func(path string) error {
	return map[string]func(path string) error{
		"removed":   os.Remove,
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"truncated": func(path string) error { return change(path, func(b []byte) []byte { return b[:len(b)-1] }) },
		"longer":    func(path string) error { return change(path, func(b []byte) []byte { return append(b, 'x') }) },
		"first bit": func(path string) error { return change(path, func(b []byte) []byte { b[0] ^= 1; return b }) },
		"last bit":  func(path string) error { return change(path, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }) },
		"zeros":     func(path string) error { return change(path, func(b []byte) []byte { clear(b); return b }) },
		"folder": func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.MkdirAll(filepath.Join(path, "x"), 0o755)
		},
		"empty folder": func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o755)
		},
		"link to itself": func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Symlink(path, path)
		},
	}
}

// change rewrites a file in place, as the go command does: attributes stay.
func change(path string, f func([]byte) []byte) error {
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 {
		return err
	}
	return os.WriteFile(path, f(data), 0o666)
}

// Whatever happens to whichever file of a store or of a layer: the build gets
// the right objects, and the next one finds them repaired.
func TestDamage(t *testing.T) {
	for what, damage := range damages() {
		for _, attributes := range []bool{true, false} {
			t.Run(what, func(t *testing.T) {
				store, out := t.TempDir(), t.TempDir()
				s := open(t, Options{Store: store, Out: out})
				build(s, "a", "b")
				s.end()
				damageAll(t, store, attributes, damage)
				s = open(t, Options{Store: store})
				build(s, "a", "b")
				if got := s.end(); got.Hits.Store != 0 && what != "folder" {
					t.Errorf("hits: %+v", got)
				}
				s = open(t, Options{Store: store})
				build(s, "a", "b")
				if got := s.end(); got.Hits.Store == 0 && what != "folder" {
					t.Errorf("not repaired: %+v", got)
				}
				damageAll(t, out, true, damage)
				s = open(t, Options{Layers: []Layer{{Dir: out}}})
				build(s, "a", "b")
				if got := s.end(); got.Hits.Layer != 0 || got.Corrupt == 0 && what != "removed" {
					t.Errorf("layer: %+v", got)
				}
			})
		}
	}
}

func damageAll(t *testing.T, dir string, attributes bool, damage func(string) error) {
	t.Helper()
	walk(t, dir, func(path string) {
		if !attributes {
			// Other than a rename, a copy has none.
			data, err := os.ReadFile(path)
			if err == nil {
				os.Remove(path)
				err = os.WriteFile(path, data, 0o666)
			}
			if err != nil {
				t.Error(err)
			}
		}
		if err := damage(path); err != nil {
			t.Error(err)
		}
	})
}

// An object that no hash covers is one whose attribute is right and whose name
// is wrong. That takes somebody who can write the store anyway.
func TestChecksumIsTrusted(t *testing.T) {
	store := t.TempDir()
	plant(t, store, name("a"), "planted")
	s := open(t, Options{Store: store})
	action := name("a")
	res, err := s.do("get", &action, nil, nil)
	if err != nil || res.Miss == (newPins().links != "") {
		t.Errorf("%+v, %v", res, err)
	}
	s.end()
}

func TestParseEntry(t *testing.T) {
	action := name("a")
	good := "v1 " + action.String() + " " + name("b").String() + "                   12  1600000000000000000\n"
	e, err := parseEntry([]byte(good), action)
	if err != nil || e.out != name("b") || e.size != 12 || e.time.Unix() != 1600000000 {
		t.Errorf("%+v, %v", e, err)
	}
	for _, bad := range []string{
		"", "v1", good + "\n", strings.Replace(good, "v1", "v2", 1),
		strings.Replace(good, action.String(), name("c").String(), 1),
		strings.Replace(good, name("b").String(), strings.Repeat("x", 64), 1),
		strings.Replace(good, " 12 ", " -2 ", 1), strings.Replace(good, " 12 ", " ab ", 1),
		strings.Replace(good, " 16", " x6", 1), strings.Repeat(" ", entrySize-1) + "\n",
		strings.Replace(good, name("b").String()+" ", name("b").String()+"0", 1),
	} {
		if _, err := parseEntry([]byte(bad), action); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestTrim(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	st := &store{dir: dir, pins: newPins(), now: func() time.Time { return now }}
	files := func() (names []string) {
		walk(t, dir, func(path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			if strings.HasSuffix(path, "-d") {
				names = append(names, string(data))
			}
		})
		return names
	}
	used := func(what string, ago time.Duration) {
		action := name(what)
		if _, err := st.put(action, name(what), []byte(what), checksum([]byte(what))); err != nil {
			t.Fatal(err)
		}
		then := now.Add(-ago)
		for _, suffix := range []string{"-a", "-d"} {
			if err := os.Chtimes(st.name(action, suffix), then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
	trim := func(limit int64) {
		t.Helper()
		if err := st.trim(limit); err != nil {
			t.Error(err)
		}
	}
	used("week", 7*24*time.Hour)
	used("days", 4*24*time.Hour)
	used("hours", 3*time.Hour)
	used("now", 0)
	if err := os.WriteFile(filepath.Join(dir, "README"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	trim(maxStore)
	if got := files(); len(got) != 3 {
		t.Errorf("a week: %q", got)
	}
	used("week", 7*24*time.Hour)
	trim(maxStore)
	if got := files(); len(got) != 4 {
		t.Errorf("the same day: %q", got)
	}
	now = now.Add(25 * time.Hour)
	used("now", 0)
	trim(0)
	if got := files(); len(got) != 1 || got[0] != "now" {
		t.Errorf("limit: %q", got)
	}
	// Nonsense in the file, or a time to come, is no reason to keep all.
	for _, nonsense := range []string{"nonsense", "99999999999999"} {
		used("week", 7*24*time.Hour)
		if err := os.WriteFile(filepath.Join(dir, "trim.txt"), []byte(nonsense), 0o644); err != nil {
			t.Fatal(err)
		}
		trim(maxStore)
		if got := files(); len(got) != 1 {
			t.Errorf("%s: %q", nonsense, got)
		}
	}
}

// A get tells that it was used, though not each time.
func TestUsed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Store: dir})
	build(s, "a")
	s.end()
	st := &store{dir: dir}
	for ago, want := range map[time.Duration]bool{30 * time.Minute: false, 2 * time.Hour: true} {
		then := time.Now().Add(-ago)
		files := []string{st.name(name("a"), "-a"), st.name(name(compiled("a")), "-d")}
		for _, f := range files {
			if err := os.Chtimes(f, then, then); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, Options{Store: dir})
		s.want(name("a"), compiled("a"))
		s.end()
		for _, f := range files {
			info, err := os.Stat(f)
			if err != nil {
				t.Fatal(err)
			}
			if got := time.Since(info.ModTime()) < time.Minute; got != want {
				t.Errorf("%s ago: touched %t", ago, got)
			}
		}
	}
}
