package main

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

func TestDefinitions(t *testing.T) {
	one := &project{program: program{main: "./cmd/server"}, release: "1.26", sum: true, binaries: []binary{{"server", "./cmd/server"}}}
	two := &project{release: "1.26", binaries: []binary{{"api", "./cmd/api"}, {"worker", "./cmd/worker"}}}
	var b strings.Builder
	for _, label := range []string{ours, best, naive} {
		for _, p := range []*project{one, two} {
			text, err := (&described{label: label}).definition(p)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "-- %s, %d --\n%s", label, len(p.binaries), text)
		}
	}
	golden(t, "definitions.txt", b.String())
}

func TestSetup(t *testing.T) {
	p := &project{program: program{source: "a@v1", main: "."}, release: "1.26", binaries: []binary{{"a", "."}}}
	d := described{label: best, frontend: "f@sha256:1"}
	same := d.setup(p)
	other := *p
	other.source = "a@v2"
	if d.setup(&other) == same {
		t.Error("another version of the program is the same setup")
	}
	other = *p
	other.release = "1.27"
	if d.setup(&other) == same {
		t.Error("another Go release is the same setup")
	}
	d.frontend = "f@sha256:2"
	if d.setup(p) == same {
		t.Error("another frontend is the same setup")
	}
}

func TestUnable(t *testing.T) {
	p := &project{release: "1.26", binaries: []binary{{"a", "./a"}, {"b", "./b"}}}
	able := map[string]string{}
	for _, sc := range scenarios() {
		for _, c := range []contender{&described{label: ours}, &described{label: best}, &described{label: naive}} {
			if c.unable(sc, p) == "" {
				able[c.name()] += sc.name + " "
			}
		}
	}
	all := "cold cold4 noop docs edit bump ci-edit fleet "
	for name, want := range map[string]string{ours: all, best: all, naive: "cold noop docs edit bump ci-edit "} {
		if able[name] != want {
			t.Errorf("%s can do %s, want %s", name, able[name], want)
		}
	}
}

func TestReleaseOf(t *testing.T) {
	for text, want := range map[string]string{
		"module a\ngo 1.26.0\n":                     "1.26",
		"module a\ngo 1.25\n":                       "1.25",
		"module a\ngo 1.25.0\ntoolchain go1.26.3\n": "1.26.3",
		"module a\ngo 1.26rc1\n":                    "1.26",
		"module a\n":                                "",
	} {
		mod, err := modfile.Parse("go.mod", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := releaseOf(mod); got != want {
			t.Errorf("%q: release %q, want %q", text, got, want)
		}
	}
}

func TestKoDigests(t *testing.T) {
	got, err := koDigests("127.0.0.1:1/measured/x-ko/api@sha256:1\n127.0.0.1:1/measured/x-ko/worker@sha256:2\n")
	if err != nil || got["api"] != "sha256:1" || got["worker"] != "sha256:2" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := koDigests("nothing\n"); err == nil {
		t.Error("no error for a line without a digest")
	}
}
