package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
	"github.com/gopherfile/gopherfile/llb"
)

// requests answers what a client can ask without building.
func (b *build) requests() dockerui.RequestHandler {
	return dockerui.RequestHandler{Outline: b.outline, ListTargets: b.targets, Lint: b.lint}
}

// describe lists the subrequests. dockerui's own list leaves out some of them.
func (b *build) describe() (*client.Result, bool, error) {
	if b.ui.BuildOpts().Opts["requestid"] != subrequests.RequestSubrequestsDescribe {
		return nil, false, nil
	}
	dt, err := json.MarshalIndent([]subrequests.Request{
		lint.SubrequestLintDefinition,
		outline.SubrequestsOutlineDefinition,
		targets.SubrequestsTargetsDefinition,
		subrequests.SubrequestsDescribeDefinition,
	}, "", "  ")
	if err != nil {
		return nil, true, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(dt, &text); err != nil {
		return nil, true, err
	}
	res := client.NewResult()
	res.AddMeta("result.json", dt)
	res.AddMeta("result.txt", text.Bytes())
	res.AddMeta("version", []byte(subrequests.SubrequestsDescribeDefinition.Version))
	return res, true, nil
}

// outline lists the build arguments of the spec.
func (b *build) outline(context.Context) (*outline.Outline, error) {
	if err := b.parse(); err != nil {
		return nil, err
	}
	o := &outline.Outline{Sources: [][]byte{b.source.Data}}
	for i := range b.spec.Args {
		a := &b.spec.Args[i]
		arg := outline.Arg{Name: a.Name, Location: location(b.spec.At(&a.Name))}
		if v, ok := b.ui.BuildArgs[a.Name]; ok {
			arg.Value = v
		} else if a.Default != nil {
			arg.Value = *a.Default
		}
		o.Args = append(o.Args, arg)
	}
	return o, nil
}

// targets lists what --target can name.
func (b *build) targets(ctx context.Context) (*targets.List, error) {
	if err := b.resolve(ctx); err != nil {
		return nil, err
	}
	t := b.plan.Targets[0]
	return &targets.List{
		Targets: []targets.Target{
			{Name: t.Binary, Default: true, Description: "image with " + t.Main, Base: "scratch", Location: location(t.Pos)},
			{Name: plan.TargetBinaries, Description: "the binaries as files", Location: location(t.Pos)},
		},
		Sources: [][]byte{b.source.Data},
	}, nil
}

// lint resolves the spec and reports what stands in the way. What is no fault
// of the spec or of a go.mod, such as a lost client, is an error of the call.
func (b *build) lint(ctx context.Context) (*lint.LintResults, error) {
	res := &lint.LintResults{}
	source := int32(res.AddSource(b.source.SourceMap))
	err := b.resolve(ctx)
	if err == nil {
		for _, w := range b.plan.Warnings {
			loc := location(w.Pos)
			loc.SourceIndex = source
			res.Warnings = append(res.Warnings, lint.Warning{RuleName: w.Rule, Detail: w.Msg, Location: loc})
		}
		return res, nil
	}
	var list spec.ErrorList
	var in *scan.Error
	if !errors.As(err, &list) && !errors.As(err, &in) {
		return nil, err
	}
	res.Error = &lint.BuildError{Message: err.Error(), Location: pb.Location{SourceIndex: source}}
	for _, s := range errdefs.Sources(b.explain(err)) {
		if s.Info.Filename == b.source.Filename {
			res.Error.Location.Ranges = append(res.Error.Location.Ranges, s.Ranges...)
		}
	}
	return res, nil
}

func location(p spec.Pos) *pb.Location { return &pb.Location{Ranges: llb.Ranges(p)} }
