package llb

import (
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// TestNoWork checks that no command of a project sees its go.work where the
// spec turns that off, nor runs again because of it.
func TestNoWork(t *testing.T) {
	for _, target := range []string{"", plan.TargetTest} {
		g := draw(t, archive(t, "work-off"), func(o *plan.Options, _ *Input) { o.Target = target }, "linux/amd64")
		text := dumpGraph(t, g)
		if strings.Contains(text, "go.work") {
			t.Errorf("target %q: go.work is copied:\n%s", target, text)
		}
		commands, command := 0, ""
		for line := range strings.Lines(text) {
			if strings.Contains(line, ` ["go" `) || strings.Contains(line, "gocache") && strings.Contains(line, " exec ") {
				commands++
				command = line
			}
			if env, ok := strings.CutPrefix(line, "\tenv   "); ok && command != "" {
				if !strings.Contains(env+" ", " GOWORK=off") {
					t.Errorf("target %q: GOWORK is not off in %s%s", target, command, env)
				}
				command = ""
			}
		}
		if want := map[string]int{"": 6, plan.TargetTest: 4}[target]; commands != want {
			t.Errorf("target %q: got %d commands, want %d:\n%s", target, commands, want, text)
		}
	}
}
