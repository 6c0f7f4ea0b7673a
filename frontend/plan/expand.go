package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/containerd/platforms"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// args gives every declared argument its value and warns about those that the
// client gave and nobody declared.
func (r *resolver) args() {
	r.vars = map[string]string{
		"BUILDPLATFORM": platforms.Format(r.opt.BuildPlatform),
		"REVISION":      r.opt.Revision,
		"SOURCE":        r.opt.Source,
	}
	given := Predefined()
	declared := map[string]bool{}
	for i := range r.spec.Args {
		a := &r.spec.Args[i]
		switch {
		case !isName(a.Name):
			r.fail(r.spec.Errorf(&a.Name, "args: %q is not a name", a.Name).WithHelp("expected letters, digits and _"))
			r.unset[a.Name] = true
			continue
		case slices.Contains(given, a.Name):
			r.fail(r.spec.Errorf(&a.Name, "args: %s has its value from the build", a.Name).WithHelp("leave it out; ${%s} works without", a.Name))
			continue
		}
		declared[a.Name] = true
		if value, ok := r.argValue(a); ok {
			r.vars[a.Name] = value
		} else {
			r.unset[a.Name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.opt.Args)) {
		if !declared[name] && !isPredefined(name) {
			msg := "build arg " + name + " is not declared in args"
			if near := spec.Nearest(name, slices.Sorted(maps.Keys(declared))); near != "" {
				msg += " (did you mean " + near + "?)"
			}
			r.plan.Warnings = append(r.plan.Warnings, Warning{Pos: r.spec.At(&r.spec.Args), Rule: "UndeclaredBuildArg", Msg: msg})
		}
	}
}

// argValue is what the client gave, or the default. It returns false when there
// is none, which was reported then.
func (r *resolver) argValue(a *spec.Arg) (string, bool) {
	if v, ok := r.opt.Args[a.Name]; ok {
		return v, true
	}
	if a.Default == nil {
		r.fail(r.spec.Errorf(&a.Name, "args: %s has no value", a.Name).WithHelp("pass --build-arg %s=…, or give it a default", a.Name))
		return "", false
	}
	value := r.expandText(&a.Default, *a.Default, nil)
	return value, !r.isBroken(&a.Default)
}

// isPredefined reports whether a build argument means something to BuildKit,
// to the client or to us without being declared.
func isPredefined(name string) bool {
	upper := strings.ToUpper(name)
	return strings.HasPrefix(name, "BUILDKIT_") || strings.HasPrefix(name, "BUILDX_") ||
		strings.HasPrefix(name, "GOPHERFILE_") || name == "SOURCE_DATE_EPOCH" || name == "REVISION" || name == "SOURCE" || name == databaseArg ||
		slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"}, upper)
}

// Predefined are the variables that have their value from the build.
func Predefined() []string {
	return append([]string{"BUILDPLATFORM", "REVISION", "SOURCE"}, targetNames()...)
}

// targetNames are the variables that differ between platforms.
func targetNames() []string {
	return []string{"TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"}
}

// expand returns the value of a field with its variables replaced. It returns
// false when that failed, which was reported then.
func (r *resolver) expand(field *string) (string, bool) {
	text := r.expandText(field, *field, nil)
	return text, !r.written(field) || !r.isBroken(field)
}

// expandText replaces ${NAME} and ${NAME:-default}; $$ is a dollar, and a
// dollar before anything else is itself. A field that was broken before, or comes
// after enough errors, has no value.
func (r *resolver) expandText(field any, text string, vars map[string]string) string {
	if r.isOver(field) {
		return ""
	}
	return r.value(field, text, vars)
}

// value is a text with its variables replaced, checked and counted.
func (r *resolver) value(field any, text string, vars map[string]string) string {
	value := r.replace(field, text, vars)
	if r.checkValue(field, value) {
		r.spend(field, len(value)+valueCost)
	}
	return value
}

// isOver reports whether nobody needs the value of a field any more.
func (r *resolver) isOver(field any) bool {
	if r.enough() && r.written(field) {
		r.broken[r.spec.Pos(field)] = true
	}
	return r.enough() || r.written(field) && r.isBroken(field)
}

// replace is a text with its variables replaced. It stops where the text is too
// long already.
func (r *resolver) replace(field any, text string, vars map[string]string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found || b.Len() > maxValue || r.enough() {
			return b.String()
		}
		switch {
		case strings.HasPrefix(after, "$"):
			b.WriteByte('$')
			text = after[1:]
		case strings.HasPrefix(after, "{"):
			ref, rest, closed := strings.Cut(after[1:], "}")
			if !closed {
				r.breaks(field, r.unclosed(field, ref))
				return b.String()
			}
			b.WriteString(r.lookup(field, ref, vars))
			text = rest
		default:
			b.WriteByte('$')
			text = after
		}
	}
}

// unclosed says that braces are not closed, and how the variable is written that
// may be meant.
func (r *resolver) unclosed(field any, ref string) *spec.Error {
	end := 0
	for end < len(ref) && isName(ref[:end+1]) {
		end++
	}
	e := r.spec.ErrorIn(field, "${"+ref, "${%s has no } at its end", ref[:end])
	if end == 0 {
		return e.WithHelp("expected ${NAME} or ${NAME:-default}; write $$ for a dollar")
	}
	return e.WithHelp("did you mean ${%s}? write $$ for a dollar", ref[:end])
}

// breaks reports that a field cannot be expanded.
func (r *resolver) breaks(field any, e *spec.Error) {
	r.add(e)
	r.broken[r.spec.Pos(field)] = true
}

// variableAt is what stands between the braces at a place.
type variableAt struct {
	pos  spec.Pos
	text string
}

// lookup returns the value of what stands between the braces.
func (r *resolver) lookup(field any, ref string, vars map[string]string) string {
	name, fallback, _ := strings.Cut(ref, ":-")
	v, ok := r.vars[name]
	if !ok {
		v, ok = vars[name]
	}
	switch {
	case strings.Contains(name, "${"):
		r.breaks(field, r.unclosed(field, ref))
		return ""
	case strings.Contains(fallback, "${"):
		r.breaks(field, r.spec.ErrorIn(field, "${"+ref, "the default of ${%s} holds a variable", name).WithHelp("write that default under args"))
		return ""
	case ok && v == "":
		return fallback
	case ok:
		return v
	case r.unset[name]:
		r.broken[r.spec.Pos(field)] = true
		return ""
	case r.refused[variableAt{r.spec.Pos(field), ref}]:
		return ""
	}
	r.refused[variableAt{r.spec.Pos(field), ref}] = true
	errorf := func(format string, a ...any) *spec.Error { return r.spec.ErrorIn(field, "${"+ref, format, a...) }
	e := errorf("undefined variable ${%s}", name)
	known := slices.Sorted(maps.Keys(r.vars))
	near := spec.Nearest(name, append(known, targetNames()...))
	switch {
	case !isName(name):
		e = errorf("${%s} is not a variable", ref).WithHelp("expected ${NAME} or ${NAME:-default}; write $$ for a dollar")
	case slices.Contains(targetNames(), name):
		e = errorf("${%s} has no value here", name).WithHelp("it differs between platforms: use it under build and image")
	case slices.ContainsFunc(r.spec.Args, func(a spec.Arg) bool { return a.Name == name }):
		e = errorf("${%s} has no value yet", name).WithHelp("an argument can use those above it")
	case near != "":
		e.WithHelp("did you mean ${%s}?", near)
	default:
		e.WithHelp("declare it: args: {%s: value}", name)
	}
	r.breaks(field, e)
	return ""
}

// isName reports whether a name can stand between the braces.
func isName(name string) bool {
	for i, c := range name {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
