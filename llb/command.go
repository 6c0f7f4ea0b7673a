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

// shape is all of a command but what variants of it have of their own. No value
// of a plan holds a NUL byte.
func (c *command) shape(again bool) string {
	shape := []byte(c.dir)
	for _, e := range c.env {
		shape = append(append(shape, 0), e...)
	}
	shape = append(shape, 0, bit(again))
	for _, m := range c.mounts {
		shape = append(append(append(append(shape, m.dir...), 0), m.as.path...), 0)
		shape = append(append(shape, m.as.cache...), 0)
		shape = append(shape, bit(m.as.readonly), bit(m.as.unhashed), bit(m.as.lost), bit(m.from.Output() == nil))
	}
	return string(shape)
}

func bit(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// draw draws a command: one as BuildKit has it, and those that are like it as its
// variants.
func (g *graph) draw(c *command) llb.State {
	shape := c.shape(g.in.NoCache(c.step))
	f, ok := g.frames[shape]
	if ok {
		return llb.Scratch().WithOutput(g.newVariant(f, c))
	}
	st := g.drawAlone(c)
	g.frames[shape] = g.newFrame(c, st)
	return st
}

// drawAlone draws a command as BuildKit has it. The result is exported in another
// form, whose key leads to it.
func (g *graph) drawAlone(c *command) llb.State {
	opts := g.run(c.step, c.title, c.args, pb.NetMode_NONE, c.pos)
	opts = append(opts, llb.Dir(c.dir), environment(c.env), llb.WithoutExportCache(), c.mounts)
	return g.in.Builder.Run(opts...).AddMount(outputDir, llb.Scratch())
}
