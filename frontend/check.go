package frontend

import (
	"context"
	"errors"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/gateway/client"
	bklint "github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/lint"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
	"github.com/gopherfile/gopherfile/llb"
)

// lintInput is what the rules look at: the plan of all binaries, whatever is
// built.
func (b *build) lintInput() lint.Input {
	in := lint.Input{Spec: b.spec, Source: b.text(), Index: b.index, Plan: b.plan, FilesOnly: b.filesOnly()}
	if b.plan.All != nil {
		all := *b.plan
		all.Targets = b.plan.All
		in.Plan = &all
		return in
	}
	opt := b.options
	opt.Every = true
	if p, err := plan.Resolve(b.spec, b.index, opt); err == nil {
		in.Plan = p
	} // otherwise what is wrong is not in what is built
	return in
}

// filesOnly reports whether the client asks for files, and not for an image.
func (b *build) filesOnly() bool {
	return slices.Contains([]string{plan.TargetBinaries, plan.TargetSize, plan.TargetVuln}, b.ui.Target)
}

// text is the spec's text: none when the build definition is a go.mod.
func (b *build) text() []byte {
	if b.isModule() {
		return nil
	}
	return b.written
}

// lint tells what the rules find. When the user wants warnings to be errors,
// they are returned as one.
func (b *build) lint(ctx context.Context) error {
	return b.tell(ctx, lint.Check(b.lintInput(), b.lintConfig))
}

// tell sends warnings to the client.
func (b *build) tell(ctx context.Context, warnings []lint.Warning) error {
	for _, w := range warnings {
		b.source.Warn(ctx, linter.LintFormatShort(w.Rule, w.Msg, w.Start.Line), client.WarnOpts{
			Range:  llb.Ranges(w.Start, w.End),
			Detail: [][]byte{[]byte(w.Summary)},
			URL:    w.URL,
		})
	}
	return b.lintConfig.Err(b.source.Filename, warnings)
}

// check resolves the spec and reports what the rules find, or what stands in
// the way. What is no fault of the spec or of a go.mod, such as a lost client,
// is an error of the call.
func (b *build) check(ctx context.Context) (*bklint.LintResults, error) {
	res := &bklint.LintResults{}
	err := b.resolve(ctx, true)
	source := int32(res.AddSource(b.source.SourceMap))
	if err == nil {
		for _, w := range lint.Check(b.lintInput(), b.lintConfig) {
			res.Warnings = append(res.Warnings, bklint.Warning{
				RuleName: w.Rule, Description: w.Summary, URL: w.URL, Detail: w.Msg,
				Location: &pb.Location{SourceIndex: source, Ranges: llb.Ranges(w.Start, w.End)},
			})
		}
		return res, nil
	}
	var list spec.ErrorList
	var in *scan.Error
	if !errors.As(err, &list) && !errors.As(err, &in) {
		return nil, err
	}
	err = b.explain(err)
	res.Error = &bklint.BuildError{Message: err.Error(), Location: pb.Location{SourceIndex: source}}
	for _, s := range errdefs.Sources(err) {
		if s.Info.Filename == b.source.Filename {
			res.Error.Location.Ranges = append(res.Error.Location.Ranges, s.Ranges...)
		}
	}
	return res, nil
}
