package scan

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

func TestIgnores(t *testing.T) {
	for _, tt := range []struct {
		ignore, dir string
		want        bool
	}{
		{"x", "m/x", true}, {"x", "m/a/x/b", true}, {"x", "m/xx", false}, {"x", "m", false}, {"x", "x", false},
		{"x/", "m/x", true}, {"/x", "m/a/x", true}, {"x/y", "m/a/x/y", true}, {"x/y", "m/x/a/y", false},
		{"./x", "m/x", true}, {"./x", "m/x/y", true}, {"./x", "m/a/x", false}, {"./x/y", "m/x", false},
		{"m", "m/x", false}, {".", "m/x", false}, {"./", "m/x", true}, {"*", "m/x", false},
	} {
		m := &Module{Dir: "m", Ignore: []string{tt.ignore}}
		if got := m.ignores(tt.dir); got != tt.want {
			t.Errorf("ignore %s: %s: got %t, want %t", tt.ignore, tt.dir, got, tt.want)
		}
	}
}

// FuzzModule wants of any go.mod a module or an error that points into it.
func FuzzModule(f *testing.F) {
	for _, src := range []string{
		"module m\n\ngo 1.26\n", "module m\nrequire (\n\tx v1.0.0\n)\nreplace x => ../x\nignore ./y\n",
		"module (\n\tm\n)\n", "go", "module m\nrequire x", "module \"m\"\ntoolchain default\ntool x\n", "\ufeffmodule m", "module m\nreplace x => ./a\\b",
		"module m // Deprecated: x\nretract [v1.0.0, v1.1.0]\n", "use ./a\nuse (\n\t./b\n)\n",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, name := range []string{"go.mod", "go.work"} {
			ix, err := Scan(fstest.MapFS{name: {Data: src}}, Options{})
			if err == nil {
				if name == "go.mod" && (len(ix.Modules) != 1 || ix.Modules[0].Path == "") {
					t.Errorf("got %+v, want a module with a path", ix)
				}
				continue
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got error %v, want an *Error", err)
			}
			lines := 1 + strings.Count(string(src), "\n")
			if e.Line < 0 || e.Line > lines || e.Column < 0 || e.Column > len(src)+1 {
				t.Errorf("error %v is not in the file of %d lines", e, lines)
			}
			if e.Msg == "" || strings.Contains(e.Msg, "\n") || strings.Contains(e.Msg, "internal") && !strings.Contains(string(src), "internal") {
				t.Errorf("message %q is not for users", e.Msg)
			}
		}
	})
}
