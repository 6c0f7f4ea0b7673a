package llb

import (
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// command is a step that runs the go command on the builder and without a network.
// What it writes to [outputDir] is its result.
type command struct {
	// step is the name for --no-cache-filter.
	step, title string
	pos         spec.Pos
	args        []string
	dir         string
	env         []string
	mounts      mounts
}

// draw draws a command. A result of its own is exported in another form: its key
// leads to that.
func (g *graph) draw(c *command) llb.State {
	opts := g.run(c.step, c.title, c.args, pb.NetMode_NONE, c.pos)
	opts = append(opts, llb.Dir(c.dir), environment(c.env), llb.WithoutExportCache(), c.mounts)
	return g.in.Builder.Run(opts...).AddMount(outputDir, llb.Scratch())
}
