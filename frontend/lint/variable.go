package lint

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

func variableWithoutBraces() Rule {
	return Rule{
		Name:    "VariableWithoutBraces",
		Summary: "The name of an argument stands behind a dollar without braces",
		Why: `
A value takes ${NAME} for a variable. $NAME is the text as it stands: a Dockerfile
and a shell would put the argument in its place, and here the binary is told that
its version is $VERSION.

The rule knows the names under args and those that have their value from the
build, such as TARGETARCH and REVISION. Where a dollar and the name are meant,
write $$NAME.
`,
		Bad: Example{Spec: `
args:
  VERSION: dev
build:
  ldflags: -X main.version=$VERSION
`},
		Good: Example{Spec: `
args:
  VERSION: dev
build:
  ldflags: -X main.version=${VERSION} -X main.usage=$$VERSION
`},
		Check: checkVariableWithoutBraces,
	}
}

func checkVariableWithoutBraces(in *Input) (out []finding) {
	known := plan.Predefined()
	for i := range in.Spec.Args {
		known = append(known, in.Spec.Args[i].Name)
	}
	texts(reflect.ValueOf(in.Spec).Elem(), func(field any, text string) {
		for _, r := range bareRefs(text) {
			if !slices.Contains(known, r.name) {
				continue
			}
			at := in.written(field)
			if value, ok := field.(*string); ok {
				at = in.inside(value, r.from, r.length)
			}
			out = append(out, finding{at, fmt.Sprintf("$%s is no variable without braces (did you mean ${%s}?)", r.name, r.name)})
		}
	})
	return out
}

// texts calls f for every text of a value and what is below it, with the field
// that has its place. Keys of the user's own hold no variables.
func texts(v reflect.Value, f func(field any, text string)) {
	switch v.Kind() {
	case reflect.String:
		f(v.Addr().Interface(), v.String())
	case reflect.Pointer:
		if !v.IsNil() && v.Elem().Kind() == reflect.String {
			f(v.Addr().Interface(), v.Elem().String())
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && field.Tag.Get("yaml") != ",key" {
				texts(v.Field(i), f)
			}
		}
	}
}

// ref is a variable in a text: ${NAME} or ${NAME:-default}.
type ref struct {
	name string
	// from is where the dollar stands, and length how long it is with braces.
	from, length int
}

// refs returns the variables of a text, as package plan expands them.
func refs(text string) []ref {
	var found []ref
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '$')
		if i < 0 {
			return found
		}
		at += i
		rest := text[at:]
		inner, _, closed := strings.Cut(rest, "}")
		switch {
		case strings.HasPrefix(rest, "$$"):
			at += 2
		case strings.HasPrefix(rest, "${") && closed:
			name, _, _ := strings.Cut(inner[2:], ":-")
			found = append(found, ref{name, at, len(inner) + 1})
			at += len(inner) + 1
		default:
			at++
		}
	}
}

// namePattern is what may be meant by a name behind a dollar.
var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)

// bareRefs returns the names of a text that stand behind a dollar without braces.
func bareRefs(text string) []ref {
	var found []ref
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '$')
		if i < 0 {
			return found
		}
		at += i + 1
		if strings.HasPrefix(text[at:], "$") {
			at++
			continue
		}
		if name := namePattern.FindString(text[at:]); name != "" {
			found = append(found, ref{name, at - 1, len(name) + 1})
		}
	}
}
