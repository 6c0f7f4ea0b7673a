package spec

import (
	"reflect"
	"slices"
)

// Effective returns how a binary is built and what its image is: its own keys
// over those of the spec. Their fields have places, too. For nil, which stands
// for the binary of a spec that names none, they are those of the spec.
func (s *Spec) Effective(b *Binary) (*Build, *Image) {
	if b == nil {
		return &s.Build, &s.Image
	}
	return b.build, b.image
}

// overlay lays the keys of every binary over those of the spec.
func (s *Spec) overlay() {
	for i := range s.Binaries {
		b := &s.Binaries[i]
		b.build, b.image = &Build{}, &Image{}
		s.lay(reflect.ValueOf(b.build).Elem(), reflect.ValueOf(&s.Build).Elem(), reflect.ValueOf(&b.Build).Elem())
		s.lay(reflect.ValueOf(b.image).Elem(), reflect.ValueOf(&s.Image).Elem(), reflect.ValueOf(&b.Image).Elem())
	}
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

// merge lays the entries of own over those of top, which keep their order.
func (s *Spec) merge(dst, top, own reflect.Value) {
	name := func(v reflect.Value, i int) string { return v.Index(i).Field(0).String() }
	var from []reflect.Value
	for i := range top.Len() {
		from = append(from, top.Index(i))
	}
	for i := range own.Len() {
		at := slices.IndexFunc(from, func(v reflect.Value) bool { return v.Field(0).String() == name(own, i) })
		if at < 0 {
			from = append(from, own.Index(i))
		} else {
			from[at] = own.Index(i)
		}
	}
	if top.IsNil() && own.IsNil() {
		return
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
