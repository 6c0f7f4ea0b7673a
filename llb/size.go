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
	var mounts []llb.RunOption
	for i := range t.Binaries {
		b := &t.Binaries[i]
		shipped, whole := sourceDir+"/"+strconv.Itoa(i), sourceDir+"/"+strconv.Itoa(i)+"-symbols"
		mounts = append(mounts, llb.AddMount(shipped, g.compile(t, b), llb.Readonly), llb.AddMount(whole, g.withSymbols(t, b), llb.Readonly))
		args = append(args, strconv.Itoa(i)+"/"+b.File)
	}
	opts := append(g.run(StepSize, "["+platform+" "+t.Name+"] bytes by module", args, pb.NetMode_NONE, t.Pos), mounts...)
	return g.in.Self.Run(opts...).AddMount(outputDir, llb.Scratch())
}

// withSymbols is a binary with its symbol table.
func (g *graph) withSymbols(t *plan.Target, b *plan.Binary) llb.State {
	return g.gobuild(t, b, b.SymbolFlags, " with symbols")
}
