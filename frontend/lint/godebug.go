package lint

import (
	"fmt"
	"go/version"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

func unknownGodebug() Rule {
	return Rule{
		Name:    "UnknownGodebug",
		Summary: "The Go release has no such GODEBUG setting",
		Why: `
GODEBUG is a list of settings, name=value with commas between them. Go ignores
a name that it does not know, and an item without a value, without a word: a
misspelled setting looks as if it were on.

The rule knows the settings of one Go release, the undocumented ones too, and
says something only where a build takes that minor release. With a builder of
your own it is silent, since that decides the release.
`,
		Bad: Example{Spec: `
image:
  env:
    GODEBUG: http2clint=0
`},
		Good: Example{Spec: `
image:
  env:
    GODEBUG: http2client=0
`},
		Check: checkUnknownGodebug,
	}
}

func checkUnknownGodebug(in *Input) (out []finding) {
	if !in.sameRelease() {
		return nil
	}
	known := godebugSettings()
	check := func(key string, e *spec.Pair) {
		for from, item := range items(e.Value, ",") {
			name, _, valued := strings.Cut(item, "=")
			var msg string
			switch {
			case item == "" || strings.Contains(item, "$"):
				continue
			case !valued:
				msg = fmt.Sprintf("%s: GODEBUG item %q has no value and is ignored (expected name=value)", key, item)
			case slices.Contains(known, name) || strings.HasPrefix(name, "cpu."):
				continue
			default:
				msg = fmt.Sprintf("%s: Go %s has no GODEBUG setting %q", key, tableRelease, name)
				if near := spec.Nearest(name, known); near != "" {
					msg += " (did you mean " + near + "?)"
				}
			}
			out = append(out, finding{in.inside(&e.Value, from, len(name)), msg})
		}
	}
	for _, u := range in.units() {
		if e := pair(u.build.Env, "GODEBUG"); e != nil {
			check("build.env", e)
		}
		if e := pair(u.image.Env, "GODEBUG"); e != nil {
			check("image.env", e)
		}
	}
	return out
}

// sameRelease reports whether the tables hold for the release that compiles: it
// is certain, of the same minor release, and not known to be newer.
func (in *Input) sameRelease() bool {
	release := "go" + in.Plan.Release
	return !in.Plan.Builder.Chosen && version.Lang(release) == version.Lang("go"+tableRelease) &&
		version.Compare(release, "go"+tableRelease) <= 0
}

// items splits a text, with the place of each item. Spaces count.
func items(text, sep string) func(yield func(from int, item string) bool) {
	return func(yield func(int, string) bool) {
		from := 0
		for item := range strings.SplitSeq(text, sep) {
			if !yield(from, item) {
				return
			}
			from += len(item) + len(sep)
		}
	}
}
