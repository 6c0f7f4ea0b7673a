package scan

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// panicFS is a tree whose Go files cannot be opened without a panic.
type panicFS struct{ fstest.MapFS }

func (p panicFS) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, ".go") {
		panic("broken")
	}
	return p.MapFS.Open(name)
}

// TestPanic checks that a defect met while reading in parallel is an error of
// the scan, not the end of the process.
func TestPanic(t *testing.T) {
	tree := panicFS{fstest.MapFS{
		"go.mod":  {Data: []byte("module example.com/m\n\ngo 1.26\n")},
		"main.go": {Data: []byte("package main\n")},
	}}
	_, err := Scan(tree, Options{})
	if err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("got %v, want an error that says broken", err)
	}
}
