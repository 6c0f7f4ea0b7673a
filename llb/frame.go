package llb

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// TitleKey is where the metadata of a step has its title (WithCustomName of
// BuildKit's client/llb).
const TitleKey = "llb.customname"

// frame is what commands of one shape have in common. BuildKit writes one of them.
// The others, its variants, are what it wrote, with a title, a place, arguments and
// mounted states of their own.
type frame struct {
	like     llb.Vertex
	title    string
	platform *ocispecs.Platform
	// slots are the mounts that have a state, in the order of BuildKit.
	slots []slot
	// places are those that the client's options add to each command.
	places []*llb.SourceLocation

	// mu guards what follows: the command as BuildKit writes it under some
	// constraints, and the mounts of the slots in it. Variants are written by way
	// of it.
	mu    sync.Mutex
	under *llb.Constraints
	op    *pb.Op
	meta  *pb.OpMetadata
	into  []*pb.Mount
	index int64
}

// written is a command as it is written under some constraints.
type written struct {
	under  *llb.Constraints
	digest digest.Digest
	op     []byte
	meta   *pb.OpMetadata
	index  int64 // of its result
}

// slot is a mount with a state: that of all commands, or one of each.
type slot struct {
	dir  string
	from llb.Output
	own  int // among the mounts of a command, -1: that of all
}

// newFrame is the frame of commands that are like one, whose result is a state.
func (g *graph) newFrame(c *command, result llb.State) *frame {
	var more llb.ExecInfo
	for _, o := range g.in.Run {
		o.SetRunOption(&more)
	}
	f := &frame{
		like:  result.Output().Vertex(context.Background(), nil),
		title: c.title, platform: &g.in.BuildPlatform, places: more.SourceLocations,
		slots: []slot{{"/", g.in.Builder.Output(), -1}},
	}
	for _, m := range more.Mounts {
		if m.Source != nil {
			f.slots = append(f.slots, slot{m.Target, m.Source, -1})
		}
	}
	for i, m := range c.mounts {
		if out := m.from.Output(); out != nil {
			f.slots = append(f.slots, slot{m.dir, nil, i})
		}
	}
	slices.SortStableFunc(f.slots, func(a, b slot) int { return cmp.Compare(a.dir, b.dir) })
	return f
}

// prepare has BuildKit write its command under constraints.
func (f *frame) prepare(ctx context.Context, c *llb.Constraints) error {
	if f.under == c {
		return nil
	}
	_, dt, meta, _, err := f.like.Marshal(ctx, c)
	if err != nil {
		return err
	}
	op := &pb.Op{}
	if err := op.UnmarshalVT(dt); err != nil {
		return err
	}
	f.into = f.into[:0]
	for _, m := range op.GetExec().Mounts {
		if m.Input >= 0 {
			f.into = append(f.into, m)
		}
		if m.Dest == outputDir {
			f.index = m.Output
		}
	}
	f.under, f.op, f.meta = c, op, meta
	return nil
}

// write writes a variant that has inputs for the slots.
func (f *frame) write(ctx context.Context, c *llb.Constraints, title string, args []string, inputs []*pb.Input) (*written, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.prepare(ctx, c); err != nil {
		return nil, err
	}
	f.op.GetExec().Meta.Args = args
	f.op.Inputs = f.op.Inputs[:0]
	for i, in := range inputs {
		at := slices.IndexFunc(f.op.Inputs, in.EqualVT)
		if at < 0 {
			at = len(f.op.Inputs)
			f.op.Inputs = append(f.op.Inputs, in)
		}
		f.into[i].Input = int64(at)
	}
	dt, err := f.op.MarshalVT() // in the order of BuildKit: a command has no map
	if err != nil {
		return nil, err
	}
	about := maps.Clone(f.meta.Description)
	if about[TitleKey] == f.title {
		about[TitleKey] = title
	}
	return &written{under: c, digest: digest.FromBytes(dt), op: dt, index: f.index, meta: &pb.OpMetadata{
		IgnoreCache: f.meta.IgnoreCache, Description: about, ExportCache: f.meta.ExportCache,
		Caps: f.meta.Caps, ProgressGroup: f.meta.ProgressGroup, LinuxResources: f.meta.LinuxResources,
	}}, nil
}

// variant is a command that is written by way of a frame, as a vertex of BuildKit,
// and its result.
type variant struct {
	frame  *frame
	title  string
	args   []string
	from   []llb.Output // by slot
	places []*llb.SourceLocation

	mu   sync.Mutex
	last *written // nil: nobody asked yet
}

// newVariant is a command that has the shape of a frame.
func (g *graph) newVariant(f *frame, c *command) *variant {
	var at llb.Constraints
	g.at(c.pos).SetConstraintsOption(&at)
	v := &variant{frame: f, title: c.title, args: c.args, from: make([]llb.Output, len(f.slots))}
	v.places = append(at.SourceLocations, f.places...)
	for i, s := range f.slots {
		v.from[i] = s.from
		if s.own >= 0 {
			v.from[i] = c.mounts[s.own].from.Output()
		}
	}
	return v
}

// Validate reports what is wrong with the command or what it mounts.
func (v *variant) Validate(ctx context.Context, c *llb.Constraints) error {
	if err := v.frame.like.Validate(ctx, c); err != nil {
		return err
	}
	for _, from := range v.from {
		if err := from.Vertex(ctx, c).Validate(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// Marshal writes the command.
func (v *variant) Marshal(ctx context.Context, c *llb.Constraints) (digest.Digest, []byte, *pb.OpMetadata, []*llb.SourceLocation, error) {
	w, err := v.write(ctx, c)
	if err != nil {
		return "", nil, nil, nil, err
	}
	return w.digest, w.op, w.meta, v.places, nil
}

// write writes the command, once under the same constraints.
func (v *variant) write(ctx context.Context, c *llb.Constraints) (*written, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last != nil && v.last.under == c {
		return v.last, nil
	}
	inputs := make([]*pb.Input, len(v.from))
	for i, from := range v.from {
		in, err := from.ToInput(ctx, c)
		if err != nil {
			return nil, err
		}
		inputs[i] = in
	}
	w, err := v.frame.write(ctx, c, v.title, v.args, inputs)
	if err != nil {
		return nil, err
	}
	v.last = w
	return w, nil
}

// Output is the result.
func (v *variant) Output() llb.Output { return v }

// Inputs are what is mounted.
func (v *variant) Inputs() []llb.Output { return v.from }

// ToInput is the result as the input of another step.
func (v *variant) ToInput(ctx context.Context, c *llb.Constraints) (*pb.Input, error) {
	w, err := v.write(ctx, c)
	if err != nil {
		return nil, err
	}
	return &pb.Input{Digest: string(w.digest), Index: w.index}, nil
}

// Vertex is the command that has the result.
func (v *variant) Vertex(context.Context, *llb.Constraints) llb.Vertex { return v }

// Platform is where the command runs.
func (v *variant) Platform() *ocispecs.Platform { return v.frame.platform }
