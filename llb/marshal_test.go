package llb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/protobuf/proto"
)

// states are all states of a graph that somebody solves.
func states(g *Graph) []llb.State {
	var all []llb.State
	if g.Rootfs != nil {
		all = append(all, *g.Rootfs)
	}
	for _, r := range g.Results {
		all = append(all, r.State)
		if r.SBOM != nil {
			all = append(all, *r.SBOM)
		}
		for _, out := range r.Outputs {
			all = append(all, out.State)
		}
	}
	return all
}

// checkMarshaler compares what a Marshaler writes with what BuildKit writes, byte
// for byte: the steps, what is told about them and their places in the spec.
func checkMarshaler(t *testing.T, states []llb.State, options ...llb.ConstraintsOpt) {
	t.Helper()
	options = append(options, llb.LocalUniqueID("unique")) // it would be random
	m := NewMarshaler(options...)
	for i, st := range states {
		want, err := st.Marshal(t.Context(), options...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Marshal(t.Context(), st)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(wire(t, got), wire(t, want.ToPB())) {
			t.Fatalf("state %d of %d: -BuildKit +ours:\n%s", i, len(states), cmp.Diff(linesOf(want.ToPB()), linesOf(got)))
		}
	}
}

// wire is a definition as it is sent, with its maps in order.
func wire(t *testing.T, def *pb.Definition) []byte {
	t.Helper()
	dt, err := proto.MarshalOptions{Deterministic: true}.Marshal(def)
	if err != nil {
		t.Fatal(err)
	}
	return dt
}

// linesOf is a definition as lines of text.
func linesOf(def *pb.Definition) []string {
	var lines []string
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			panic(err)
		}
		lines = append(lines, op.String())
	}
	for dgst, meta := range def.Metadata {
		lines = append(lines, fmt.Sprintf("%s: %v %v", dgst, meta, def.Source.GetLocations()[dgst]))
	}
	slices.Sort(lines[len(def.Def):])
	return lines
}

// TestMarshalFleet compares the definitions of a fleet with those of BuildKit.
func TestMarshalFleet(t *testing.T) {
	s, ix, opt, sm := fleet(t)
	if testing.Short() {
		opt.Platforms = slices.Concat(opt.Platforms[:2], opt.Platforms[len(opt.Platforms)-2:])
	}
	p, in := planFleet(t, s, ix, opt, sm)
	checkMarshaler(t, states(New(p, in)), llb.WithCaps(pb.Caps.CapSet(pb.Caps.All())))
	checkVariants(t, p, in)
}

// TestMarshalBeside has several goroutines marshal the states of a graph, which
// share steps.
func TestMarshalBeside(t *testing.T) {
	s, ix, opt, sm := fleet(t)
	opt.Platforms = opt.Platforms[:3]
	p, in := planFleet(t, s, ix, opt, sm)
	in.SBOM = true
	all := states(New(p, in))
	alone, shared := make([][]byte, len(all)), make([][]byte, len(all))
	for i, st := range all {
		def, err := NewMarshaler(llb.LocalUniqueID("unique")).Marshal(t.Context(), st)
		if err != nil {
			t.Fatal(err)
		}
		alone[i] = wire(t, def)
	}
	m := NewMarshaler(llb.LocalUniqueID("unique"))
	var wg sync.WaitGroup
	for i, st := range all {
		wg.Go(func() {
			def, err := m.Marshal(t.Context(), st)
			if err != nil {
				t.Error(err)
				return
			}
			shared[i] = wire(t, def)
		})
	}
	wg.Wait()
	for i := range all {
		if !bytes.Equal(alone[i], shared[i]) {
			t.Errorf("state %d is not what it is by itself", i)
		}
	}
}

// TestMarshalSame marshals steps with one digest of which different things are
// told, in each order, and source maps that are the same.
func TestMarshalSame(t *testing.T) {
	sm := func(text string) *llb.SourceMap { return llb.NewSourceMap(nil, "f", "yaml", []byte(text)) }
	at := func(m *llb.SourceMap, line int32) llb.ConstraintsOpt {
		p := &pb.Position{Line: line}
		return m.Location([]*pb.Range{{Start: p, End: p}})
	}
	file := func(opts ...llb.ConstraintsOpt) llb.State {
		return llb.Scratch().File(llb.Mkfile("/f", 0o644, nil), opts...)
	}
	a := file(llb.WithCustomName("a"), at(sm("one"), 1), llb.WithoutExportCache())
	b := file(llb.WithCustomName("b"), llb.WithDescription(map[string]string{"k": "v"}), at(sm("two"), 2), at(sm("one"), 3), llb.IgnoreCache)
	c := file(llb.ProgressGroup("id", "name", false), llb.WithExportCache())
	other := llb.Scratch().File(llb.Mkdir("/d", 0o755), at(sm("two"), 4))
	state := llb.Scratch().File(llb.Mkfile("/spec", 0o644, []byte("three")))
	from := llb.Scratch().File(llb.Mkdir("/e", 0o755), at(llb.NewSourceMap(&state, "f", "yaml", []byte("three")), 5))
	checkMarshaler(t, []llb.State{
		llb.Scratch(), a, b, c, other, from,
		llb.Merge([]llb.State{a, b, c, other}), llb.Merge([]llb.State{other, from, c, b, a}),
		llb.Merge([]llb.State{from, llb.Merge([]llb.State{a, other})}), a,
	})
}

// TestMarshalError returns what went wrong while a state was drawn.
func TestMarshalError(t *testing.T) {
	st := llb.Image("golang").Run(llb.Args([]string{"go"})).AddMount("/tmp", llb.Scratch(), llb.Tmpfs())
	m := NewMarshaler()
	_, want := st.Marshal(t.Context())
	for range 2 {
		if _, err := m.Marshal(t.Context(), st); err == nil || err.Error() != want.Error() {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	below := llb.Scratch().File(llb.Copy(st, "/", "/"))
	if _, err := m.Marshal(t.Context(), below); err == nil {
		t.Error("no error for what is made of it")
	}
	fails := errors.New("fails")
	late := llb.Scratch().Async(func(context.Context, llb.State, *llb.Constraints) (llb.State, error) { return llb.State{}, fails })
	if _, err := m.Marshal(t.Context(), late); !errors.Is(err, fails) {
		t.Errorf("got %v, want %v", err, fails)
	}
}

// TestMetadataFields fails when BuildKit tells something new of a step: mergeMeta
// and frames list what there is.
func TestMetadataFields(t *testing.T) {
	var got []string
	fields := (&pb.OpMetadata{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		got = append(got, string(fields.Get(i).Name()))
	}
	want := []string{"ignore_cache", "description", "export_cache", "caps", "progress_group", "linux_resources"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields of OpMetadata (-want +got):\n%s", diff)
	}
}
