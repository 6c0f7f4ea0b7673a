// Package llb is the plan as a graph: what BuildKit runs, with the name, the
// place in the spec and the network mode of every step.
//
// Graph is a total function of its arguments. Errors of the graph ride in the
// states and come out when they are marshaled.
//
// Invariants: nothing is read, no map is ranged, no platform is defaulted, no
// step runs a shell or on a target platform, and only the module download has a
// network.
package llb

import (
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// Input is what the graph is drawn on: states that the frontend made, and what
// the client asked of every step.
type Input struct {
	// Context is the build context. It is only mounted read-only or copied from.
	Context llb.State
	// Builder holds the go command.
	Builder llb.State
	// Self is the root file system of this frontend, for BuildPlatform.
	Self llb.State
	// BuildPlatform is where every step runs.
	BuildPlatform ocispecs.Platform
	// SourceMap ties the steps to the spec.
	SourceMap *llb.SourceMap
	// Created is the time of the images and of their history.
	Created time.Time
	// Merge says that the daemon can merge layers.
	Merge bool
	// CacheNS is put before the ids of persistent cache mounts.
	CacheNS string
	// NoCache reports whether a step of that name must run again.
	NoCache func(name string) bool
	// Network is the network of the module download.
	Network pb.NetMode
	// Run is added to every step that runs a command.
	Run []llb.RunOption
	// Online is added to the step with a network.
	Online []llb.RunOption
}

// The names of the steps for --no-cache-filter; a compile step has the name of
// its binary.
const (
	StepModules = "modules"
	StepRootfs  = "rootfs"
)

// Graph is the plan as states.
type Graph struct {
	// Rootfs holds the files that scratch lacks. Nil: the plan wants none.
	Rootfs *llb.State
	// Results are in the order of the plan's targets.
	Results []Result
}

// Result is what a target becomes.
type Result struct {
	State llb.State
	Image *dockerspec.DockerOCIImage
}

// graph is one drawing.
type graph struct {
	plan *plan.Plan
	in   Input
}

// epoch is the time of every file that we write: an image must not depend on
// the day of its build.
func epoch() *time.Time {
	t := time.Unix(0, 0).UTC()
	return &t
}

// New draws the graph of a plan.
func New(p *plan.Plan, in Input) *Graph {
	g := graph{plan: p, in: in}
	var mods *llb.State
	if p.Download != nil {
		m := g.download()
		mods = &m
	}
	out := &Graph{}
	if !p.Rootfs.IsZero() {
		r := g.rootfs()
		out.Rootfs = &r
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		files := out.Rootfs
		if t.Port.OS != "linux" {
			files = nil
		}
		bin := g.install(t, g.compile(t, mods))
		out.Results = append(out.Results, Result{
			State: g.image(t, bin, files),
			Image: g.config(t, files != nil),
		})
	}
	return out
}

// at is the place of a step in the spec.
func (g graph) at(p spec.Pos) llb.ConstraintsOpt { return g.in.SourceMap.Location(Ranges(p)) }

// Ranges is a place of the spec as BuildKit has it: lines count from 1,
// characters from 0. No place is the start of the file.
func Ranges(p spec.Pos) []*pb.Range {
	pos := &pb.Position{Line: int32(max(p.Line, 1)), Character: int32(max(p.Column-1, 0))}
	return []*pb.Range{{Start: pos, End: pos}}
}

// run returns the options that every command has: no shell, a root file system
// that nothing is written to, an explicit network, a name and a place.
func (g graph) run(step, name string, args []string, network pb.NetMode, pos spec.Pos) []llb.RunOption {
	opts := []llb.RunOption{
		llb.Args(args),
		llb.Platform(g.in.BuildPlatform),
		llb.ReadonlyRootFS(),
		llb.AddMount("/tmp", llb.Scratch(), llb.Tmpfs()),
		llb.Network(network),
		llb.WithCustomName(name),
		g.at(pos),
	}
	if g.in.NoCache(step) {
		opts = append(opts, llb.IgnoreCache)
	}
	return append(opts, g.in.Run...)
}
