package frontend

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestLookAhead checks that the builder image is looked up once, whoever begins,
// and again only when another module than that at the root decides.
func TestLookAhead(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	work := "go 1.27.0\n\nuse ./tool\n"
	for _, tt := range []struct {
		name string
		// spec, mod, work are the files at the root of a tree with another module.
		spec, mod, work string
		opts            []string
		want            []string
	}{
		{name: "module", spec: "main: .\n", want: []string{"1.26-alpine"}},
		{name: "go of the spec", spec: "main: .\ngo: \"1.26.3\"\n", want: []string{"1.26.3-alpine"}},
		{name: "builder", spec: "main: .\nbuilder: golang:1.26.2\n", want: []string{"1.26.2"}},
		{name: "argument", spec: "main: .\nargs: {GO: \"1.26.1\"}\ngo: ${GO}\n", opts: []string{"build-arg:GO=1.26.4"}, want: []string{"1.26.4-alpine"}},
		{name: "other module", spec: "main: ./tool\n", want: []string{"1.26-alpine", "1.27-alpine"}},
		{name: "workspace", spec: "main: ./tool\n", work: work, want: []string{"1.27-alpine"}},
		{name: "broken go.mod", spec: "main: ./tool\n", mod: "modul\n", want: []string{"1.27-alpine"}},
		{name: "nothing is built", spec: "main: .\n", opts: []string{"requestid=frontend.targets"}},
		{name: "not a release", spec: "main: .\ngo: one\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := stepFake(t)
			f.locals["dockerfile"]["Gopherfile.yaml"].Data = []byte(tt.spec)
			context := f.locals["context"]
			context["go.mod"] = file(cmp.Or(tt.mod, "module example.com/app\n\ngo 1.26.0\n"))
			context["tool/go.mod"] = file("module example.com/app/tool\n\ngo 1.27.0\n")
			context["tool/main.go"] = file("package main\n\nfunc main() {}\n")
			if tt.work != "" {
				context["go.work"] = file(tt.work)
			}
			for _, o := range tt.opts {
				name, value, _ := strings.Cut(o, "=")
				f.opts[name] = value
			}
			_, _ = Build(t.Context(), f) // error ignored: some are broken, and what they say is tested elsewhere
			var got []string
			for _, r := range f.resolved {
				if _, tag, ok := strings.Cut(r, "/golang:"); ok {
					tag, _, _ = strings.Cut(tag, " ")
					got = append(got, tag)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
