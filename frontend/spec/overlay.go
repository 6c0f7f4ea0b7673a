package spec

import "reflect"

// Effective returns how a binary is built and what its image is: its own keys
// over those of the spec. Their fields have places, too. For nil, which stands
// for the binary of a spec that names none, they are those of the spec.
func (s *Spec) Effective(b *Binary) (*Build, *Image) {
	if b == nil {
		return &s.Build, &s.Image
	}
	return b.build, b.image
}

// maxMerged is how many entries binaries may have in mappings that are merged
// with those of the spec, all together. A hundred binaries with a hundred labels
// each are a tenth of it; each entry takes memory, and time before the first
// step runs.
const maxMerged = 100_000

// overlay lays the keys of every binary over those of the spec.
func (s *Spec) overlay() error {
	for i := range s.Binaries {
		b := &s.Binaries[i]
		b.build, b.image = &Build{}, &Image{}
		s.lay(reflect.ValueOf(b.build).Elem(), reflect.ValueOf(&s.Build).Elem(), reflect.ValueOf(&b.Build).Elem())
		s.lay(reflect.ValueOf(b.image).Elem(), reflect.ValueOf(&s.Image).Elem(), reflect.ValueOf(&b.Image).Elem())
		if s.merged > maxMerged {
			e := s.Errorf(&b.Name, "binaries: up to %s they have more than %d variables, labels and annotations, with those of the spec", b.Name, maxMerged)
			return ErrorList{e.WithHelp("write only what differs under a binary, or use several specs")}
		}
	}
	return nil
}

// lay fills dst from own where that was written, from top elsewhere. Structs
// and mappings are merged.
func (s *Spec) lay(dst, top, own reflect.Value) {
	s.place(dst, top, own)
	switch {
	case dst.Kind() == reflect.Struct:
		for i := range dst.NumField() {
			s.lay(dst.Field(i), top.Field(i), own.Field(i))
		}
	case dst.Kind() == reflect.Slice && hasKey(dst.Type().Elem()):
		s.merge(dst, top, own)
	case s.pos[own.Addr().Interface()].IsValid():
		dst.Set(own)
	default:
		dst.Set(top)
	}
}

// merge lays the entries of own over those of top, which keep their order. One
// that adds nothing shares those of the other.
func (s *Spec) merge(dst, top, own reflect.Value) {
	switch {
	case own.Len() == 0 && !top.IsNil():
		dst.Set(top)
		return
	case top.Len() == 0:
		dst.Set(own)
		return
	}
	if s.merged += top.Len() + own.Len(); s.merged > maxMerged {
		return // which is an error
	}
	at := map[string]int{}
	var from []reflect.Value
	for _, v := range []reflect.Value{top, own} {
		for i := range v.Len() {
			name := v.Index(i).Field(0).String()
			if known, ok := at[name]; ok {
				from[known] = v.Index(i)
				continue
			}
			at[name] = len(from)
			from = append(from, v.Index(i))
		}
	}
	dst.Set(reflect.MakeSlice(dst.Type(), len(from), len(from)))
	for i, v := range from {
		dst.Index(i).Set(v)
		for f := range v.NumField() {
			s.place(dst.Index(i).Field(f), v.Field(f))
		}
	}
}

// place gives a field the place of the last of others that has one.
func (s *Spec) place(dst reflect.Value, others ...reflect.Value) {
	for _, o := range others {
		if p, ok := s.pos[o.Addr().Interface()]; ok {
			s.pos[dst.Addr().Interface()] = p
		}
		if p, ok := s.keys[o.Addr().Interface()]; ok {
			s.keys[dst.Addr().Interface()] = p
		}
	}
}
