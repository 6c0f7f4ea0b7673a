package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// decoder fills a spec from YAML nodes. Every value is stored by its kind in
// the Spec struct; places are kept beside the data, by the address of the
// field, so a slice gets its final length before its elements are decoded.
type decoder struct {
	spec *Spec
	errs ErrorList
}

func nodePos(n *yaml.Node) Pos { return Pos{n.Line, n.Column} }

func (d *decoder) errorf(n *yaml.Node, help, format string, a ...any) {
	d.errs = append(d.errs, &Error{File: d.spec.file, Pos: nodePos(n), Msg: fmt.Sprintf(format, a...), Help: help})
}

// document decodes the root node.
func (d *decoder) document(n *yaml.Node) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.errorf(n, "", "expected keys such as main: ./cmd/server, found %s", found(n))
		return
	}
	d.structure(n, "", reflect.ValueOf(d.spec).Elem())
}

// value decodes a node into v, which is called key in errors.
func (d *decoder) value(n *yaml.Node, key string, v reflect.Value) {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		// The place stays that of the alias: there the value is used.
		alias := *n.Alias
		alias.Line, alias.Column = n.Line, n.Column
		n = &alias
	}
	if n.Style&yaml.TaggedStyle != 0 {
		d.errorf(n, "remove the tag", "%s: tags such as %s have no meaning here", key, n.Tag)
		return
	}
	d.spec.pos[v.Addr().Interface()] = nodePos(n)
	switch {
	case v.Kind() == reflect.Struct:
		d.structure(n, key, v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		d.entries(n, key, v)
	case v.Kind() == reflect.Slice:
		d.list(n, key, v)
	default:
		d.scalar(n, key, v)
	}
}

// structure decodes a mapping whose keys are the fields of a struct.
func (d *decoder) structure(n *yaml.Node, key string, v reflect.Value) {
	known := fieldNames(v.Type())
	if n.Kind != yaml.MappingNode {
		d.errorf(n, "", "%s: expected keys (%s), found %s", key, strings.Join(known, ", "), found(n))
		return
	}
	d.mapping(n, func(k, value *yaml.Node) {
		i := slices.Index(known, k.Value)
		if i < 0 {
			d.errorf(k, unknownKeyHelp(k.Value, known), "unknown key %q%s", k.Value, in(key))
			return
		}
		field := v.Field(i)
		d.spec.keys[field.Addr().Interface()] = nodePos(k)
		d.value(value, join(key, k.Value), field)
	})
}

// entries decodes a mapping with keys of the user's own into a slice of
// structs with a key and a value field.
func (d *decoder) entries(n *yaml.Node, key string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.errorf(n, "", "%s: expected names with values (NAME: value), found %s", key, found(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(n.Content)/2))
	d.mapping(n, func(k, value *yaml.Node) {
		v.SetLen(v.Len() + 1)
		e := v.Index(v.Len() - 1)
		e.Field(0).SetString(k.Value)
		d.spec.pos[e.Field(0).Addr().Interface()] = nodePos(k)
		d.value(value, join(key, k.Value), e.Field(1))
	})
}

// mapping calls f for every entry whose key is usable and new.
func (d *decoder) mapping(n *yaml.Node, f func(k, value *yaml.Node)) {
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, value := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode:
			d.errorf(k, "", "expected a name as a key, found %s", found(k))
		case k.Tag == "!!merge" || k.Value == "<<":
			d.errorf(k, "write the keys out", "merge keys are not supported")
		case first[k.Value] != nil:
			d.errorf(k, "", "duplicate key %q: first on line %d", k.Value, first[k.Value].Line)
		default:
			first[k.Value] = k
			f(k, value)
		}
	}
}

// list decodes a list of scalars, or a single scalar as a list of one.
func (d *decoder) list(n *yaml.Node, key string, v reflect.Value) {
	switch {
	case n.Kind == yaml.SequenceNode:
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			d.value(item, fmt.Sprintf("%s[%d]", key, i), v.Index(i))
		}
	case n.Kind == yaml.ScalarNode && !isNull(n):
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		d.value(n, key, v.Index(0))
	default:
		d.errorf(n, "", "%s: expected a value or a list of values, found %s", key, found(n))
	}
}

// scalar decodes a string, a boolean or a pointer to one of them. A string
// keeps the text of the file, so that 1.20 stays 1.20.
func (d *decoder) scalar(n *yaml.Node, key string, v reflect.Value) {
	optional := v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.String
	if optional && isNull(n) {
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if v.Kind() == reflect.Bool {
		d.boolean(n, key, v)
		return
	}
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.errorf(n, "", "%s: expected a value, found %s", key, found(n))
		return
	}
	if strings.ContainsRune(n.Value, 0) {
		d.errorf(n, "", "%s: a NUL byte cannot be part of a value", key)
		return
	}
	v.SetString(n.Value)
}

// boolean decodes true and false, the only two of YAML 1.2.
func (d *decoder) boolean(n *yaml.Node, key string, v reflect.Value) {
	if n.Kind == yaml.ScalarNode {
		switch n.Value {
		case "true", "True", "TRUE":
			v.SetBool(true)
			return
		case "false", "False", "FALSE":
			return
		}
	}
	d.errorf(n, "", "%s: expected true or false, found %s", key, found(n))
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

// found says in words what a node is.
func found(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	}
	const limit = 40
	text := n.Value
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}

// fieldNames returns the keys of a struct in the order of its fields, which
// come before the unexported ones.
func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			names = append(names, f.Tag.Get("yaml"))
		}
	}
	return names
}

func unknownKeyHelp(key string, known []string) string {
	if help := didYouMean(key, known); help != "" {
		return help
	}
	return "expected one of " + strings.Join(known, ", ")
}

func in(key string) string {
	if key == "" {
		return ""
	}
	return " in " + key
}

func join(parent, key string) string {
	if parent == "" {
		return key
	}
	return parent + "." + key
}
