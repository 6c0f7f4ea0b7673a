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

// image lays everything that an image holds over its base.
func (g *graph) image(t *plan.Target, base Base) Result {
	var layers []layer
	if !t.Rootfs.IsZero() {
		layers = append(layers, layer{g.rootfsOf(t.Rootfs), "gopherfile rootfs"})
	}
	bins, outputs := make([]layer, len(t.Binaries)), make([]Output, len(t.Binaries))
	for i := range t.Binaries {
		b := &t.Binaries[i]
		bins[i] = layer{g.install(t, b, b.Path), "go build " + b.Main}
		outputs[i] = Output{bins[i].state, []string{b.Path}}
	}
	// The image's own binary, which changes most, is its last layer.
	slices.Reverse(bins)
	st := llb.Scratch()
	if base.Config != nil {
		r := g.onBase(t, base, append(layers, bins...))
		r.Outputs = outputs
		return r
	}
	if len(t.Files) > 0 {
		layers = append(layers, layer{g.copyFiles(t, st), "gopherfile files"})
	}
	layers = append(layers, bins...)
	return Result{State: g.stack(t, layers), Image: g.config(t, base, layers), Outputs: outputs}
}

// stack is the image of layers. A daemon that cannot merge copies them instead,
// with the same result.
func (g *graph) stack(t *plan.Target, layers []layer) llb.State {
	if len(layers) == 1 {
		return layers[0].state
	}
	if g.in.Merge {
		var states []llb.State
		for _, l := range layers {
			states = append(states, l.state)
		}
		return llb.Merge(states, g.imageName(t), g.at(t.Pos), llb.Platform(g.in.BuildPlatform))
	}
	st := layers[0].state
	for _, l := range layers[1:] {
		st = g.copyLayer(t, st, l)
	}
	return st
}

// onBase puts layers on a base image. They are copied, not merged: a directory
// of a layer would replace a link of the base, such as /bin in Debian. What
// stands in the root needs no directory.
func (g *graph) onBase(t *plan.Target, base Base, layers []layer) Result {
	st := base.State
	var done []layer
	for _, l := range layers[:len(layers)-len(t.Binaries)] {
		st, done = g.copyLayer(t, st, l), append(done, l)
	}
	if len(t.Files) > 0 {
		st, done = g.copyFiles(t, st), append(done, layer{createdBy: "gopherfile files"})
	}
	inRoot := !slices.ContainsFunc(t.Binaries, func(b plan.Binary) bool { return path.Dir(b.Path) != "/" })
	bins := layers[len(layers)-len(t.Binaries):]
	done = append(done, bins...)
	if g.in.Merge && inRoot {
		st = g.stack(t, append([]layer{{state: st}}, bins...))
	} else {
		for _, l := range bins {
			st = g.copyLayer(t, st, l)
		}
	}
	return Result{State: st, Image: g.config(t, base, done)}
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
