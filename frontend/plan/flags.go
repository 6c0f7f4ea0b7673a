package plan

import (
	"go/version"
	"slices"
	"strings"
	"unicode"
)

// flags are the flags of go build for one target.
func (r *resolver) flags(vars map[string]string) []string {
	b := &r.spec.Build
	var flags []string
	if isTrue(b.Trimpath) {
		flags = append(flags, "-trimpath")
	}
	if version.Compare("go"+r.plan.Release, "go1.18") >= 0 || r.plan.Release == "" {
		// A commit must not change the binary; the spec's labels carry it.
		flags = append(flags, "-buildvcs=false")
	}
	if tags := r.tags(vars); len(tags) > 0 {
		flags = append(flags, "-tags="+strings.Join(tags, ","))
	}
	for _, g := range r.gcflags(vars) {
		flags = append(flags, "-gcflags="+g)
	}
	for _, a := range r.patterned(&b.Asmflags, "build.asmflags", vars) {
		flags = append(flags, "-asmflags="+a)
	}
	if l := r.ldflags(vars); l != "" {
		flags = append(flags, "-ldflags="+l)
	}
	return flags
}

// tags are the build tags. Without variables it returns what can be known
// before there is a target, and reports nothing.
func (r *resolver) tags(vars map[string]string) []string {
	var tags []string
	for i := range r.spec.Build.Tags {
		field := &r.spec.Build.Tags[i]
		if vars == nil && strings.Contains(*field, "$") {
			continue
		}
		for tag := range strings.SplitSeq(r.expandFor(vars, field), ",") {
			tag = strings.TrimSpace(tag)
			switch {
			case isTag(tag):
				tags = append(tags, tag)
			case vars != nil && tag != "":
				r.fail(r.spec.Errorf(field, "build.tags: %q is not a build tag", tag).WithHelp("expected letters, digits, _ and ."))
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
func (r *resolver) ldflags(vars map[string]string) string {
	var words []string
	if isTrue(r.spec.Build.Strip) {
		words = append(words, "-s", "-w")
	}
	for i := range r.spec.Build.Ldflags {
		field := &r.spec.Build.Ldflags[i]
		item := r.words(field, vars)
		if i == 0 && len(item) > 0 && !strings.HasPrefix(item[0], "-") {
			r.fail(r.spec.Errorf(field, "build.ldflags: %q is not a flag", item[0]).WithHelp("expected flags of the linker, such as -X main.version=1.0"))
		}
		words = append(words, item...)
	}
	return r.quote(&r.spec.Build.Ldflags, "build.ldflags", words)
}

// gcflags are the values of -gcflags.
func (r *resolver) gcflags(vars map[string]string) []string {
	var values []string
	if isTrue(r.spec.Build.Strip) && version.Compare("go"+r.plan.Release, "go1.10") >= 0 {
		// The linker drops it anyway; not writing it saves time and cache.
		values = append(values, "all=-dwarf=false")
	}
	return append(values, r.patterned(&r.spec.Build.Gcflags, "build.gcflags", vars)...)
}

// patterned returns the values of a flag that may be given for a pattern of
// packages: one for each item that starts with a pattern, joined with the flags
// that follow it.
func (r *resolver) patterned(items *[]string, key string, vars map[string]string) []string {
	var values, group []string
	flush := func() {
		if len(group) > 0 {
			values = append(values, r.quote(items, key, group))
		}
		group = nil
	}
	for i := range *items {
		item := r.words(&(*items)[i], vars)
		if len(item) > 0 && !strings.HasPrefix(item[0], "-") {
			flush()
		}
		group = append(group, item...)
	}
	flush()
	return values
}

// words splits a field into the words that the go command will see. A variable
// inside a word never becomes two words, whatever its value; a variable that is
// the whole field stands for flags.
func (r *resolver) words(field *string, vars map[string]string) []string {
	text := strings.TrimSpace(*field)
	whole := strings.HasPrefix(text, "${") && strings.Index(text, "}") == len(text)-1
	if whole {
		text = r.expandFor(vars, field)
	}
	words, ok := splitWords(text)
	if !ok {
		r.fail(r.spec.Errorf(field, "a quote is never closed in %q", text))
	}
	if !whole {
		for i, w := range words {
			words[i] = r.expandText(field, w, vars)
		}
	}
	return words
}

// quote joins words so that the go command splits them again as they were.
func (r *resolver) quote(field any, key string, words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		// The flag before its pattern must not be quoted: all=-N.
		quoted := strings.ContainsAny(w, " \t\n\r'\"") || w == ""
		switch {
		case !quoted:
			out[i] = w
		case !strings.Contains(w, "'"):
			out[i] = "'" + w + "'"
		case !strings.Contains(w, `"`):
			out[i] = `"` + w + `"`
		default:
			r.fail(r.spec.Errorf(field, "%s: %q holds both kinds of quotes", key, w).WithHelp("the go command can take only one kind in a flag"))
		}
	}
	return strings.Join(out, " ")
}

// splitWords splits text at spaces outside of quotes, as the go command splits
// its flags: a quote counts at the start of a word only, and nothing is escaped.
func splitWords(text string) (words []string, ok bool) {
	for {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if text == "" {
			return words, true
		}
		if q := text[0]; q == '"' || q == '\'' {
			word, rest, closed := strings.Cut(text[1:], string(q))
			if !closed {
				return words, false
			}
			words, text = append(words, word), rest
			continue
		}
		end := strings.IndexFunc(text, unicode.IsSpace)
		if end < 0 {
			end = len(text)
		}
		words, text = append(words, text[:end]), text[end:]
	}
}

// moduleVariables are the variables of the go command that only the download reads.
func moduleVariables() []string {
	return []string{"GOAUTH", "GOINSECURE", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOPROXY", "GOSUMDB", "GOVCS"}
}

// ownedVariables are the variables that Gopherfile sets itself, with the reason.
func ownedVariables() map[string]string {
	m := map[string]string{
		"CGO_ENABLED": "binaries are built without cgo",
		"GOROOT":      "it comes from the builder image", "GOTOOLCHAIN": "choose the release with go:",
		"GOTELEMETRY": "the builder has none", "GOENV": "write its variables under build.env",
		"PATH": "it comes from the builder image", "GOWORK": "the go command finds go.work by itself",
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOBIN", "GOTMPDIR", "TMPDIR", "GOCACHEPROG", "HOME"} {
		m[name] = "Gopherfile decides where files are"
	}
	for _, name := range []string{"GOOS", "GOARCH", "GOARM", "GOARM64", "GOAMD64", "GO386", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64"} {
		m[name] = "it comes from the platform, such as linux/arm/v7 or linux/amd64/v3"
	}
	return m
}

// moduleEnv is the part of build.env that decides the download.
func (r *resolver) moduleEnv() []string {
	return r.env(nil, func(name string) bool {
		return slices.Contains(moduleVariables(), name) || name == "GOFLAGS"
	})
}

// compileEnv is the part of build.env that decides the binary.
func (r *resolver) compileEnv(vars map[string]string) []string {
	return r.env(vars, func(name string) bool { return !slices.Contains(moduleVariables(), name) })
}

// env returns the entries of build.env whose names are wanted.
func (r *resolver) env(vars map[string]string, want func(string) bool) []string {
	var env []string
	ours := ownedVariables()
	for i := range r.spec.Build.Env {
		e := &r.spec.Build.Env[i]
		reason, owned := ours[e.Name]
		switch {
		case owned:
			r.fail(r.spec.Errorf(&e.Name, "build.env: %s cannot be set", e.Name).WithHelp("%s", reason))
		case !isName(e.Name):
			r.fail(r.spec.Errorf(&e.Name, "build.env: %q is not a name", e.Name).WithHelp("expected letters, digits and _"))
		case want(e.Name):
			env = append(env, e.Name+"="+r.expandFor(vars, &e.Value))
		}
	}
	return env
}
