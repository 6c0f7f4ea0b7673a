package llb

import (
	"strings"
	"testing"
	"testing/fstest"

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

// TestWorkSum checks that a download can write to go.work.sum, wherever that is,
// and to no go.sum.
func TestWorkSum(t *testing.T) {
	for work, use := range map[string]string{"": "", "go.work": "./be/app", "be/go.work": "./app"} {
		tree := fstest.MapFS{
			"Gopherfile.yaml": {Data: []byte("main: ./be/app\n")},
			"be/app/go.mod":   {Data: []byte("module example.com/app\n\ngo 1.26.0\n\nrequire example.com/dep v1.0.0\n")},
			"be/app/main.go":  {Data: []byte("package main\n\nimport _ \"example.com/dep\"\n\nfunc main() {}\n")},
		}
		if work != "" {
			tree[work] = &fstest.MapFile{Data: []byte("go 1.26.0\n\nuse " + use + "\n")}
		}
		text := dumpGraph(t, draw(t, tree, nil, "linux/amd64"))
		_, download, _ := strings.Cut(text, `"modules" "-want"`)
		_, mount, _ := strings.Cut(download, "mount /src <- ")
		mount, _, _ = strings.Cut(mount, "\n")
		if got, want := !strings.HasSuffix(mount, " ro"), work != ""; mount == "" || got != want {
			t.Errorf("go.work %q: got a mount %q, want one that can be written to: %v", work, mount, want)
		}
	}
}
