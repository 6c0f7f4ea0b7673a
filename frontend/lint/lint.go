// Package lint is the rules: what is legal in a spec and still not what its
// author wants.
//
// A rule looks at the spec, the index of the source tree and the plan, and says
// only what is certain of them; what could be meant well is no finding. The
// build itself tells of some rules, which have a page here and no check.
//
// Invariant: a rule changes no build. Check is a function of its arguments, and
// each finding is told once a build, whatever the number of platforms and
// binaries.
package lint

//go:generate go run ../../hack/ruledoc/gorelease release_gen.go
//go:generate go run ../../hack/ruledoc ../../docs/rules

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"unicode"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// Input is what the rules look at.
type Input struct {
	Spec *spec.Spec
	// Source is the text that Spec was parsed from, in which the ends of values
	// are looked for.
	Source []byte
	Index  *scan.Index
	// Plan was resolved with Options.Every: it has the targets of all binaries.
	Plan *plan.Plan
	// FilesOnly says that the client exports the binaries and builds no image.
	FilesOnly bool

	lines  []int // where the lines of Source start
	text   string
	places map[part]place // those that were looked for
}

// Warning is a rule that the spec breaks.
type Warning struct {
	// Rule is the rule's name, Summary what it is about, and URL its page.
	Rule, Summary, URL string
	// Msg says what was found and, in parentheses, what to do.
	Msg string
	// Start is where the value starts that is meant, and End the place behind its
	// last byte. They are equal where nothing is written that could be blamed.
	Start, End spec.Pos
}

// finding is a warning that does not know its rule.
type finding struct {
	place
	msg string
}

// Check returns what the rules find, what the plan warns of, and what is wrong
// with the configuration itself, sorted by place.
func Check(in Input, cfg Config) []Warning {
	in.index()
	var ws []Warning
	for _, r := range Rules() {
		if r.Check == nil {
			continue
		}
		known := map[place]bool{} // another platform or binary
		for _, f := range r.Check(&in) {
			if !known[f.place] {
				ws = in.add(ws, cfg, r.Name, f)
			}
			known[f.place] = true
		}
	}
	for _, f := range cfg.unknown {
		ws = in.add(ws, cfg, "UnknownRule", f)
	}
	ws = append(ws, Tell(in, cfg, in.Plan.Warnings...)...)
	slices.SortStableFunc(ws, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.Start.Line, b.Start.Line), cmp.Compare(a.Start.Column, b.Start.Column), strings.Compare(a.Rule, b.Rule))
	})
	return slices.Compact(ws)
}

// Tell returns what the plan or the build warns of in the form of [Check],
// without the rules that the configuration skips.
func Tell(in Input, cfg Config, told ...plan.Warning) []Warning {
	in.index()
	var ws []Warning
	for _, w := range told {
		at := nowhere()
		if w.Pos != at.start {
			at = in.token(w.Pos)
		}
		ws = in.add(ws, cfg, w.Rule, finding{at, w.Msg})
	}
	return ws
}

// add appends a finding, unless its rule is skipped.
func (in *Input) add(ws []Warning, cfg Config, rule string, f finding) []Warning {
	if cfg.skips(rule) {
		return ws
	}
	// Errorf makes it one line, whatever the user's values are.
	msg := in.Spec.Errorf(nil, "%s", f.msg).Msg
	w := Warning{Rule: rule, Msg: msg, URL: URL(rule), Start: f.start, End: f.end}
	rules := Rules()
	if i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == rule }); i >= 0 {
		w.Summary = rules[i].Summary
	}
	return append(ws, w)
}

// pages is where the pages of the rules are.
const pages = "https://github.com/gopherfile/gopherfile/blob/main/docs/rules/"

// URL returns the address of a rule's page.
func URL(rule string) string { return pages + PageName(rule) }

// PageName returns the file name of a rule's page: root-user.md for RootUser.
func PageName(rule string) string {
	var b strings.Builder
	for i, r := range rule {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String() + ".md"
}

// unit is a binary of the spec and its targets.
type unit struct {
	field   *spec.Binary // nil: the spec names none
	build   *spec.Build
	image   *spec.Image
	targets []*plan.Target
}

// units returns the binaries of the spec, or the one that it does not name.
func (in *Input) units() []unit {
	var units []unit
	if in.Spec.Binaries == nil {
		units = append(units, unit{})
	}
	for i := range in.Spec.Binaries {
		units = append(units, unit{field: &in.Spec.Binaries[i]})
	}
	for i := range units {
		u := &units[i]
		u.build, u.image = in.Spec.Effective(u.field)
		for j := range in.Plan.Targets {
			t := &in.Plan.Targets[j]
			if len(t.Binaries) > 0 && (u.field == nil || u.field.Name == t.Name) {
				u.targets = append(u.targets, t)
			}
		}
	}
	return units
}

// images returns the images for Linux of all binaries, where the rules about
// the inside of an image apply.
func (in *Input) images() iter.Seq2[*unit, *plan.Target] {
	return func(yield func(*unit, *plan.Target) bool) {
		if in.FilesOnly {
			return
		}
		units := in.units()
		for i := range units {
			for _, t := range units[i].targets {
				if t.Port.OS == "linux" && !yield(&units[i], t) {
					return
				}
			}
		}
	}
}

// pair returns the entry of a name, nil when there is none.
func pair(pairs []spec.Pair, name string) *spec.Pair {
	i := slices.IndexFunc(pairs, func(p spec.Pair) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &pairs[i]
}
