package llb

import (
	"strconv"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// sbom is the SPDX document of a target, written from its binaries. It is the
// same for the same binaries, whatever they were compiled from.
func (g *graph) sbom(t *plan.Target, base Base) *llb.State {
	args := []string{selfCommand, "sbom", "-name", t.Name}
	if !g.plan.FilesOnly && t.Test == nil {
		args = append(args, "-image")
	}
	if g.in.Dated {
		args = append(args, "-created", strconv.FormatInt(g.in.Created.Unix(), 10))
	}
	for _, f := range []struct{ flag, value string }{
		{"-revision", t.Revision}, {"-source", t.Source}, {"-base", base.Name}, {"-base-digest", base.Digest},
	} {
		if f.value != "" {
			args = append(args, f.flag, f.value)
		}
	}
	args = append(args, sourceDir, outputDir)
	mounts, names := g.binaryMounts(t)
	title := "[" + platforms.Format(t.Platform) + " " + t.Name + "] SBOM"
	opts := append(g.run(StepSBOM, title, append(args, names...), pb.NetMode_NONE, t.Pos), mounts...)
	st := g.in.Self.Run(opts...).AddMount(outputDir, llb.Scratch())
	return &st
}

// binaryMounts mounts the binaries of a target below the source directory, each
// with the folders that it has in the image, and names them. They are mounted as
// they are exported: an imported cache has them in that form alone.
func (g *graph) binaryMounts(t *plan.Target) (mounts []llb.RunOption, names []string) {
	if g.plan.Sizes || g.plan.Vuln != nil {
		return nil, nil // a report holds none
	}
	if g.plan.FilesOnly {
		mounts = append(mounts, llb.AddMount(sourceDir+"/0", g.exported(t).State, llb.Readonly))
	}
	for i := range t.Binaries {
		b := &t.Binaries[i]
		if g.plan.FilesOnly {
			names = append(names, "0/"+b.File)
			continue
		}
		dir := strconv.Itoa(i)
		mounts = append(mounts, llb.AddMount(sourceDir+"/"+dir, g.install(t, b, b.Path), llb.Readonly))
		names = append(names, dir+b.Path)
	}
	return mounts, names
}
