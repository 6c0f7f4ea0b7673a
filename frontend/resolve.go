package frontend

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/lint"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
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
	b.showSpec()
	b.lintConfig, err = lint.ParseConfig(b.source.Filename, b.text(), b.ui.BuildArgs)
	return err
}

// resolve goes from the spec and the context to the plan: that of --target, or
// with every that of all binaries.
func (b *build) resolve(ctx context.Context, every bool) error {
	if err := b.parse(); err != nil {
		return err
	}
	b.lookAheadOfSpec(ctx)
	if err := b.loadContext(ctx); err != nil {
		return err
	}
	b.lookAheadOfModule(ctx)
	opt, err := b.planOptions(ctx)
	if err != nil {
		return err
	}
	opt.Every = every
	b.options = opt
	if err := b.generate(ctx); err != nil {
		return err
	}
	if b.index, err = b.scan(ctx); err != nil {
		return err
	}
	if b.plan, err = plan.Resolve(b.spec, b.index, b.options); err != nil {
		return b.withMains(err)
	}
	return b.checkFiles()
}

// withMains is an error of the plan, with the main packages of the whole tree
// where it can name them: the index has those that the spec names.
func (b *build) withMains(failed error) error {
	if !plan.BlamesMain(b.spec, failed) {
		return failed
	}
	index, err := scan.Tree(b.tree, scan.Options{Mains: plan.Mains(b.spec), NoWork: plan.NoWork(b.spec)})
	if err != nil || index.Err != nil {
		return failed // error ignored: the other one is what stands in the way
	}
	if _, err := plan.Resolve(b.spec, index, b.options); err != nil {
		return err
	}
	return failed
}

// planOptions are what the client asks for.
func (b *build) planOptions(ctx context.Context) (plan.Options, error) {
	ignored, err := b.ignored()
	if err != nil {
		return plan.Options{}, err
	}
	revision, source, err := b.revision(ctx)
	return plan.Options{
		Platforms:      b.ui.TargetPlatforms,
		BuildPlatform:  b.ui.BuildPlatforms[0],
		Args:           b.ui.BuildArgs,
		Labels:         b.ui.Labels,
		Target:         b.ui.Target,
		Sizes:          b.ui.BuildOpts().Opts["requestid"] == requestSize,
		Imports:        len(b.ui.CacheImports) > 0,
		Ignored:        ignored,
		IgnorePatterns: b.excludes,
		Revision:       revision,
		Source:         source,
	}, err
}

// loadContext makes the build context readable: what the scan needs of it, or
// all of it.
func (b *build) loadContext(ctx context.Context) error {
	err := b.findContext(ctx)
	if err == nil {
		b.sources, err = b.loadSources(ctx)
	}
	var ignore *scan.Error
	switch {
	case errors.As(err, &ignore):
		return err
	case err != nil:
		return fmt.Errorf("load the build context: %w", err)
	case b.sources != nil:
		b.tree = b.sources.files
		return nil
	}
	return b.loadWhole(ctx)
}

// findContext says where the build context is. The vertex is the one that the
// compile steps copy from: it is transferred once.
func (b *build) findContext(ctx context.Context) error {
	var err error
	if b.excludes, err = b.ui.DockerIgnorePatterns(ctx); err != nil {
		return err
	}
	if err := b.checkIgnore(ctx); err != nil {
		return err
	}
	if b.context, err = b.mainContext(ctx, "gopherfile-context", bkllb.ExcludePatterns(b.excluded())); err != nil {
		return err
	}
	b.contextDef, err = b.marshal(ctx, *b.context)
	return err
}

// mainContext is the build context as it is transferred with some options. Each
// transfer has a key of its own, and none is that of a Dockerfile with the same
// context: BuildKit keeps one copy for each.
func (b *build) mainContext(ctx context.Context, key string, opts ...bkllb.LocalOption) (*bkllb.State, error) {
	return b.ui.MainContext(ctx, append(opts, bkllb.SharedKeyHint(key), b.at(spec.Pos{}))...)
}

// excluded are the patterns of what is not transferred. No go command reads
// .git, not even for an embed; a commit must not compile anything.
func (b *build) excluded() []string { return append(slices.Clone(b.excludes), ".git") }

// loadWhole transfers the whole build context.
func (b *build) loadWhole(ctx context.Context) error {
	whole, err := b.load(ctx, b.contextDef)
	if err != nil {
		return err
	}
	b.tree = whole
	return nil
}

// load transfers a part of the build context. It imports no cache: there is none
// for what comes from the client.
func (b *build) load(ctx context.Context, def *pb.Definition) (*tree, error) {
	res, err := b.client.Solve(ctx, client.SolveRequest{Definition: def, Evaluate: true})
	if err != nil {
		return nil, fmt.Errorf("load the build context: %w", err)
	}
	ref, err := res.SingleRef()
	if err != nil {
		return nil, fmt.Errorf("load the build context: %w", err)
	}
	return &tree{ctx: ctx, ref: ref}, nil
}
