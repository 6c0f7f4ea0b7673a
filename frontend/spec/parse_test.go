package spec

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// TestParse runs every archive: a Gopherfile.yaml beside the errors that it
// gives, or beside the spec that it is.
func TestParse(t *testing.T) {
	for _, dir := range []string{"ok", "err"} {
		files, err := filepath.Glob("testdata/" + dir + "/*.txtar")
		if err != nil || len(files) == 0 {
			t.Fatalf("no archives in testdata/%s: %v", dir, err)
		}
		for _, file := range files {
			t.Run(dir+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				ar, err := txtar.ParseFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if len(ar.Files) == 0 || ar.Files[0].Name != "Gopherfile.yaml" {
					t.Fatalf("first file: want Gopherfile.yaml")
				}
				s, err := Parse("Gopherfile.yaml", ar.Files[0].Data)
				golden(t, file, ar, outcome(t, dir, s, err))
			})
		}
	}
}

func outcome(t *testing.T, dir string, s *Spec, err error) txtar.File {
	t.Helper()
	if dir == "ok" {
		if err != nil {
			t.Fatalf("got error %v, want none", err)
		}
		dt, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return txtar.File{Name: "spec", Data: append(dt, '\n')}
	}
	var list ErrorList
	if !errors.As(err, &list) {
		t.Fatalf("got %v, want an ErrorList", err)
	}
	return txtar.File{Name: "errors", Data: []byte(list.Error() + "\n")}
}

// golden compares the one section of the archive that follows its input.
func golden(t *testing.T, file string, ar *txtar.Archive, got txtar.File) {
	t.Helper()
	if *update {
		ar.Files = append(ar.Files[:1], got)
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(ar.Files) != 2 || ar.Files[1].Name != got.Name {
		t.Fatalf("want exactly one section %q after the input; run with -update", got.Name)
	}
	if diff := cmp.Diff(string(ar.Files[1].Data), string(got.Data)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPos(t *testing.T) {
	s, err := Parse("f", []byte("main: ./cmd\nbuild:\n  tags: [a, bb]\nargs:\n  V: dev\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		got  Pos
		want Pos
	}{
		{"scalar", s.Pos(&s.Main), Pos{1, 7}},
		{"item", s.Pos(&s.Build.Tags[1]), Pos{3, 13}},
		{"entry name", s.Pos(&s.Args[0].Name), Pos{5, 3}},
		{"entry value", s.Pos(&s.Args[0].Default), Pos{5, 6}},
		{"mapping by key", s.At(&s.Build), Pos{2, 1}},
		{"absent", s.Pos(&s.Go), Pos{}},
		{"first written", s.At(&s.Go, &s.Main), Pos{1, 7}},
		{"none written", s.At(&s.Go, &s.Builder), Pos{1, 1}},
		{"inside a value", s.ErrorIn(&s.Build.Tags[1], "b]", "x").Pos, Pos{3, 14}},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

// TestErrorListErr checks order and repetition, whatever the order of finding.
func TestErrorListErr(t *testing.T) {
	l := ErrorList{
		{File: "f", Pos: Pos{2, 1}, Msg: "b"},
		{File: "f", Pos: Pos{1, 9}, Msg: "a"},
		{File: "f", Pos: Pos{2, 1}, Msg: "b"},
	}
	want := "f:1:9: a\nf:2:1: b"
	if got := l.Err().Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := (ErrorList{}).Err(); err != nil {
		t.Errorf("empty list: got %v, want nil", err)
	}
}

func TestTooLarge(t *testing.T) {
	_, err := Parse("f", []byte(strings.Repeat("#\n", MaxSize)))
	if err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("got %v, want an error that says too large", err)
	}
}

// FuzzParse checks that no input panics, and what holds for all errors.
func FuzzParse(f *testing.F) {
	for _, glob := range []string{"testdata/ok/*.txtar", "testdata/err/*.txtar"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(ar.Files[0].Data)
		}
	}
	f.Add([]byte(manyMerged()))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("f", data)
		if err == nil {
			if s == nil {
				t.Fatal("got neither spec nor error")
			}
			return
		}
		checkErrors(t, string(data), err)
	})
}
