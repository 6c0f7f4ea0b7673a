package frontend

import (
	"context"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
)

// lookup asks what a builder image is, beside other work.
type lookup struct {
	ref   string
	found imageFound
	// wait returns when ref and found are known.
	wait func() error
}

// lookUp begins to look up a builder image, which is nil when there is nothing to
// look up.
func (b *build) lookUp(ctx context.Context, image func() *plan.Builder) *lookup {
	l := &lookup{}
	l.wait = beside(func() (err error) {
		p := image()
		if p == nil {
			return nil
		}
		l.ref = p.Ref
		l.found, err = b.image(ctx, imageRequest{ref: p.Ref, platform: b.ui.BuildPlatforms[0], title: "[builder] FROM ", pos: p.Pos})
		return err
	})
	return l
}

// lookAhead begins before the plan names the image: a registry answers while the
// context is sent and scanned. The spec may name it, or the go.mod at the root of
// the context. What is wrong with them is for the plan to say. It does nothing when
// that has begun, and where nothing is built.
func (b *build) lookAhead(ctx context.Context, root func() *scan.Module) {
	if b.lookup != nil || !b.builds {
		return
	}
	b.lookup = b.lookUp(ctx, func() *plan.Builder {
		m := root()
		if m == nil {
			return nil
		}
		p, err := plan.Prepare(b.spec, &scan.Index{Modules: []scan.Module{*m}}, plan.Options{Args: b.ui.BuildArgs, BuildPlatform: b.ui.BuildPlatforms[0]})
		if err != nil {
			return nil // the plan of the whole tree fails likewise
		}
		return &p.Builder
	})
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
