package gocache

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAttempt has what others may be told later, and what they would never be told.
func TestAttempt(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module example.com/m\n\ngo 1.21\n",
		"good/good.go": "package good\n",
		"bad/bad.go":   "package bad\n\nvar _ int = \"\"\n",
		"kill":         "#!/bin/sh\ncase $2 in -V*) exec \"$@\" ;; esac\nkill -9 $$\n",
		"full":         "#!/bin/sh\ncase $2 in -V*) exec \"$@\" ;; esac\necho 'go: gocache: write layer /out: no space left on device' >&2\nexit 1\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil { //nolint:gosec // G306: two of them are run
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, tt := range []struct {
		name, args, want string
	}{
		{"compiles", "go build -- ./good", ""},
		{"does not compile", "go build -- ./good ./bad", ""},
		{"cannot be loaded", "go build -- ./good ./none", ""},
		{"a compiler is killed", "go build -toolexec=" + dir + "/kill -- ./good", "signal: killed"},
		{"the layer is not written", "go build -toolexec=" + dir + "/full -- ./good", "no space left on device"},
		{"no packages", "go build ./good", "expected go build"},
		{"no command", dir + "/none build -- ./good", "no such file"},
	} {
		t.Setenv("GOCACHE", t.TempDir()) // where nothing is compiled
		err := Attempt(t.Context(), strings.Fields(tt.args), io.Discard, io.Discard)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want one with %q", tt.name, err, tt.want)
		}
	}
}
