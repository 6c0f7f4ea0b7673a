package spec

import (
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// Shown is the text of the spec as others may see it: it has an asterisk for each
// byte of a user or a password of a URL. All else is in its place.
func (s *Spec) Shown() []byte {
	data := slices.Clone(s.data)
	hide := func(field any, value string) {
		p := s.pos[field]
		start, end := s.offset(p), s.offset(s.next(p))
		copy(data[start:end], redact.MaskValue(s.data[start:end], value))
	}
	for field := range s.pos {
		switch value := field.(type) {
		case *string:
			if redact.Has(*value) {
				hide(field, *value)
			}
		case **string:
			if *value != nil && redact.Has(**value) {
				hide(field, **value)
			}
		}
	}
	for _, p := range s.environment() {
		if IsProxy(p.Name) && redact.HasProxy(p.Value) && !redact.Has(p.Value) {
			hide(&p.Value, p.Value)
		}
	}
	return redact.Mask(data)
}

// environment are the variables of the spec and of its binaries.
func (s *Spec) environment() []*Pair {
	lists := [][]Pair{s.Build.Env, s.Image.Env}
	for i := range s.Binaries {
		lists = append(lists, s.Binaries[i].Build.Env, s.Binaries[i].Image.Env)
	}
	var all []*Pair
	for _, list := range lists {
		for i := range list {
			all = append(all, &list[i])
		}
	}
	return all
}

// IsProxy reports whether a variable of that name holds the address of a proxy, as
// HTTPS_PROXY does.
func IsProxy(name string) bool { return strings.HasSuffix(strings.ToUpper(name), "_PROXY") }
