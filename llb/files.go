package llb

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// copyFiles puts the files of a target onto a state, in one layer, and before them
// directories of a user. Directories that it needs are made first: a copy would
// give them the mode and the owner of the file.
func (g *graph) copyFiles(t *plan.Target, st llb.State, dirs []string, user string) llb.State {
	var fa *llb.FileAction
	var ranges []*pb.Range
	for _, dir := range dirs {
		fa = directory(fa, path.Dir(dir)).Mkdir(dir, 0o755, llb.WithParents(true), llb.WithCreatedTime(*epoch()), llb.WithUser(user))
	}
	targets := slices.Clone(dirs)
	for i := range t.Files {
		f := &t.Files[i]
		src, name := g.fileSource(t, f)
		info := g.copyInfo(f)
		if f.Mode >= 0 && f.Mode&0o111 == 0 && f.URL == "" && g.in.Modes {
			src, name, info = g.withMode(t, f, src, name, info)
		}
		fa = directory(fa, parent(f.To)).Copy(src, name, f.To, info, llb.WithUIDGID(f.UID, f.GID))
		ranges = append(ranges, Ranges(f.Pos, f.Pos)...)
		targets = append(targets, f.To)
	}
	fa = g.settled(fa, t.Rootfs, targets...)
	opts := []llb.ConstraintsOpt{
		llb.WithCustomName("[" + platforms.Format(t.Platform) + " " + t.Name + "] " + StepFiles),
		g.in.SourceMap.Location(ranges), llb.Platform(g.in.BuildPlatform),
	}
	if g.in.NoCache(StepFiles) {
		opts = append(opts, llb.IgnoreCache)
	}
	return st.File(fa, opts...)
}

// withMode is a source whose files have a mode already, and how it is copied:
// directories are given the right to be entered by whoever may read them. A mode
// in words cannot tell a directory from a program; of these none is left.
func (g *graph) withMode(t *plan.Target, f *plan.File, src llb.State, name string, info *llb.CopyInfo) (llb.State, string, *llb.CopyInfo) {
	st := llb.Scratch().File(
		directory(nil, parent(f.To)).Copy(src, name, f.To, info),
		llb.WithCustomName("["+platforms.Format(t.Platform)+" "+t.Name+"] "+StepFiles+": mode"), g.at(f.Pos), llb.Platform(g.in.BuildPlatform),
	)
	mode := info.Mode.Mode.Perm()
	return st, path.Clean(f.To), &llb.CopyInfo{
		CopyDirContentsOnly: true, CreateDestPath: true, CreatedTime: epoch(),
		Mode: &llb.ChmodOpt{ModeStr: strings.Join([]string{words("u", mode>>6), words("g", mode>>3), words("o", mode)}, ",")},
	}
}

// words are the rights of one class, as chmod has them.
func words(class string, mode fs.FileMode) string {
	s := class + "="
	if mode&4 != 0 {
		s += "r"
	}
	if mode&2 != 0 {
		s += "w"
	}
	if mode&4 != 0 {
		s += "," + class + "+X"
	}
	return s
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
	if name := path.Base(url); name != "." && name != ".." && name != "/" {
		return name
	}
	return "file"
}
