package frontend

import (
	"context"
	"errors"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/llb"
)

// discreet is a client that shows no password in the titles of steps: BuildKit
// writes the URL of a git context there as it is, ours and a named one.
type discreet struct{ client.Client }

// Solve hides what a definition says of URLs.
func (d discreet) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	hideTitles(req.Definition)
	return d.Client.Solve(ctx, req)
}

// CurrentFrontend is the image that runs, nil where there is none.
func (d discreet) CurrentFrontend() (*bkllb.State, error) {
	c, ok := d.Client.(interface {
		CurrentFrontend() (*bkllb.State, error)
	})
	if !ok {
		return nil, nil
	}
	return c.CurrentFrontend()
}

// shown is an error in other words. What others say of a URL may have its password,
// and so may what BuildKit knows of the step that failed.
func shown(err error, msg string) error {
	for in := err; ; {
		e, ok := errors.AsType[*errdefs.SolveError](in)
		if !ok {
			return &explained{msg: redact.Text(msg), err: err}
		}
		hideOp(e.Op)
		in = e.Err
	}
}

// hideOp takes passwords out of the addresses of a step: of proxies, of a git
// repository and of a file.
func hideOp(op *pb.Op) {
	if meta := op.GetExec().GetMeta(); meta != nil {
		meta.ProxyEnv = nil
	}
	if src := op.GetSource(); src != nil {
		src.Identifier = redact.Value(src.Identifier)
		for name, value := range src.Attrs {
			src.Attrs[name] = redact.Value(value)
		}
	}
}

// hideTitles takes passwords out of the titles of a definition. They are no part
// of a key. What is told of a step may be in other definitions, too, which are
// solved at the same time: it is copied where it changes.
func hideTitles(def *pb.Definition) {
	for dgst, md := range def.GetMetadata() {
		title := md.GetDescription()[llb.TitleKey]
		if hidden := redact.Text(title); hidden != title {
			md = md.CloneVT()
			md.Description[llb.TitleKey] = hidden
			def.Metadata[dgst] = md
		}
	}
}
