package frontend

import (
	"context"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
)

// ahead is the look-up of an image that began before the plan names it: a registry
// answers while the context is sent and scanned.
type ahead struct {
	ref   string
	found imageFound
	// wait returns when ref and found are known.
	wait func() error
}

// lookAhead begins to look up the builder image, which the spec may name, or the
// go.mod at the root of the context. What is wrong with them is for the plan to
// say. It does nothing when that has begun, and where nothing is built.
func (b *build) lookAhead(ctx context.Context, root func() *scan.Module) {
	if b.ahead != nil || !b.builds {
		return
	}
	a := &ahead{}
	a.wait = beside(func() error {
		m := root()
		if m == nil {
			return nil
		}
		p, err := plan.Prepare(b.spec, &scan.Index{Modules: []scan.Module{*m}}, plan.Options{Args: b.ui.BuildArgs, BuildPlatform: b.ui.BuildPlatforms[0]})
		if err != nil {
			return nil //nolint:nilerr // the plan of the whole tree fails likewise
		}
		a.found, err = b.image(ctx, b.builderRequest(p.Builder))
		a.ref = p.Builder.Ref
		return err
	})
	b.ahead = a
}

// lookAheadOfSpec looks up an image that no go.mod decides.
func (b *build) lookAheadOfSpec(ctx context.Context) {
	if b.spec.Go != "" || b.spec.Builder != "" {
		b.lookAhead(ctx, func() *scan.Module { return &scan.Module{Dir: "."} })
	}
}

// lookAheadOfModule looks up the image for the module at the root of the context.
// Another one that is built may ask for another.
func (b *build) lookAheadOfModule(ctx context.Context) {
	if b.sources != nil {
		tree := b.tree // it may become another one
		b.lookAhead(ctx, func() *scan.Module { return scan.Root(tree) })
	}
}

func (b *build) builderRequest(image plan.Builder) imageRequest {
	return imageRequest{ref: image.Ref, platform: b.ui.BuildPlatforms[0], title: "[builder] FROM ", pos: image.Pos}
}
