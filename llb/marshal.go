package llb

import (
	"bytes"
	"context"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// Marshaler writes the states of a graph as definitions, byte for byte those of
// [llb.State.Marshal]. That one writes and hashes each step again for each state
// above it; a Marshaler does so once. The definitions share what is the same in
// them: nobody may change what their maps hold. It may be used by several
// goroutines.
type Marshaler struct {
	options     []llb.ConstraintsOpt
	constraints *llb.Constraints

	// mu guards what follows, and the vertices: llb sorts their mounts in place.
	mu       sync.Mutex
	vertices map[llb.Vertex]*vertex
	infos    map[*llb.SourceMap]*pb.SourceInfo
	// written is the number of the last definition.
	written int
}

// NewMarshaler returns a Marshaler under constraints that hold for all states.
func NewMarshaler(options ...llb.ConstraintsOpt) *Marshaler {
	return &Marshaler{
		options: options, constraints: llb.NewConstraints(options...),
		vertices: map[llb.Vertex]*vertex{}, infos: map[*llb.SourceMap]*pb.SourceInfo{},
	}
}

// vertex is a step as it is written.
type vertex struct {
	inputs  []*vertex
	digest  string
	op      []byte
	meta    *pb.OpMetadata
	sources []*llb.SourceLocation
	// places are the sources as the last definition with it has them.
	places *pb.Locations
	// written is the number of that definition.
	written int
}

// Marshal writes a state and all that it is made of. Errors that were made while
// it was drawn come out here.
func (m *Marshaler) Marshal(ctx context.Context, st llb.State) (*pb.Definition, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := &pb.Definition{Metadata: map[string]*pb.OpMetadata{}}
	if st.Output() == nil {
		return out, nil
	}
	top := st.Output().Vertex(ctx, m.constraints)
	if top == nil {
		return out, nil
	}
	v, err := m.vertex(ctx, top)
	if err != nil {
		return nil, err
	}
	m.written++
	out.Source = &pb.Source{Locations: map[string]*pb.Locations{}}
	d := definition{Marshaler: m, out: out, index: map[*llb.SourceMap]int32{}}
	d.add(v)
	if err := d.head(ctx, st.Output()); err != nil {
		return nil, err
	}
	if err := d.addInfos(ctx); err != nil {
		return nil, err
	}
	return out, nil
}

// vertex writes a step, and those below it.
func (m *Marshaler) vertex(ctx context.Context, v llb.Vertex) (*vertex, error) {
	if known := m.vertices[v]; known != nil {
		return known, nil
	}
	inputs := v.Inputs()
	out := &vertex{inputs: make([]*vertex, len(inputs))}
	for i, in := range inputs {
		below, err := m.vertex(ctx, in.Vertex(ctx, m.constraints))
		if err != nil {
			return nil, err
		}
		out.inputs[i] = below
	}
	dgst, op, meta, sources, err := v.Marshal(ctx, m.constraints)
	if err != nil {
		return nil, err
	}
	out.digest, out.op, out.meta, out.sources = string(dgst), op, meta, sources
	m.vertices[v] = out
	return out, nil
}

// definition is a definition that is being written.
type definition struct {
	*Marshaler
	out *pb.Definition
	// maps are the source maps, and index their places in it. Several that are
	// the same have one.
	maps  []*llb.SourceMap
	index map[*llb.SourceMap]int32
}

// add adds what a step is made of, and the step. Of steps that differ in
// nothing but what is told about them there is one, about which all is told.
func (d *definition) add(v *vertex) {
	if v.written == d.written {
		return
	}
	for _, in := range v.inputs {
		d.add(in)
	}
	v.written = d.written
	if v.meta != nil {
		d.out.Metadata[v.digest] = mergeMeta(d.out.Metadata[v.digest], v.meta)
	}
	d.place(v)
	same, known := d.out.Source.Locations[v.digest]
	if !known {
		d.out.Source.Locations[v.digest] = v.places
		d.out.Def = append(d.out.Def, v.op)
		return
	}
	all := append(same.Locations[:len(same.Locations):len(same.Locations)], v.places.Locations...)
	d.out.Source.Locations[v.digest] = &pb.Locations{Locations: all}
}

// place makes the places of a step those that it has in this definition. With one
// source map, as in nearly all graphs, they are those that it had before.
func (d *definition) place(v *vertex) {
	same := v.places != nil
	for i, s := range v.sources {
		at := d.indexOf(s.SourceMap)
		same = same && v.places.Locations[i].SourceIndex == at
	}
	if same {
		return
	}
	v.places = &pb.Locations{}
	for _, s := range v.sources {
		v.places.Locations = append(v.places.Locations, &pb.Location{SourceIndex: d.index[s.SourceMap], Ranges: s.Ranges})
	}
}

// indexOf is the place of a source map in the definition.
func (d *definition) indexOf(sm *llb.SourceMap) int32 {
	at, ok := d.index[sm]
	if !ok {
		at = int32(len(d.maps))
		for i, other := range d.maps {
			if sameMap(other, sm) {
				at = int32(i)
				break
			}
		}
		if int(at) == len(d.maps) {
			d.maps = append(d.maps, sm)
		}
		d.index[sm] = at
	}
	return at
}

// sameMap reports whether two source maps say the same.
func sameMap(a, b *llb.SourceMap) bool {
	if a == nil || b == nil || a.Filename != b.Filename || a.Language != b.Language || !bytes.Equal(a.Data, b.Data) {
		return false
	}
	if a.Definition == nil || b.Definition == nil {
		return true
	}
	x, y := a.Definition.Def, b.Definition.Def
	if len(x) == 0 || len(y) == 0 {
		return len(x) == len(y)
	}
	return len(x) == len(y) && bytes.Equal(x[len(x)-1], y[len(y)-1])
}

// head ends the definition with what is taken of it, and with what a daemon must
// know to take it.
func (d *definition) head(ctx context.Context, of llb.Output) error {
	in, err := of.ToInput(ctx, d.constraints)
	if err != nil {
		return err
	}
	dt, err := (&pb.Op{Inputs: []*pb.Input{in}}).MarshalVT()
	if err != nil {
		return err
	}
	d.out.Def = append(d.out.Def, dt)
	caps := map[string]bool{string(pb.CapConstraints): true, string(pb.CapPlatform): true}
	for _, meta := range d.out.Metadata {
		if meta.IgnoreCache {
			caps[string(pb.CapMetaIgnoreCache)] = true
		}
		if len(meta.Description) > 0 {
			caps[string(pb.CapMetaDescription)] = true
		}
		if meta.ExportCache != nil {
			caps[string(pb.CapMetaExportCache)] = true
		}
	}
	d.out.Metadata[string(digest.FromBytes(dt))] = &pb.OpMetadata{Caps: caps}
	return nil
}

// addInfos adds the texts that the places are in.
func (d *definition) addInfos(ctx context.Context) error {
	for _, sm := range d.maps {
		info := d.infos[sm]
		if info == nil {
			if sm.Definition == nil && sm.State != nil {
				def, err := sm.State.Marshal(ctx, d.options...)
				if err != nil {
					return err
				}
				sm.Definition = def
			}
			info = &pb.SourceInfo{Data: sm.Data, Filename: sm.Filename, Language: sm.Language}
			if sm.Definition != nil {
				info.Definition = sm.Definition.ToPB()
			}
			d.infos[sm] = info
		}
		d.out.Source.Infos = append(d.out.Source.Infos, info)
	}
	return nil
}

// mergeMeta is what two steps with one digest say of themselves. The later one
// counts where they differ.
func mergeMeta(a, b *pb.OpMetadata) *pb.OpMetadata {
	if a == nil {
		return b
	}
	a = a.CloneVT()
	a.IgnoreCache = a.IgnoreCache || b.IgnoreCache
	for k, v := range b.Description {
		if a.Description == nil {
			a.Description = map[string]string{}
		}
		a.Description[k] = v
	}
	for k := range b.Caps {
		if a.Caps == nil {
			a.Caps = map[string]bool{}
		}
		a.Caps[k] = true
	}
	if b.ExportCache != nil {
		a.ExportCache = b.ExportCache
	}
	if b.ProgressGroup != nil {
		a.ProgressGroup = b.ProgressGroup
	}
	if b.LinuxResources != nil {
		a.LinuxResources = b.LinuxResources
	}
	return a
}
