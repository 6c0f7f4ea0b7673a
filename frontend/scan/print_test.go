package scan

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestErrorText checks that what a go.mod holds is shown, and not obeyed by a
// terminal.
func TestErrorText(t *testing.T) {
	for _, source := range []string{"module m\n\ngo \x1b[2J\n", "module m\n\ngo \"\x1b[2J\"\n", "go `\x1b[2J`\n", "module m\n\ntoolchain \"\x1b[2J\"\n", "\x1b[2J x\n", "module m\n\ntoolchain \x1b]0;x\a\n", "module \"\x00\"\n", "go 1.26\n\nuse \"\u202e\n"} {
		for _, name := range []string{"go.mod", "go.work"} {
			tree := fstest.MapFS{"go.mod": {Data: []byte("module m\n")}, "main.go": {Data: []byte("package main\n")}}
			tree[name] = &fstest.MapFile{Data: []byte(source)}
			ix, err := Scan(tree, Options{})
			if err == nil && len(ix.Modules) > 0 && ix.Modules[0].Err != nil {
				err = ix.Modules[0].Err
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x00\x1b\a\u202e") {
				t.Errorf("%s: %q", name, err)
			}
		}
	}
}
