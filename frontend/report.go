package frontend

import (
	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerui"

	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/llb"
)

// inlineMessage is the part of a result that docker buildx prints at the end of a
// build (commands/build.go there). BuildKit has no name for it.
const inlineMessage = "frontend.result.inlinemessage"

// addReport tells what was built, a line for each binary of each platform.
func addReport(rb *dockerui.ResultBuilder, g *llb.Graph, all []*proof) {
	var lines []verify.Line
	for i, p := range all {
		for j, facts := range p.facts {
			l := verify.Line{Name: p.target.Binaries[j].File, Platform: platforms.Format(p.target.Platform), Facts: facts}
			if j == 0 { // the one that the image runs
				l.User = g.Results[i].Image.Config.User
			}
			lines = append(lines, l)
		}
	}
	if len(lines) > 0 {
		rb.AddMeta(inlineMessage, []byte(verify.Report(lines)))
	}
}
