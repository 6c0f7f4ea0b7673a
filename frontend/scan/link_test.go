package scan

import (
	"path"
	"strings"
	"testing"
)

// TestReach follows links, also those that lead nowhere.
func TestReach(t *testing.T) {
	ix := &Index{Links: []Link{
		{Name: "a", To: "b"}, {Name: "b", To: "c/d"}, {Name: "c/d/e", To: ""}, {Name: "grow", To: "grow/x"}, {Name: "loop", To: "loop"},
	}}
	for name, want := range map[string]string{
		"x/y": "x/y", "a/x": "a b c/d/x", "a": "a b c/d", "a/e/f": "a b c/d/e", "ab/x": "ab/x",
	} {
		if got := strings.Join(ix.Reach(name), " "); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"loop/x", "grow"} {
		if got := ix.Reach(name); len(got) > 41 || path.Base(got[0]) == "x" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
