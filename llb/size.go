package llb

import (
	"strconv"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// sizes is what the binaries of a target are made of, as files. It is read from
// the symbol tables of binaries that differ from the shipped ones in the link
// alone.
func (g *graph) sizes(t *plan.Target) llb.State {
	platform := platforms.Format(t.Platform)
	args := []string{selfCommand, "size", "-platform", platform, sourceDir, outputDir}
	mounts, names := g.twice(t)
	args = append(args, names...)
	opts := append(g.run(StepSize, "["+platform+" "+t.Name+"] bytes by module", args, pb.NetMode_NONE, t.Pos), mounts...)
	return g.in.Self.Run(opts...).AddMount(outputDir, llb.Scratch())
}

// twice mounts the binaries of a target below the source directory, each as it is
// shipped and beside it with its symbol table, and names them.
func (g *graph) twice(t *plan.Target) (mounts []llb.RunOption, names []string) {
	for i := range t.Binaries {
		b, dir := &t.Binaries[i], strconv.Itoa(i)
		mounts = append(mounts,
			llb.AddMount(sourceDir+"/"+dir, g.compile(t, b), llb.Readonly),
			llb.AddMount(sourceDir+"/"+dir+"-symbols", g.withSymbols(t, b), llb.Readonly),
		)
		names = append(names, dir+"/"+b.File)
	}
	return mounts, names
}

// withSymbols is a binary with its symbol table.
func (g *graph) withSymbols(t *plan.Target, b *plan.Binary) llb.State {
	return g.gobuild(t, b, b.SymbolFlags, " with symbols")
}
