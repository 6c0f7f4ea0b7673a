package closure

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// TestStrata splits a chain of packages.
func TestStrata(t *testing.T) {
	ar := txtar.Parse([]byte(`
-- go.mod --
module example.com/m

go 1.26
-- cmd/x/main.go --
package main

import (
	_ "example.com/m/a"
	_ "example.com/m/top"
)
-- top/top.go --
package top

import _ "example.com/m/middle"
-- top/top_windows.go --
package top
-- middle/middle.go --
package middle

import (
	_ "example.com/m/a"
	_ "example.com/m/b"
	_ "fmt"
)
-- a/a.go --
package a
-- b/b.go --
package b
-- unused/u.go --
package unused
`))
	tree, err := txtar.FS(ar)
	if err != nil {
		t.Fatal(err)
	}
	ix, err := scan.Scan(tree, scan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	target := Target{Has: func(tag string) bool { return tag == "linux" }}
	for n, want := range map[int]string{
		1: "a b middle top: a/a.go b/b.go go.mod middle/middle.go top/top.go",
		2: "a b: a/a.go b/b.go go.mod\nmiddle top: a/a.go b/b.go go.mod middle/middle.go top/top.go",
		3: "a b: a/a.go b/b.go go.mod\nmiddle: a/a.go b/b.go go.mod middle/middle.go\ntop: a/a.go b/b.go go.mod middle/middle.go top/top.go",
		9: "a b: a/a.go b/b.go go.mod\nmiddle: a/a.go b/b.go go.mod middle/middle.go\ntop: a/a.go b/b.go go.mod middle/middle.go top/top.go",
	} {
		strata, err := New(ix).For(target).Strata("./cmd/x", n)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, s := range strata {
			lines = append(lines, strings.Join(s.Packages, " ")+": "+strings.Join(s.Files, " "))
		}
		if diff := cmp.Diff(want, strings.Join(lines, "\n")); diff != "" {
			t.Errorf("%d strata: -want +got:\n%s", n, diff)
		}
	}
	if _, err := New(ix).For(target).Strata("./nowhere", 3); err == nil {
		t.Error("want an error for a package that does not exist")
	}
}

// TestStrataOfArchives checks of all archives that strata are the closure, and
// that they stop where packages import each other.
func TestStrataOfArchives(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := txtar.FS(ar)
		if err != nil {
			t.Fatal(err)
		}
		ix, err := scan.Tree(tree, scan.Options{})
		if err != nil {
			continue
		}
		s := New(ix).For(Target{Has: func(tag string) bool { return tag == "linux" || tag == "amd64" }})
		for i := range ix.Packages {
			main := ix.Packages[i].Dir
			c, err := s.Of(main)
			if err != nil {
				continue
			}
			strata, err := s.Strata(main, 4)
			if err != nil {
				t.Fatal(err)
			}
			packages := []string{main}
			var read []string
			for _, x := range strata {
				packages = append(packages, x.Packages...)
				for _, f := range read {
					if !slices.Contains(x.Files, f) {
						t.Errorf("%s %s: %s is read before and not later", file, main, f)
					}
				}
				read = x.Files
			}
			slices.Sort(packages)
			if diff := cmp.Diff(c.Packages, packages); diff != "" {
				t.Errorf("%s %s: -closure +strata:\n%s", file, main, diff)
			}
			for _, f := range read {
				if !slices.Contains(c.Files, f) {
					t.Errorf("%s %s: %s is not in the closure", file, main, f)
				}
			}
			checked++
		}
	}
	if checked < 50 {
		t.Errorf("got %d closures, want more", checked)
	}
}
