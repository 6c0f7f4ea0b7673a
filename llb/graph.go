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
	// Code and Beside hold files of the context, too: Code those for which Held is
	// true, and Beside the others that the plan reads to compile. Without Held
	// all comes from Context.
	Code, Beside llb.State
	Held         func(name string) bool
	// Named are the named contexts that the files of the plan come from.
	Named []Named
	// Bases are the images below the binaries, in the order of the plan's
	// targets. One without a config is scratch.
	Bases []Base
	// Builder holds the go command.
	Builder llb.State
	// Self is the root file system of this frontend, for BuildPlatform.
	Self llb.State
	// VulnDB is a vulnerability database. Nil: the plan says where one is.
	VulnDB *llb.State
	// BuildPlatform is where every step runs.
	BuildPlatform ocispecs.Platform
	// SourceMap ties the steps to the spec.
	SourceMap *llb.SourceMap
	// Created is the time of the images and of their history, and Dated says that
	// the client gave it.
	Created time.Time
	Dated   bool
	// SBOM asks for what every result is made of.
	SBOM bool
	// Merge says that the daemon can merge layers.
	Merge bool
	// CacheNS is put before the ids of persistent cache mounts.
	CacheNS string
	// Modes says that the daemon knows modes in words, such as u=rwX.
	Modes bool
	// NoCache reports whether a step of that name must run again.
	NoCache func(name string) bool
	// Network is the network of the steps that have one.
	Network pb.NetMode
	// Run is added to every step that runs a command.
	Run []llb.RunOption
	// Online is added to the step with a network.
	Online []llb.RunOption
}

// Named is a named context as it is for a platform.
type Named struct {
	Name     string
	Platform ocispecs.Platform
	State    llb.State
}

// Base is an image below a binary.
type Base struct {
	State  llb.State
	Config *dockerspec.DockerOCIImage
	// Name is the full reference, and Digest what it means, "" where something
	// else stands in for it.
	Name, Digest string
}

// The names of the steps for --no-cache-filter; a compile step has the name of
// its binary.
const (
	StepChecksums    = "checksums"
	StepDependencies = "dependencies"
	StepFiles        = "files"
	StepGenerate     = "generate"
	StepModules      = "modules"
	StepPackages     = "packages"
	StepRootfs       = "rootfs"
	StepSBOM         = "sbom"
	StepSize         = "size"
	StepStd          = "std"
	StepTest         = "test"
	StepVuln         = "vuln"
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
	// Annotations are those of the manifest.
	Annotations []plan.Annotation
	// SBOM holds an SPDX document. Nil: none was asked for.
	SBOM *llb.State
	// Outputs hold the target's binaries, in the order of the plan, to be read
	// without the rest of the image. They are copies that a cache holds.
	Outputs []Output
}

// Output is a state with binaries of a target.
type Output struct {
	State llb.State
	// Paths are where the binaries are, in the order of the plan.
	Paths []string
}

// graph is one drawing.
type graph struct {
	plan *plan.Plan
	in   Input
	// source is the tree that is compiled.
	source llb.State
	// downloads are drawn once, however many steps read them.
	downloads map[*plan.Download]llb.State
	// pruned are by plan, samePruned by what is wanted: binaries that import the
	// same share a download.
	pruned     map[*plan.Modules]*modules
	samePruned map[string]*modules
	// all are the files that every compile copies. Nil: each copies its own.
	all []string
	// copies are by the number of the list of files.
	lists  lists
	copies map[int]llb.State
	// compiled are objects by all that decides them, without the binary.
	compiled map[string]layerOf
	rootfs   map[plan.Rootfs]llb.State
	// frames are those of commands, by shape.
	frames map[string]*frame
	// binaries are drawn once, however many steps read them.
	binaries map[*plan.Binary]llb.State
}

// epoch is the time of every file that we write: an image must not depend on
// the day of its build.
func epoch() *time.Time {
	t := time.Unix(0, 0).UTC()
	return &t
}

// New draws the graph of a plan.
func New(p *plan.Plan, in Input) *Graph {
	g := newGraph(p, in)
	out := &Graph{}
	for i := range p.Targets {
		t := &p.Targets[i]
		var r Result
		switch {
		case t.Test != nil:
			r = Result{State: g.test(t), Image: g.plainConfig(t, "go test")}
		case p.Sizes:
			r = Result{State: g.sizes(t), Image: g.plainConfig(t, "gopherfile size")}
		case p.Vuln != nil:
			r = Result{State: g.vuln(t), Image: g.plainConfig(t, "govulncheck")}
		case p.FilesOnly:
			st, bins := g.files(t)
			r = Result{State: st, Image: g.plainConfig(t, "go build", "gopherfile checksums"), Outputs: []Output{bins}}
		default:
			r = g.image(t, g.base(i))
			r.Annotations = g.annotations(t, g.base(i))
			if out.Rootfs == nil && !t.Rootfs.IsZero() {
				r := g.rootfsOf(t.Rootfs)
				out.Rootfs = &r
			}
		}
		if in.SBOM {
			r.SBOM = g.sbom(t, g.base(i))
		}
		out.Results = append(out.Results, r)
	}
	return out
}

// Source draws the tree that is compiled: the context, and what the commands of
// the plan generate in it.
func Source(p *plan.Plan, in Input) llb.State { return newGraph(p, in).source }

func newGraph(p *plan.Plan, in Input) *graph {
	g := &graph{
		plan: p, in: in,
		downloads: map[*plan.Download]llb.State{}, pruned: map[*plan.Modules]*modules{}, samePruned: map[string]*modules{},
		lists: lists{map[fileList]int{}, map[string]int{}}, copies: map[int]llb.State{},
		compiled: map[string]layerOf{}, rootfs: map[plan.Rootfs]llb.State{},
		frames: map[string]*frame{}, binaries: map[*plan.Binary]llb.State{},
	}
	g.all = together(p.Files(), maxLists)
	g.source = in.Context
	if len(p.Generate) > 0 {
		g.source = g.generate()
		// What the commands read is of the tree before them, and of no use after.
		clear(g.downloads)
		clear(g.copies)
	}
	return g
}

// base is the image below a target. Without any it is scratch.
func (g *graph) base(i int) Base {
	if i < len(g.in.Bases) {
		return g.in.Bases[i]
	}
	return Base{}
}

// at is the place of a step in the spec.
func (g *graph) at(p spec.Pos) llb.ConstraintsOpt { return g.in.SourceMap.Location(Ranges(p, p)) }

// Ranges is a part of the spec as BuildKit has it, from a place up to another:
// lines count from 1, characters from 0. No place is the start of the file.
func Ranges(from, to spec.Pos) []*pb.Range {
	at := func(p spec.Pos) *pb.Position {
		return &pb.Position{Line: int32(max(p.Line, 1)), Character: int32(max(p.Column-1, 0))}
	}
	return []*pb.Range{{Start: at(from), End: at(to)}}
}

// run returns the options that every command has: no shell, a root file system
// that nothing is written to, an explicit network, a name and a place.
func (g *graph) run(step, name string, args []string, network pb.NetMode, pos spec.Pos) []llb.RunOption {
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
