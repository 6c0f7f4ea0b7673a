package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReference checks that the page has a row for every key, and that no
// mapping is left out or shown twice.
func TestReference(t *testing.T) {
	g, err := readGrammar("../../frontend/spec/spec.go")
	if err != nil {
		t.Fatal(err)
	}
	page := g.reference()
	keys := 0
	for _, m := range g.structs {
		keys += len(m.keys)
	}
	if rows := bytes.Count(page, []byte("\n| `")); rows != keys || rows < 50 {
		t.Errorf("got %d rows, want one for each of %d keys", rows, keys)
	}
	for _, want := range []string{
		"| `main` | text |  |",
		"| `binaries` | names with keys, or `main` alone |",
		"| `binaries.NAME.main` |",
		"| `build.strip` | true or false | `true` |",
		"| `build.buildmode` | text | `exe` | Buildmode is the kind of binary, as go build -buildmode takes it. One of `default`, `exe` or `pie`. |",
		"| `image.files` | list of keys |",
		"| `image.files[].from` | text |",
		"Required. Such as `config/*.yaml`,",
		"| `generate[].run` | list |",
		"golang:&lt;release>-alpine",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

// TestGrammarErrors checks that a field which nobody could document is an error.
func TestGrammarErrors(t *testing.T) {
	for _, tt := range []struct{ name, source, want string }{
		{"no spec", "type Other struct{}", "has no struct Spec"},
		{"syntax", "type", "expected"},
		{"no comment", "type Spec struct {\n\tMain string `yaml:\"main\"`\n}", "Spec: Main: no doc comment"},
		{"no name", "type Spec struct {\n\t// Main is.\n\tMain string `json:\"main\"`\n}", "Spec: Main: no name in the tag yaml"},
		{"number", "type Spec struct {\n\t// Main is.\n\tMain int `yaml:\"main\"`\n}", "Spec: Main: a int cannot be written in a spec"},
		{"map", "type Spec struct {\n\t// Main is.\n\tMain map[string]string `yaml:\"main\"`\n}", "cannot be written in a spec"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "spec.go")
			if err := os.WriteFile(file, []byte("package spec\n\n"+tt.source+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := readGrammar(file); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestShapeOf(t *testing.T) {
	limit := func(n *int) string {
		if n == nil {
			return "-"
		}
		return fmt.Sprint(*n)
	}
	for _, tt := range []struct {
		pattern          string
		types            types
		minimum, maximum string
	}{
		{`/.*`, types{"string"}, "-", "-"},
		{`[0-9]+\.[0-9]+`, types{"string", "number"}, "-", "-"},
		{`[0-9]+(/[a-z]+)?`, types{"string", "integer"}, "0", "-"},
		{`[1-9][0-9]*`, types{"string", "integer"}, "1", "-"},
		{`-?[1-9][0-9]*`, types{"string", "integer"}, "-", "-"},
		{`SIG[A-Z]+|[1-9][0-9]?`, types{"string", "integer"}, "1", "99"},
		{`0?[0-7]{3,4}`, types{"string", "integer"}, "0", "9999"},
		{`0|[0-9]+s`, types{"string", "integer"}, "0", "0"},
		{`[a-z]+`, types{"string", "boolean"}, "-", "-"},
	} {
		s := shapeOf(tt.pattern)
		if !slices.Equal(s.types, tt.types) || limit(s.minimum) != tt.minimum || limit(s.maximum) != tt.maximum {
			t.Errorf("%s: got %v %s %s, want %v %s %s", tt.pattern, s.types, limit(s.minimum), limit(s.maximum), tt.types, tt.minimum, tt.maximum)
		}
	}
}
