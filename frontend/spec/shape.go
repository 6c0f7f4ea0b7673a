package spec

import (
	"path"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// keysHelp says how to write what stands in place of the keys of a struct, "" when
// that is not known.
func keysHelp(n *yaml.Node, t reflect.Type) string {
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Value == "" {
		return ""
	}
	if t == reflect.TypeFor[Image]() {
		return "write {from: " + short(n.Value) + "}"
	}
	if strings.Contains(n.Value, "://") {
		return "" // which ":" is meant?
	}
	from, to, ok := strings.Cut(n.Value, ":")
	if !ok {
		from, to, ok = strings.Cut(n.Value, " ")
	}
	if !ok {
		return ""
	}
	return pairHelp(from, strings.TrimSpace(to), fieldsOf(t))
}

// pairHelp says how to write two values that belong together, where a struct has
// two keys that must be written.
func pairHelp(first, second string, fields []field) string {
	var required []string
	for _, f := range fields {
		if f.required {
			required = append(required, f.name)
		}
	}
	if len(required) != 2 || first == "" || second == "" {
		return ""
	}
	return "write {" + required[0] + ": " + short(first) + ", " + required[1] + ": " + short(second) + "}"
}

// entryHelp says how to write a list as a mapping with keys of the user's own.
func entryHelp(n *yaml.Node, t reflect.Type) string {
	item := n
	if n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
		item = n.Content[0]
	}
	if item.Kind != yaml.ScalarNode || isNull(item) {
		return ""
	}
	if name, value, ok := strings.Cut(item.Value, "="); ok && name != "" {
		return "write " + short(name) + ": " + short(value)
	}
	if t == reflect.TypeFor[Binary]() && item.Value != "" {
		if name := path.Base(item.Value); name != item.Value && name != "." && name != ".." && name != "/" {
			return "write " + short(name) + ": " + short(item.Value)
		}
		return "write a name and its main package, such as server: ./cmd/server"
	}
	return ""
}

// valueHelp says how to write one value in place of a list that holds it.
func valueHelp(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 1 && n.Content[0].Kind == yaml.ScalarNode && !isNull(n.Content[0]) {
		return "write " + short(n.Content[0].Value) + " alone, without a list"
	}
	return ""
}

// listHelp says how to write a list in place of keys.
func listHelp(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode {
		return "a list is written in [ ], or with - before each item"
	}
	return ""
}

// booleanHelp says which of true and false is meant by another word.
func booleanHelp(word string) string {
	switch strings.ToLower(word) {
	case "yes", "y", "on", "1", "true":
		return "did you mean true?"
	case "no", "n", "off", "0", "false":
		return "did you mean false?"
	}
	return ""
}

// short is a value as it is shown in a help.
func short(value string) string { return cut(redact.Quotable(value), 40) }
