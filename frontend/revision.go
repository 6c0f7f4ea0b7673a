package frontend

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// revision is what the build is made from: the build arguments, what the client
// knows of its working tree, or the commit of a git context. It becomes labels: the
// source has no user and no password.
func (b *build) revision(ctx context.Context) (revision, source string, err error) {
	opts := b.ui.BuildOpts().Opts
	revision = cmp.Or(b.ui.BuildArgs["REVISION"], opts["vcs:revision"])
	source = cmp.Or(b.ui.BuildArgs["SOURCE"], opts["vcs:source"])
	op := gitSource(b.contextDef)
	if op == nil || revision != "" && source != "" {
		return revision, redact.Value(source), nil
	}
	meta, err := b.client.ResolveSourceMetadata(ctx, op, sourceresolver.Opt{LogName: "[internal] load the commit of the context"})
	if err != nil {
		return "", "", fmt.Errorf("find the commit of the context: %w", err)
	}
	if meta.Git != nil {
		revision = cmp.Or(revision, meta.Git.CommitChecksum, meta.Git.Checksum)
	}
	remote, _, _ := strings.Cut(cmp.Or(op.Attrs[pb.AttrFullRemoteURL], strings.Replace(op.Identifier, "git://", "https://", 1)), "#")
	return revision, redact.Value(cmp.Or(source, remote)), nil
}

// gitSource is the git repository that a definition starts from, nil when it
// starts from something else.
func gitSource(def *pb.Definition) *pb.SourceOp {
	for _, dt := range def.GetDef() {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil
		}
		if src := op.GetSource(); src != nil && strings.HasPrefix(src.Identifier, "git://") {
			return src
		}
	}
	return nil
}
