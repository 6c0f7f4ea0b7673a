package frontend

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/patternmatcher"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// parse reads the spec. A go.mod as the build definition is an empty one.
func (b *build) parse() error {
	data := b.source.Data
	if path.Base(b.source.Filename) == "go.mod" {
		data = nil
	}
	s, err := spec.Parse(b.source.Filename, data)
	if err != nil {
		return err
	}
	b.spec = s
	return nil
}

// resolve goes from the spec and the context to the plan.
func (b *build) resolve(ctx context.Context) error {
	if err := b.parse(); err != nil {
		return err
	}
	if err := b.loadContext(ctx); err != nil {
		return err
	}
	index, err := scan.Scan(b.tree, scan.Options{Main: b.spec.Main})
	if err != nil {
		return err
	}
	ignored, err := b.ignored()
	if err != nil {
		return err
	}
	opts := b.ui.BuildOpts().Opts
	b.plan, err = plan.Resolve(b.spec, index, plan.Options{
		Platforms:     b.ui.TargetPlatforms,
		BuildPlatform: b.ui.BuildPlatforms[0],
		Args:          b.ui.BuildArgs,
		Labels:        b.ui.Labels,
		Target:        b.ui.Target,
		Ignored:       ignored,
		Revision:      cmp.Or(b.ui.BuildArgs["REVISION"], opts["vcs:revision"]),
		Source:        cmp.Or(b.ui.BuildArgs["SOURCE"], opts["vcs:source"]),
	})
	return err
}

// ignored reports whether a .dockerignore keeps go.mod from us, as one does that
// was written to copy a finished binary.
func (b *build) ignored() (bool, error) {
	m, err := patternmatcher.New(b.excludes)
	if err != nil {
		return false, fmt.Errorf("read .dockerignore: %w", err)
	}
	return m.MatchesOrParentMatches("go.mod")
}

// loadContext transfers the build context and makes it readable. The vertex is
// the one that the compile steps mount, so that the transfer happens once.
func (b *build) loadContext(ctx context.Context) error {
	ref, err := b.transfer(ctx)
	if err != nil {
		return fmt.Errorf("load the build context: %w", err)
	}
	b.tree = &tree{ctx: ctx, ref: ref}
	return nil
}

// transfer solves the build context alone. It imports no cache: there is none
// for what comes from the client.
func (b *build) transfer(ctx context.Context) (client.Reference, error) {
	var err error
	if b.excludes, err = b.ui.DockerIgnorePatterns(ctx); err != nil {
		return nil, err
	}
	// No go command reads .git, not even for an embed; a commit must not
	// compile anything. The transfer is another one than that of a Dockerfile
	// with the same context, so it has a key of its own.
	b.context, err = b.ui.MainContext(ctx,
		bkllb.ExcludePatterns(append(slices.Clone(b.excludes), ".git")),
		bkllb.SharedKeyHint("gopherfile-context"),
		b.at(spec.Pos{}),
	)
	if err != nil {
		return nil, err
	}
	def, err := b.marshal(ctx, *b.context)
	if err != nil {
		return nil, err
	}
	res, err := b.client.Solve(ctx, client.SolveRequest{Definition: def, Evaluate: true})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}
