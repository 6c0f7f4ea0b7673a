package llb

import (
	"io/fs"
	"path"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// copyFiles puts the files of a target onto a state, in one layer.
func (g *graph) copyFiles(t *plan.Target, st llb.State) llb.State {
	var fa *llb.FileAction
	var ranges []*pb.Range
	for i := range t.Files {
		f := &t.Files[i]
		src, name := g.fileSource(t, f)
		info, owner := g.copyInfo(f), llb.WithUIDGID(f.UID, f.GID)
		if fa == nil {
			fa = llb.Copy(src, name, f.To, info, owner)
		} else {
			fa = fa.Copy(src, name, f.To, info, owner)
		}
		ranges = append(ranges, Ranges(f.Pos, f.Pos)...)
	}
	opts := []llb.ConstraintsOpt{
		llb.WithCustomName("[" + platforms.Format(t.Platform) + " " + t.Name + "] " + StepFiles),
		g.in.SourceMap.Location(ranges), llb.Platform(g.in.BuildPlatform),
	}
	if g.in.NoCache(StepFiles) {
		opts = append(opts, llb.IgnoreCache)
	}
	return st.File(fa, opts...)
}

// copyInfo says how a file is copied: as COPY does it in a Dockerfile.
func (g *graph) copyInfo(f *plan.File) *llb.CopyInfo {
	info := &llb.CopyInfo{
		FollowSymlinks:      true,
		CopyDirContentsOnly: true,
		AllowWildcard:       true,
		CreateDestPath:      true,
		CreatedTime:         epoch(),
	}
	switch {
	case f.Mode >= 0:
		info.Mode = &llb.ChmodOpt{Mode: fs.FileMode(f.Mode)}
	case f.URL != "":
		info.Mode = &llb.ChmodOpt{Mode: 0o644}
	}
	return info
}

// fileSource is where a file comes from, and its name there.
func (g *graph) fileSource(t *plan.Target, f *plan.File) (llb.State, string) {
	if f.URL != "" {
		name := path.Base(f.To)
		if strings.HasSuffix(f.To, "/") {
			name = urlName(f.URL)
		}
		return llb.HTTP(f.URL, llb.Checksum(digest.Digest(f.Checksum)), llb.Filename(name),
			llb.WithCustomName("["+StepFiles+"] "+f.URL), g.at(f.Pos)), "/" + name
	}
	for _, n := range g.in.Named {
		if n.Name == f.Context && platforms.FormatAll(n.Platform) == platforms.FormatAll(t.Platform) {
			return n.State, f.Path
		}
	}
	return g.source, f.Path
}

// urlName is the name of the file behind a URL.
func urlName(url string) string {
	url, _, _ = strings.Cut(url, "#")
	url, _, _ = strings.Cut(url, "?")
	if name := path.Base(url); name != "." && name != "/" {
		return name
	}
	return "file"
}
