package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStoreResumes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.jsonl")
	s := open(t, file)
	first := record{Scenario: "cold", Program: "http", Contender: ours, Run: 1, Setup: "a", Seconds: 1}
	second := first
	second.Run, second.Seconds = 2, 2
	add(t, s, first, second)
	// A line that was cut off by a kill is as if it were not there.
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"scenario":"cold","prog`); err != nil {
		t.Fatal(err)
	}
	f.Close()

	s = open(t, file)
	for _, c := range []struct {
		run   int
		setup string
		want  bool
	}{{1, "a", true}, {2, "a", true}, {3, "a", false}, {1, "b", false}} {
		k := key{"cold", "http", ours, c.run}
		if got := s.has(k, c.setup); got != c.want {
			t.Errorf("has %+v with setup %s: %v, want %v", k, c.setup, got, c.want)
		}
	}
	third := first
	third.Run = 3
	add(t, s, third)
	if got := len(open(t, file).records); got != 3 {
		t.Errorf("%d records after the third, want 3", got)
	}
}

func TestStoreKeepsTheLastOfAKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.jsonl")
	r := record{Scenario: "cold", Program: "http", Contender: ours, Run: 1, Seconds: 1}
	s := open(t, file)
	add(t, s, r)
	r.Seconds = 2
	add(t, s, r)
	for _, s := range []*store{s, open(t, file)} {
		if list := s.of("cold", "http", ours); len(list) != 1 || list[0].Seconds != 2 {
			t.Errorf("records %+v, want the second", list)
		}
	}
}

func TestStoreForgets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.jsonl")
	s := open(t, file)
	add(t, s, record{Scenario: "cold", Run: 1}, record{Scenario: "noop", Run: 1})
	if err := s.forget(func(r record) bool { return r.Scenario == "cold" }); err != nil {
		t.Fatal(err)
	}
	if list := open(t, file).records; len(list) != 1 || list[0].Scenario != "noop" {
		t.Errorf("the file has %+v, want noop alone", list)
	}
}

func TestStoreRefusesOtherFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.jsonl")
	if err := os.WriteFile(file, []byte("{}\nno JSON\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(file); err == nil {
		t.Error("no error for a file of something else")
	}
}

func open(t *testing.T, file string) *store {
	t.Helper()
	s, err := openStore(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func add(t *testing.T, s *store, list ...record) {
	t.Helper()
	for _, r := range list {
		if err := s.add(r); err != nil {
			t.Fatal(err)
		}
	}
}
