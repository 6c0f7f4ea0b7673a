package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestGenerated fails when a file is not what the structs say.
func TestGenerated(t *testing.T) {
	page, schema := filepath.Join(t.TempDir(), "page"), filepath.Join(t.TempDir(), "schema")
	if err := run("../../frontend/spec/spec.go", page, schema); err != nil {
		t.Fatal(err)
	}
	for file, generated := range map[string]string{"../../docs/spec.md": page, "../../frontend/spec/schema.json": schema} {
		want, err := os.ReadFile(generated)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate ./frontend/spec", file)
		}
	}
}
