package main

import (
	"bytes"
	"os"
	"testing"
)

// TestGenerated fails when docs/spec.md is not what the doc comments say.
func TestGenerated(t *testing.T) {
	want, err := reference("../../frontend/spec/spec.go")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/spec.md is stale: run go generate ./frontend/spec")
	}
	if n := bytes.Count(want, []byte("\n| `")); n < 20 {
		t.Errorf("got %d keys, want all of the spec's", n)
	}
}
