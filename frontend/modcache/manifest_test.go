package modcache

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
)

// The sum of a manifest is the one that go.sum has.
func TestManifest(t *testing.T) {
	dir := t.TempDir()
	m := module.Version{Path: "example.test/M", Version: "v1.0.0"}
	for _, name := range []string{"go.mod", "a.go", "sub/b.go", "sub/x/c", "sub.go", "Z"} {
		write(t, filepath.Join(dir, name), name)
	}
	want, err := dirhash.HashDir(dir, m.String(), dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	data, err := hashDir(m, dir)
	if err != nil {
		t.Fatal(err)
	}
	man := parseManifest(m, data, []string{"h1:other", want})
	if man == nil || man.zipHash != want || len(man.files) != 6 || !slices.Equal(man.dirs["sub"], []string{"sub/b.go"}) || len(man.dirs["."]) != 4 {
		t.Errorf("%+v of\n%s", man, data)
	}
	for what, other := range map[string]string{
		"empty": "", "truncated": data[:len(data)-1], "other sum": "0" + data[1:], "other name": strings.Replace(data, "a.go", "b.go", 1),
	} {
		if other != data && parseManifest(m, other, []string{want}) != nil {
			t.Errorf("%s: confirmed", what)
		}
	}
}

func TestEmbeds(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"a.txt", "a.txt", true},
		{"a.txt", "b/a.txt", false},
		{"*", ".hidden", true},
		{"*", "d/e/f", true},
		{"*", "d/.f", false},
		{"*", "d/_e/f", false},
		{"all:*", "d/_e/.f", true},
		{"d", "d/e", true},
		{"d", "de", false},
		{"d/*.x", "d/e.x/f", true},
		{"d/*.x", "d/e.y", false},
		{"[", "[", false},
	} {
		if got := embeds(tt.pattern, tt.name); got != tt.want {
			t.Errorf("%s embeds %s: %t", tt.pattern, tt.name, got)
		}
	}
}

func TestElsewhere(t *testing.T) {
	for text, want := range map[string]bool{
		`#include "textflag.h"`:           false,
		`#include "../x.h"`:               true,
		"  #  include <sys/types.h>":      true,
		"#include <stdio.h>":              false,
		"#include NAME":                   true,
		"#define A \"a/b\"":               false,
		"// a\n#include \"d/e.h\"\n":      true,
		"#include \"e.h\"\n#define B a/b": false,
	} {
		if got := elsewhere.MatchString(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

func TestFlag(t *testing.T) {
	r := &run{settings: settings{GOFLAGS: `-mod=mod "--modfile=/x.mod"`}, Options: Options{Dir: "/d"}}
	for flags, want := range map[string][2]string{
		"":                      {"mod", "/x.mod"},
		"-mod=readonly":         {"readonly", "/x.mod"},
		"--mod mod -modfile=y":  {"mod", "/d/y"},
		"-tags=x -mod readonly": {"readonly", "/x.mod"},
	} {
		b := Build{Flags: strings.Fields(flags)}
		if got := [2]string{r.flag(b, "mod"), r.modfile(b)}; got != want {
			t.Errorf("%s: %q, want %q", flags, got, want)
		}
	}
}

func TestSpeech(t *testing.T) {
	var now lockedBuffer
	s := &speech{to: &now}
	for _, part := range []string{"go: down", "loading a v1\ngo: x", "\ny", "y\n", "z"} {
		if _, err := s.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if got := now.String(); got != "go: downloading a v1\n" {
		t.Errorf("at once: %q", got)
	}
	if got := s.text(); got != "go: x\nyy\nz" {
		t.Errorf("kept: %q", got)
	}
}
