package lint

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// Arg is the build argument that configures the rules, in the grammar of
// BuildKit's BUILDKIT_DOCKERFILE_CHECK: skip=RuleA,RuleB;error=true.
const Arg = "GOPHERFILE_CHECK"

// Config says which rules count and what a broken one means. The zero value is
// that of a build that says nothing.
type Config struct {
	// SkipAll leaves out every rule, and Skip those of these names.
	SkipAll bool
	Skip    []string
	// Error makes a warning stop the build.
	Error bool

	// unknown are the names in Skip that no rule has.
	unknown []finding
}

// ParseConfig returns what the build argument [Arg] says or, where the client
// gives none, the check directive: a comment at the start of the spec such as
//
//	# check=skip=RootUser;error=true
//
// Other comments may stand above it. The name stands for the file in errors,
// which come as a [spec.ErrorList]. The option experimental is accepted; no
// rule is.
func ParseConfig(name string, source []byte, args map[string]string) (Config, error) {
	if text, ok := args[Arg]; ok {
		c, err := parseOptions(text)
		if err != nil {
			return Config{}, spec.ErrorList{{File: name, Pos: spec.Pos{Line: 1, Column: 1}, Msg: fmt.Sprintf("--build-arg %s: %v", Arg, err), Help: expected}}
		}
		c.check(func(string) place { return nowhere() })
		return c, nil
	}
	d, err := findDirective(name, source)
	if d == nil || err != nil {
		return Config{}, err
	}
	c, err := parseOptions(d.value)
	if err != nil {
		return Config{}, spec.ErrorList{{File: name, Pos: d.pos, Msg: fmt.Sprintf("check: %v", err), Help: expected}}
	}
	c.check(d.place)
	return c, nil
}

// expected is the help for a configuration that cannot be read.
const expected = "expected skip=RuleA,RuleB;error=true"

// parseOptions reads what BuildKit reads.
func parseOptions(text string) (Config, error) {
	opt, err := linter.ParseLintOptions(text)
	if err != nil {
		// What package strconv says besides is no help.
		msg, _, _ := strings.Cut(err.Error(), ": strconv.")
		return Config{}, errors.New(msg)
	}
	return Config{SkipAll: opt.SkipAll, Skip: opt.SkipRules, Error: opt.ReturnAsError}, nil
}

// check notes the names that no rule has.
func (c *Config) check(at func(rule string) place) {
	var names []string
	for _, r := range Rules() {
		names = append(names, r.Name)
	}
	for _, rule := range c.Skip {
		if rule == "" || slices.Contains(names, rule) {
			continue
		}
		msg := fmt.Sprintf("check: there is no rule %q", rule)
		if near := spec.Nearest(rule, names); near != "" {
			msg += " (did you mean " + near + "?)"
		}
		c.unknown = append(c.unknown, finding{at(rule), msg})
	}
}

// directive is a check directive.
type directive struct {
	value string
	pos   spec.Pos // of the value
}

// place is where a rule is named.
func (d *directive) place(rule string) place {
	at := d.pos
	at.Column += max(strings.Index(d.value, rule), 0)
	return place{at, spec.Pos{Line: at.Line, Column: at.Column + len(rule)}}
}

// findDirective returns the check directive in the comments that the spec
// starts with, nil when there is none.
func findDirective(name string, source []byte) (*directive, error) {
	var found *directive
	source = bytes.TrimPrefix(source, []byte("\ufeff"))
	line := 0
	for text := range bytes.Lines(source) {
		line++
		if !bytes.HasPrefix(text, []byte("#")) {
			break
		}
		// A parser gives up at the first comment that is no directive, which may
		// be one for an editor. So every line gets its own.
		d, err := (&parser.DirectiveParser{}).ParseLine(text)
		if err != nil || d == nil || d.Name != "check" {
			continue
		}
		pos := spec.Pos{Line: line, Column: bytes.LastIndex(text, []byte(d.Value)) + 1}
		if found != nil {
			e := &spec.Error{File: name, Pos: pos, Msg: fmt.Sprintf("duplicate check directive: first on line %d", found.pos.Line)}
			return nil, spec.ErrorList{e}
		}
		// As in a Dockerfile, a space ends the options.
		value, _, _ := strings.Cut(d.Value, " ")
		found = &directive{value, pos}
	}
	return found, nil
}

// skips reports whether a rule does not count.
func (c Config) skips(rule string) bool { return c.SkipAll || slices.Contains(c.Skip, rule) }

// Err returns the warnings as the errors of a build, nil unless the
// configuration asks for that and there are some. The name stands for the file.
func (c Config) Err(name string, ws []Warning) error {
	if !c.Error {
		return nil
	}
	var errs spec.ErrorList
	for _, w := range ws {
		errs = append(errs, &spec.Error{File: name, Pos: w.Start, Msg: w.Rule + ": " + w.Msg})
	}
	return errs.Err()
}
