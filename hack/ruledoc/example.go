package main

import (
	"fmt"
	"slices"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/lint"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

const specName = "Gopherfile.yaml"

// module is the context of an example that brings none of its own.
const module = `
-- go.mod --
module example.com/app

go 1.26.0
-- main.go --
package main

func main() {}
`

// said returns the warnings of an example, one a line.
func said(e lint.Example) (string, error) {
	opt := plan.Options{
		BuildPlatform: ocispecs.Platform{OS: "linux", Architecture: "amd64"},
		Args:          map[string]string{},
		Every:         true,
	}
	words := strings.Fields(e.Options)
	for i := 0; i+1 < len(words); i += 2 {
		switch words[i] {
		case "--build-arg":
			name, value, _ := strings.Cut(words[i+1], "=")
			opt.Args[name] = value
		case "--target":
			opt.Target = words[i+1]
		default:
			return "", fmt.Errorf("unknown option %s", words[i])
		}
	}
	ws, err := check(e, opt)
	var b strings.Builder
	for _, w := range ws {
		fmt.Fprintf(&b, "%s:%d:%d: %s: %s\n", specName, w.Start.Line, w.Start.Column, w.Rule, w.Msg)
	}
	return b.String(), err
}

// check runs the rules on an example.
func check(e lint.Example, opt plan.Options) ([]lint.Warning, error) {
	source := []byte(e.Text())
	s, err := spec.Parse(specName, source)
	if err != nil {
		return nil, err
	}
	cfg, err := lint.ParseConfig(specName, source, opt.Args)
	if err != nil {
		return nil, err
	}
	tree := txtar.Parse([]byte(e.Tree))
	for _, f := range txtar.Parse([]byte(module)).Files {
		if !slices.ContainsFunc(tree.Files, func(own txtar.File) bool { return own.Name == f.Name }) {
			tree.Files = append(tree.Files, f)
		}
	}
	fsys, err := txtar.FS(tree)
	if err != nil {
		return nil, err
	}
	ix, err := scan.Scan(fsys, scan.Options{Mains: plan.Mains(s), NoWork: plan.NoWork(s)})
	if err != nil {
		return nil, err
	}
	p, err := plan.Resolve(s, ix, opt)
	if err != nil {
		return nil, err
	}
	in := lint.Input{Spec: s, Source: source, Index: ix, Plan: p, FilesOnly: opt.Target == plan.TargetBinaries}
	return lint.Check(in, cfg), nil
}
