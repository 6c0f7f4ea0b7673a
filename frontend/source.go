package frontend

import (
	"context"
	"maps"
	"slices"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// read reads the build definition. Clients show its text with errors, and
// provenance has it: there it has no password.
func (b *build) read(ctx context.Context) error {
	source, err := b.ui.ReadEntrypoint(ctx, "yaml")
	if err != nil {
		return err
	}
	b.source, b.written, b.sourceDef = source, source.Data, source.Definition.ToPB()
	source.Data = redact.Mask(source.Data)
	if hasUser(b.sourceDef) {
		// It would go with the text, into each error.
		source.State, source.Definition = nil, &bkllb.Definition{}
	}
	return nil
}

// showSpec makes the text what can be shown of a spec whose values are known.
func (b *build) showSpec() {
	if shown := b.spec.Shown(); !b.isModule() {
		// A byte order mark is no part of a spec.
		b.source.Data = slices.Concat(b.written[:len(b.written)-len(shown)], shown)
	}
}

// hasUser reports whether a definition reads a URL with a user or a password.
func hasUser(def *pb.Definition) bool {
	for _, dt := range def.GetDef() {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return true // error ignored: who knows
		}
		src := op.GetSource()
		values := slices.AppendSeq([]string{src.GetIdentifier()}, maps.Values(src.GetAttrs()))
		if slices.ContainsFunc(values, redact.Has) {
			return true
		}
	}
	return false
}
