package frontend

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	bkllb "github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/lint"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
	"github.com/gopherfile/gopherfile/llb"
)

// TestLarge checks that the largest specs within the limits are looked at and
// drawn in a time that grows with their size alone. Each takes a second or two;
// one comparison of all with all takes longer than the limit.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many seconds")
	}
	const limit = 20 * time.Second
	each := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, source := range map[string]string{
		"variables":             "image:\n  env:\n" + each(18000, "    E%d: x\n"),
		"variables of builds":   "build:\n  env:\n" + each(18000, "    E%d: x\n"),
		"a path":                "image:\n  entrypoint: foo\n  env: {PATH: '" + each(14000, "/a%d:") + "'}\n  files:\n" + each(4000, "  - {from: a, to: /b%d}\n"),
		"files":                 "image:\n  files:\n" + each(8000, "  - {from: a, to: /b%d}\n"),
		"commands":              "generate:\n" + each(15000, "- a%d\n"),
		"arguments":             "args:\n" + each(15000, "  a%d: x\n"),
		"tags":                  "build: {tags: [" + each(20000, "a%d, ") + "]}\n",
		"flags of all binaries": "build: {env: {GOFLAGS: '" + each(10000, "-tags=a%d ") + "'}}\nbinaries:\n" + each(120, "  b%d: .\n"),
		"patterns":              "build: {gcflags: '" + each(10000, "a%d=-N -l ") + "'}\n",
		"binaries":              "binaries:\n" + each(4000, "  b%d: .\n"),
		"platforms":             "platforms:\n" + each(4000, "- windows(10.0.%d)/amd64\n"),
		"revisions":             "build: {ldflags: ['" + each(5000, "-X main.a%d=${REVISION} ") + "']}\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			if len(source) > spec.MaxSize {
				t.Fatalf("%d bytes", len(source))
			}
			drawAll(t, source)
			if took := time.Since(start); took > limit {
				t.Errorf("%d bytes took %v", len(source), took)
			}
		})
	}
}

// drawAll resolves a spec for all of its binaries, asks the rules and draws them.
func drawAll(t *testing.T, source string) {
	t.Helper()
	s, err := spec.Parse("f", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{"go.mod": {Data: []byte("module m\n\ngo 1.26\n")}, "main.go": {Data: []byte("package main\n")}}
	ix, err := scan.Scan(tree, scan.Options{Mains: plan.Mains(s)})
	if err != nil {
		t.Fatal(err)
	}
	build := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	p, err := plan.Resolve(s, ix, plan.Options{BuildPlatform: build, Every: true})
	if err != nil {
		t.Fatal(err)
	}
	lint.Check(lint.Input{Spec: s, Source: []byte(source), Index: ix, Plan: p}, lint.Config{})
	g := llb.New(p, llb.Input{
		Context: bkllb.Local("context", bkllb.SessionID("session")), Builder: bkllb.Image("golang", bkllb.LinuxAmd64),
		Self: bkllb.Image("gopherfile", bkllb.LinuxAmd64), BuildPlatform: build, SourceMap: bkllb.NewSourceMap(nil, "f", "yaml", []byte(source)),
		Created: time.Unix(0, 0), Merge: true, NoCache: func(string) bool { return false },
	})
	for i := range min(50, len(g.Results)) {
		if _, err := g.Results[i].State.Marshal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
