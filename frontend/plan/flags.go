package plan

import (
	"go/version"
	"slices"
	"strings"
	"unicode"

	"github.com/gopherfile/gopherfile/frontend/goflags"
)

// flags are the flags of go build for one target, and the profile among them.
func (sc *scope) flags() (flags []string, profile string) {
	b := sc.build
	if isTrue(b.Trimpath) {
		flags = append(flags, "-trimpath")
	}
	if version.Compare("go"+sc.plan.Release, "go1.18") >= 0 || sc.plan.Release == "" {
		// A commit must not change the binary; the image's labels carry it.
		flags = append(flags, "-buildvcs=false")
	}
	if mode := sc.buildmode(); mode != "" {
		flags = append(flags, "-buildmode="+mode)
	}
	if pgo, file := sc.pgo(); pgo != "" {
		flags, profile = append(flags, "-pgo="+pgo), file
	}
	if tags := sc.tags(); len(tags) > 0 {
		flags = append(flags, "-tags="+strings.Join(tags, ","))
	}
	for _, g := range sc.gcflags() {
		flags = append(flags, "-gcflags="+g)
	}
	for _, a := range sc.patterned(&b.Asmflags, "build.asmflags") {
		flags = append(flags, "-asmflags="+a)
	}
	if l := sc.ldflags(); l != "" {
		flags = append(flags, "-ldflags="+l)
	}
	return flags, profile
}

// tags are the build tags. Without variables it returns what can be known
// before there is a target, and reports nothing.
func (sc *scope) tags() []string {
	var tags []string
	for i := range sc.build.Tags {
		field := &sc.build.Tags[i]
		if sc.vars == nil && strings.Contains(*field, "$") {
			continue
		}
		for tag := range strings.SplitSeq(sc.text(field), ",") {
			tag = strings.TrimSpace(tag)
			switch {
			case isTag(tag):
				tags = append(tags, tag)
			case sc.vars != nil && tag != "" && !sc.isBroken(field):
				e := sc.spec.ErrorIn(field, tag, "build.tags: %q is not a build tag", tag).WithHelp("expected letters, digits, _ and .")
				if words := strings.Fields(tag); len(words) > 1 && !strings.ContainsFunc(tag, func(c rune) bool { return strings.ContainsRune("&|!()", c) }) {
					e.WithHelp("write a list: [%s]", strings.Join(words, ", "))
				}
				sc.fail(e)
			}
		}
	}
	return tags
}

// isTag reports whether a build constraint can name the tag (go/build/constraint).
func isTag(tag string) bool {
	return tag != "" && !strings.ContainsFunc(tag, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' && c != '.'
	})
}

// ldflags is the one value of -ldflags: the linker has one package to link, so
// the items of the list are joined.
func (sc *scope) ldflags() string {
	var words []string
	if isTrue(sc.build.Strip) {
		words = append(words, "-s", "-w")
	}
	for i := range sc.build.Ldflags {
		field := &sc.build.Ldflags[i]
		item := sc.flagWords(field, "build.ldflags")
		if i == 0 && len(item) > 0 && !strings.HasPrefix(item[0], "-") {
			sc.fail(sc.spec.Errorf(field, "build.ldflags: %q is not a flag", item[0]).WithHelp("expected flags of the linker, such as -X main.version=1.0"))
		}
		words = append(words, item...)
	}
	for _, name := range sc.stampNames() {
		words = append(words, "-X", name+"="+sc.opt.Revision)
		sc.checkQuotes(&sc.build.Stamp, "build.stamp", words[len(words)-1:])
	}
	return quote(words)
}

// keepSymbols returns flags of go build that keep the symbol table. What is
// compiled, and with that the objects, stays the same.
func keepSymbols(flags []string) []string {
	var kept []string
	for _, f := range flags {
		value, ok := strings.CutPrefix(f, "-ldflags=")
		if !ok {
			kept = append(kept, f)
			continue
		}
		words, _ := goflags.Split(value)
		words = slices.DeleteFunc(words, func(w string) bool {
			name, _, _ := strings.Cut(w, "=")
			return name == "-s" || name == "--s"
		})
		if len(words) > 0 {
			kept = append(kept, "-ldflags="+quote(words))
		}
	}
	return kept
}

// gcflags are the values of -gcflags.
func (sc *scope) gcflags() []string {
	var values []string
	if isTrue(sc.build.Strip) && version.Compare("go"+sc.plan.Release, "go1.10") >= 0 {
		// The linker drops it anyway; not writing it saves time and cache.
		values = append(values, "all=-dwarf=false")
	}
	return append(values, sc.patterned(&sc.build.Gcflags, "build.gcflags")...)
}

// patterned returns the values of a flag that may be given for a pattern of
// packages: one for each item that starts with a pattern, joined with the flags
// that follow it.
func (sc *scope) patterned(items *[]string, key string) []string {
	var values, group []string
	flush := func() {
		if len(group) > 0 {
			values = append(values, quote(group))
		}
		group = nil
	}
	for i := range *items {
		item := sc.flagWords(&(*items)[i], key)
		if len(item) > 0 && !strings.HasPrefix(item[0], "-") {
			flush()
		}
		group = append(group, item...)
	}
	flush()
	return values
}

// flagWords are the words of a field that are quoted again.
func (sc *scope) flagWords(field *string, key string) []string {
	words := sc.words(field, key, sc.vars)
	sc.checkQuotes(field, key, words)
	return words
}

// checkQuotes refuses words that cannot be quoted, or given to a program.
func (r *resolver) checkQuotes(field any, key string, words []string) {
	for _, w := range words {
		if strings.Contains(w, "\x00") {
			r.fail(r.spec.Errorf(field, "%s: %q holds a NUL byte", key, w).WithHelp("no program can be given one"))
		}
		if strings.Contains(w, "'") && strings.Contains(w, `"`) {
			r.fail(r.spec.Errorf(field, "%s: %q holds both kinds of quotes", key, w).WithHelp("the go command can take only one kind in a flag"))
		}
	}
}

// words splits a field into the words that the go command will see. A variable
// inside a word never becomes two words, whatever its value; a variable that is
// the whole field stands for flags.
func (r *resolver) words(field *string, key string, vars map[string]string) []string {
	if r.isOver(field) {
		return nil
	}
	text := strings.TrimSpace(*field)
	whole := strings.HasPrefix(text, "${") && strings.Index(text, "}") == len(text)-1
	if whole {
		text = r.expandText(field, text, vars)
	}
	words, ok := goflags.Split(text)
	if !ok {
		open := strings.TrimSpace(text[strings.LastIndex(text, words[len(words)-1]):])
		r.breaks(field, r.spec.ErrorIn(field, open, "%s: a quote is never closed: %s", key, open))
		words = words[:len(words)-1]
	}
	if !whole {
		for i, w := range words {
			words[i] = r.value(field, w, vars)
		}
	}
	return words
}

// quote joins words so that the go command splits them again as they were.
func quote(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		// The flag before its pattern must not be quoted: all=-N.
		quoted := strings.ContainsAny(w, " \t\n\r'\"") || w == ""
		switch {
		case !quoted:
			out[i] = w
		case !strings.Contains(w, "'"):
			out[i] = "'" + w + "'"
		default:
			out[i] = `"` + w + `"`
		}
	}
	return strings.Join(out, " ")
}
