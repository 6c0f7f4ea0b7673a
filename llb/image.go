package llb

import (
	"path"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// rootfsOf is the layer of rootfs files, drawn once.
func (g *graph) rootfsOf(r plan.Rootfs) llb.State {
	st, ok := g.rootfs[r]
	if !ok {
		st = g.writeRootfs(r)
		g.rootfs[r] = st
	}
	return st
}

// writeRootfs writes the files that scratch lacks, once for all platforms: one
// layer, the same for every image from the same builder image.
func (g *graph) writeRootfs(r plan.Rootfs) llb.State {
	args, titles := []string{selfCommand, "rootfs"}, []string{}
	for _, part := range []struct {
		on          bool
		flag, title string
	}{
		{r.Certs, "-certs", "CA certificates"}, {r.Tzdata, "-tzdata", "time zones"},
		{r.Passwd, "-passwd", "passwd"}, {r.Tmp, "-tmp", "/tmp"},
	} {
		if part.on {
			args, titles = append(args, part.flag), append(titles, part.title)
		}
	}
	args = append(args, "-from", "/builder", outputDir)
	opts := g.run(StepRootfs, "["+StepRootfs+"] "+strings.Join(titles, ", "), args, pb.NetMode_NONE, r.Pos)
	opts = append(opts, llb.AddMount("/builder", g.in.Builder, llb.Readonly, llb.ContentCache(llb.MountContentCacheOff)))
	return g.in.Self.Run(opts...).AddMount(outputDir, llb.Scratch())
}

// layer is one layer of an image, and how it was made.
type layer struct {
	state     llb.State
	createdBy string
}

// image lays everything that an image holds over its base: the rootfs, files and
// the binaries. Files are copied onto what is below, whose directories keep their
// rights, and a directory that is a link in the base, such as /bin in Debian, stays
// one.
func (g *graph) image(t *plan.Target, base Base) Result {
	st, layers := base.State, []layer(nil)
	if base.Config == nil {
		st = llb.Scratch()
	}
	if !t.Rootfs.IsZero() {
		l := layer{g.rootfsOf(t.Rootfs), "gopherfile rootfs"}
		if base.Config == nil {
			st = l.state
		} else {
			st = g.copyLayer(t, st, l)
		}
		layers = append(layers, l)
	}
	if dirs := writable(t); len(t.Files) > 0 || len(dirs) > 0 {
		st, layers = g.copyFiles(t, st, dirs, user(t, base)), append(layers, layer{createdBy: "gopherfile files"})
	}
	bins, outputs := make([]layer, len(t.Binaries)), make([]Output, len(t.Binaries))
	for i := range t.Binaries {
		b := &t.Binaries[i]
		bins[i] = layer{g.install(t, b, b.Path), "go build " + b.Main}
		outputs[i] = Output{bins[i].state, []string{b.Path}}
	}
	empty := base.Config == nil && len(layers) == 0
	st = g.addBinaries(t, st, empty, bins)
	// The image's own binary, which changes most, is its last layer.
	slices.Reverse(bins)
	return Result{State: st, Image: g.config(t, base, append(layers, bins...)), Outputs: outputs}
}

// addBinaries lays binaries over a state, the image's own last. What stands in
// the root needs no directory, and is merged: then a binary that changes is no
// reason to write the others again.
func (g *graph) addBinaries(t *plan.Target, st llb.State, empty bool, bins []layer) llb.State {
	var states []llb.State
	if !empty {
		states = append(states, st)
	}
	inRoot := true
	for i, l := range slices.Backward(bins) {
		states = append(states, l.state)
		inRoot = inRoot && path.Dir(t.Binaries[i].Path) == "/"
	}
	if g.in.Merge && inRoot && len(states) > 1 {
		return llb.Merge(states, g.imageName(t), g.at(t.Pos), llb.Platform(g.in.BuildPlatform))
	}
	for i, l := range slices.Backward(bins) {
		if empty {
			st, empty = l.state, false
			continue
		}
		st = g.place(t, st, l.state, t.Binaries[i].Path)
	}
	return st
}

// place copies a binary to where it stands.
func (g *graph) place(t *plan.Target, st, from llb.State, name string) llb.State {
	info := &llb.CopyInfo{CreatedTime: epoch()}
	return st.File(
		g.settled(directory(nil, path.Dir(name)).Copy(from, name, name, info), plan.Rootfs{}, name),
		g.imageName(t), g.at(t.Pos), llb.Platform(g.in.BuildPlatform),
	)
}

func (g *graph) imageName(t *plan.Target) llb.ConstraintsOpt {
	return llb.WithCustomName("[" + platforms.Format(t.Platform) + " " + t.Name + "] image")
}

// copyLayer copies a layer onto a state.
func (g *graph) copyLayer(t *plan.Target, st llb.State, l layer) llb.State {
	info := &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true, CreatedTime: epoch()}
	return st.File(llb.Copy(l.state, "/", "/", info), g.imageName(t), g.at(t.Pos), llb.Platform(g.in.BuildPlatform))
}

// install puts a binary where it stands in the image, with a fixed time.
func (g *graph) install(t *plan.Target, b *plan.Binary, dest string) llb.State {
	return llb.Scratch().File(
		g.copyBinary(nil, t, b, dest),
		llb.WithCustomName("["+platforms.Format(t.Platform)+" "+b.Name+"] copy "+dest),
		g.at(b.Pos), llb.Platform(g.in.BuildPlatform),
	)
}

// copyBinary adds the copy of a binary to an action, nil for none.
func (g *graph) copyBinary(fa *llb.FileAction, t *plan.Target, b *plan.Binary, dest string) *llb.FileAction {
	info := &llb.CopyInfo{
		Mode:           &llb.ChmodOpt{Mode: 0o755},
		CreateDestPath: path.Dir(dest) != "/",
		CreatedTime:    epoch(),
	}
	bin := g.compile(t, b)
	if fa == nil {
		return llb.Copy(bin, "/"+b.File, dest, info, llb.WithUIDGID(0, 0))
	}
	return fa.Copy(bin, "/"+b.File, dest, info, llb.WithUIDGID(0, 0))
}

// exported are binaries as files.
func (g *graph) exported(t *plan.Target) (bins Output) {
	var fa *llb.FileAction
	for i := range t.Binaries {
		to := "/" + t.Binaries[i].File
		fa, bins.Paths = g.copyBinary(fa, t, &t.Binaries[i], to), append(bins.Paths, to)
	}
	name := llb.WithCustomName("[" + platforms.Format(t.Platform) + " " + t.Name + "] copy")
	bins.State = llb.Scratch().File(fa, name, g.at(t.Pos), llb.Platform(g.in.BuildPlatform))
	return bins
}

// files are binaries as files, with their checksums, and without them.
func (g *graph) files(t *plan.Target) (all llb.State, bins Output) {
	title := "[" + platforms.Format(t.Platform) + " " + t.Name + "] "
	where := []llb.ConstraintsOpt{g.at(t.Pos), llb.Platform(g.in.BuildPlatform)}
	bins = g.exported(t)
	st := bins.State
	opts := g.run(StepChecksums, title+"checksums", []string{selfCommand, "checksums", sourceDir, outputDir}, pb.NetMode_NONE, t.Pos)
	opts = append(opts, llb.AddMount(sourceDir, st, llb.Readonly))
	sums := g.in.Self.Run(opts...).AddMount(outputDir, llb.Scratch())
	info := &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: epoch()}
	bins.State = st
	return st.File(llb.Copy(sums, "/", "/", info), append(where, llb.WithCustomName(title+"files"))...), bins
}
