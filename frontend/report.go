package frontend

import (
	"context"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerui"

	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/frontend/vuln"
	"github.com/gopherfile/gopherfile/llb"
)

// inlineMessage is the part of a result that docker buildx prints at the end of a
// build (commands/build.go there). BuildKit has no name for it.
const inlineMessage = "frontend.result.inlinemessage"

// addReport tells what was built: a line for each binary of each platform, and
// with --target vuln what was found. A step says nothing when it is cached.
func (b *build) addReport(ctx context.Context, rb *dockerui.ResultBuilder, g *llb.Graph, all []*proof) error {
	report := builtReport(g, all)
	if b.plan.Vuln != nil {
		found, err := findings(ctx, all)
		if err != nil {
			return err
		}
		report += found
	}
	if report != "" {
		rb.AddMeta(inlineMessage, []byte(report))
	}
	return nil
}

// findings is what was found in the binaries of all platforms. They share what a
// terminal is shown, and each has room for some lines at least.
func findings(ctx context.Context, all []*proof) (string, error) {
	const limit, least = 1 << 20, 4 << 10
	var report strings.Builder
	for i, p := range all {
		if i > 0 {
			report.WriteByte('\n')
		}
		found, err := readAll(ctx, p.result, vuln.TextFile, maxReport)
		if err != nil {
			return "", err
		}
		report.WriteString(redact.Lines(string(found), max(limit/len(all), least)))
	}
	return report.String(), nil
}

// builtReport has a line for each binary of each platform.
func builtReport(g *llb.Graph, all []*proof) string {
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
	if len(lines) == 0 {
		return ""
	}
	return verify.Report(lines)
}
