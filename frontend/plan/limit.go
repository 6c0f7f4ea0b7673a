package plan

import (
	"strings"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// What a spec may ask for. A value may use others and is had by every binary on
// every platform, so that a few hundred bytes can stand for any number of them.
const (
	// maxValue is how many bytes a value may have with its variables. Linux gives
	// no longer word to a program (MAX_ARG_STRLEN).
	maxValue = 128 << 10
	// maxValues is how many bytes all values may have, those of each binary on
	// each platform by themselves. It is what BuildKit takes in one message. Of
	// plans that people write, large ones have a hundredth of it.
	maxValues = 16 << 20
	// valueCost is what a value counts beside its bytes: about what its place in
	// the plan takes. Without it empty values would be free.
	valueCost = 32
	// maxPorts is how many ports an image may expose: twice those that servers of
	// telephone calls open at most (RTP, 16384-32767). All of them are in its
	// config, one by one.
	maxPorts = 1 << 15
	// maxPrograms is how many binaries there may be on all platforms and in all
	// images. A hundred binaries on all platforms that Go has are fewer.
	maxPrograms = 4096
	// maxErrors is after how many errors no more are looked for. Half of them are
	// listed, by their places.
	maxErrors = 200
)

// add keeps an error that is not known yet: most are the same for every platform.
func (r *resolver) add(e *spec.Error) {
	if e.File != r.spec.File() {
		e.Msg = r.spec.Errorf(nil, "%s", e.Msg).Msg // one line, whatever a go.mod holds
	}
	if !r.known[*e] {
		r.known[*e] = true
		r.errs = append(r.errs, e)
	}
}

// enough reports whether there are as many errors as anybody wants to read, or
// one that stands for all that would follow.
func (r *resolver) enough() bool { return r.full || len(r.errs) >= maxErrors }

// spend counts bytes of the plan that come from a field.
func (r *resolver) spend(field any, bytes int) {
	r.spent += bytes
	if r.spent <= maxValues || r.full {
		return
	}
	r.full = true
	e := r.spec.Errorf(field, "the values of all binaries on all platforms have more than %d bytes up to here", maxValues)
	r.breaks(field, e.WithHelp("use shorter ones, or fewer binaries and platforms at a time"))
}

// checkValue refuses what its variables made of a value when no program can be
// given it.
func (r *resolver) checkValue(field any, value string) bool {
	switch {
	case len(value) > maxValue:
		e := r.spec.Errorf(field, "a value of more than %d bytes is too long, with its variables", maxValue)
		r.breaks(field, e.WithHelp("no program takes a longer one; a file holds it"))
	case strings.Contains(value, "\x00"):
		e := r.spec.Errorf(field, "a NUL byte cannot be part of a value: %q", value)
		r.breaks(field, e.WithHelp("it comes with a variable"))
	default:
		return true
	}
	return false
}

// count counts binaries on platforms and in images, where a list names others. It
// returns false when there are too many, which was reported then.
func (r *resolver) count(with *[]string, binaries int) bool {
	r.programs += binaries
	if r.programs > maxPrograms && !r.full {
		r.full = true
		var field any = with
		switch {
		case len(*with) > 0:
		case len(r.spec.Binaries) > 0:
			field = &r.spec.Binaries
		default:
			field = &r.spec.Platforms
		}
		e := r.spec.Errorf(field, "more than %d binaries, counted for each platform and in each image", maxPrograms)
		r.fail(e.WithHelp("ask for fewer platforms at a time, or use several specs"))
	}
	return !r.full
}
