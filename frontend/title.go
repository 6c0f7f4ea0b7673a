package frontend

import (
	"context"
	"strings"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/redact"
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

// titleKey is where BuildKit has the title of a step.
const titleKey = "llb.customname"

// hideTitles takes passwords out of the titles of a definition. They are no part
// of a key.
func hideTitles(def *pb.Definition) {
	for _, md := range def.GetMetadata() {
		title := md.GetDescription()[titleKey]
		if !strings.Contains(title, "@") || !strings.Contains(title, "://") {
			continue
		}
		words := strings.Split(title, " ")
		for i, w := range words {
			if strings.Contains(w, "://") {
				words[i] = redact.URL(w)
			}
		}
		if hidden := strings.Join(words, " "); hidden != title {
			md.Description[titleKey] = hidden
		}
	}
}
