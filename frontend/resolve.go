package frontend

import (
	"context"
	"fmt"
	"path"
	"slices"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/patternmatcher"

	"github.com/gopherfile/gopherfile/frontend/lint"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
	"github.com/gopherfile/gopherfile/llb"
)

// isModule reports whether the build definition is a go.mod, which stands for
// an empty spec.
func (b *build) isModule() bool { return path.Base(b.source.Filename) == "go.mod" }

// parse reads the spec, and what it and the client say of the rules.
func (b *build) parse() error {
	s, err := spec.Parse(b.source.Filename, b.text())
	if err != nil {
		return err
	}
	b.spec = s
	b.lintConfig, err = lint.ParseConfig(b.source.Filename, b.text(), b.ui.BuildArgs)
	return err
}

// resolve goes from the spec and the context to the plan: that of --target, or
// with every that of all binaries.
func (b *build) resolve(ctx context.Context, every bool) error {
	if err := b.parse(); err != nil {
		return err
	}
	if err := b.loadContext(ctx); err != nil {
		return err
	}
	opt, err := b.planOptions(ctx)
	if err != nil {
		return err
	}
	opt.Every = every
	b.options = opt
	if err := b.generate(ctx, opt); err != nil {
		return err
	}
	b.index, err = scan.Scan(b.tree, scan.Options{Mains: plan.Mains(b.spec)})
	if err != nil {
		return err
	}
	if b.plan, err = plan.Resolve(b.spec, b.index, opt); err != nil {
		return err
	}
	return b.checkFiles()
}

// planOptions are what the client asks for.
func (b *build) planOptions(ctx context.Context) (plan.Options, error) {
	ignored, err := b.ignored()
	if err != nil {
		return plan.Options{}, err
	}
	revision, source, err := b.revision(ctx)
	return plan.Options{
		Platforms:     b.ui.TargetPlatforms,
		BuildPlatform: b.ui.BuildPlatforms[0],
		Args:          b.ui.BuildArgs,
		Labels:        b.ui.Labels,
		Target:        b.ui.Target,
		Imports:       len(b.ui.CacheImports) > 0,
		Ignored:       ignored,
		Revision:      revision,
		Source:        source,
	}, err
}

// generate runs the commands of the spec and reads the tree that they leave.
func (b *build) generate(ctx context.Context, opt plan.Options) error {
	if len(b.spec.Generate) == 0 {
		return nil
	}
	index, err := scan.Scan(b.tree, scan.Options{})
	if err != nil {
		return err
	}
	if b.plan, err = plan.Prepare(b.spec, index, opt); err != nil {
		return err
	}
	in, err := b.input(ctx)
	if err != nil {
		return err
	}
	def, err := b.marshal(ctx, llb.Source(b.plan, in))
	if err != nil {
		return err
	}
	ref, err := b.solve(ctx, def)
	if err != nil {
		return b.generateError(ctx, err)
	}
	b.tree = &tree{ctx: ctx, ref: ref}
	return nil
}

// ignored reports whether a .dockerignore keeps go.mod from us, as one does that
// was written to copy a finished binary.
func (b *build) ignored() (bool, error) {
	m, err := matcher(b.excludes)
	if err != nil {
		return false, err
	}
	return m.MatchesOrParentMatches("go.mod")
}

func matcher(patterns []string) (*patternmatcher.PatternMatcher, error) {
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	return m, nil
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
	b.contextDef = def
	res, err := b.client.Solve(ctx, client.SolveRequest{Definition: def, Evaluate: true})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}
