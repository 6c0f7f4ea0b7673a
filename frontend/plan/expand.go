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
	declared := map[string]bool{}
	for i := range r.spec.Args {
		a := &r.spec.Args[i]
		switch {
		case !isName(a.Name):
			r.fail(r.spec.Errorf(&a.Name, "args: %q is not a name", a.Name).WithHelp("expected letters, digits and _"))
			continue
		case slices.Contains(targetNames(), a.Name) || a.Name == "BUILDPLATFORM":
			r.fail(r.spec.Errorf(&a.Name, "args: %s has its value from the build", a.Name).WithHelp("leave it out; ${%s} works without", a.Name))
			continue
		}
		declared[a.Name] = true
		r.vars[a.Name] = r.argValue(a)
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

// argValue is what the client gave, or the default.
func (r *resolver) argValue(a *spec.Arg) string {
	if v, ok := r.opt.Args[a.Name]; ok {
		return v
	}
	if a.Default == nil {
		r.fail(r.spec.Errorf(&a.Name, "args: %s has no value", a.Name).WithHelp("pass --build-arg %s=…, or give it a default", a.Name))
		return ""
	}
	return r.expandText(&a.Default, *a.Default, nil)
}

// isPredefined reports whether a build argument means something to BuildKit,
// to the client or to us without being declared.
func isPredefined(name string) bool {
	upper := strings.ToUpper(name)
	return strings.HasPrefix(name, "BUILDKIT_") || strings.HasPrefix(name, "BUILDX_") ||
		strings.HasPrefix(name, "GOPHERFILE_") || name == "SOURCE_DATE_EPOCH" || name == "REVISION" || name == "SOURCE" ||
		slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"}, upper)
}

// targetNames are the variables that differ between platforms.
func targetNames() []string {
	return []string{"TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"}
}

// expand returns the value of a field with its variables replaced. It returns
// false when that failed, which was reported then.
func (r *resolver) expand(field *string) (string, bool) {
	before := len(r.errs)
	text := r.expandText(field, *field, nil)
	return text, len(r.errs) == before
}

// expandFor is expand for a value that may hold variables of a target.
func (r *resolver) expandFor(vars map[string]string, field *string) string {
	return r.expandText(field, *field, vars)
}

// expandText replaces ${NAME} and ${NAME:-default}; $$ is a dollar, and a
// dollar before anything else is itself.
func (r *resolver) expandText(field any, text string, vars map[string]string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		switch {
		case strings.HasPrefix(after, "$"):
			b.WriteByte('$')
			text = after[1:]
		case strings.HasPrefix(after, "{"):
			ref, rest, closed := strings.Cut(after[1:], "}")
			if !closed {
				r.fail(r.spec.ErrorIn(field, "${", "${ without }").WithHelp("write $$ for a dollar"))
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

// lookup returns the value of what stands between the braces.
func (r *resolver) lookup(field any, ref string, vars map[string]string) string {
	name, fallback, _ := strings.Cut(ref, ":-")
	v, ok := r.vars[name]
	if !ok {
		v, ok = vars[name]
	}
	switch {
	case ok && v == "":
		return fallback
	case ok:
		return v
	}
	e := r.spec.ErrorIn(field, "${"+ref, "undefined variable ${%s}", name)
	known := slices.Sorted(maps.Keys(r.vars))
	near := spec.Nearest(name, append(known, targetNames()...))
	switch {
	case !isName(name):
		e.Msg = "${" + ref + "} is not a variable"
		e.WithHelp("expected ${NAME} or ${NAME:-default}; write $$ for a dollar")
	case slices.Contains(targetNames(), name):
		e.Msg = "${" + name + "} has no value here"
		e.WithHelp("it differs between platforms: use it under build and image")
	case near != "":
		e.WithHelp("did you mean ${%s}?", near)
	default:
		e.WithHelp("declare it: args: {%s: value}", name)
	}
	r.fail(e)
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
