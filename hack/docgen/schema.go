package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

const schemaID = "https://raw.githubusercontent.com/gopherfile/gopherfile/main/frontend/spec/schema.json"

// node is a JSON Schema. Of the keywords that are none of the standard's, the
// YAML language server shows patternErrorMessage in place of a pattern.
type node struct {
	Schema               string   `json:"$schema,omitempty"`
	ID                   string   `json:"$id,omitempty"`
	Ref                  string   `json:"$ref,omitempty"`
	Title                string   `json:"title,omitempty"`
	Description          string   `json:"description,omitempty"`
	Type                 types    `json:"type,omitempty"`
	Default              any      `json:"default,omitempty"`
	Examples             []any    `json:"examples,omitempty"`
	Enum                 []any    `json:"enum,omitempty"`
	Const                string   `json:"const,omitempty"`
	Pattern              string   `json:"pattern,omitempty"`
	PatternErrorMessage  string   `json:"patternErrorMessage,omitempty"`
	Minimum              *int     `json:"minimum,omitempty"`
	Maximum              *int     `json:"maximum,omitempty"`
	MinLength            int      `json:"minLength,omitempty"`
	Properties           object   `json:"properties,omitempty"`
	Required             []string `json:"required,omitempty"`
	PropertyNames        *node    `json:"propertyNames,omitempty"`
	AdditionalProperties any      `json:"additionalProperties,omitempty"`
	Items                *node    `json:"items,omitempty"`
	AllOf                []*node  `json:"allOf,omitempty"`
	AnyOf                []*node  `json:"anyOf,omitempty"`
	Not                  *node    `json:"not,omitempty"`
	If                   *node    `json:"if,omitempty"`
	Then                 *node    `json:"then,omitempty"`
	Else                 *node    `json:"else,omitempty"`
	Defs                 object   `json:"$defs,omitempty"`
}

// types are the types that a value may have.
type types []string

// MarshalJSON implements [json.Marshaler].
func (t types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// object is a JSON object whose keys keep their order, in which editors show
// them.
type object []member

type member struct {
	name string
	node *node
}

// MarshalJSON implements [json.Marshaler].
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", m.name)
		dt, err := encode(m.node)
		if err != nil {
			return nil, err
		}
		b.Write(dt)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// schema returns the JSON Schema. It accepts what spec.Parse accepts, but for
// values that no plan can be made of.
func (g *grammar) schema() ([]byte, error) {
	root := g.structs["Spec"].node()
	root.Schema, root.ID = "https://json-schema.org/draft/2020-12/schema", schemaID
	root.Title, root.Description = "Gopherfile", g.structs["Spec"].doc
	root.Type = types{"object", "null"} // an empty file is a spec
	for _, name := range g.order {
		m := g.structs[name]
		if name != "Spec" && len(m.keys) > 0 {
			n := m.node()
			n.Description = m.doc
			root.Defs = append(root.Defs, member{m.ref(), n})
		}
	}
	return encode(root)
}

// ref is the name of a mapping among the definitions.
func (m *mapping) ref() string { return strings.ToLower(m.name) }

// refTo is a mapping with our keys, or what may stand in its place. The language
// server writes the defaults of all keys when it completes the name of a schema
// that has them itself; behind allOf it does not see them.
func refTo(m *mapping) *node {
	return &node{Type: m.types(), AllOf: []*node{{Ref: "#/$defs/" + m.ref()}}}
}

// types are the types of what refTo takes.
func (m *mapping) types() types {
	if s := m.short(); s != nil {
		return append(types{"object"}, s.value().Type...)
	}
	return types{"object"}
}

// node is the definition of a mapping. It has no type: keywords for other types
// than that of a value say nothing about it, and those for the short form stand
// beside the keys.
func (m *mapping) node() *node {
	n := &node{}
	if s := m.short(); s != nil {
		n = s.value()
		n.Type = nil
		if n.Items != nil {
			n.Items.Examples = nil // they are for the short form, not for a list of it
		}
	}
	n.AdditionalProperties = false
	for _, k := range m.keys {
		n.Properties = append(n.Properties, member{k.name, k.node()})
		if k.required {
			n.Required = append(n.Required, k.name)
		}
	}
	return n
}

// node is the schema of a key.
func (k *key) node() *node {
	n := k.value()
	n.Description = k.doc
	if k.preset != "" {
		n.Description += "\n\nDefault: " + k.preset
		n.Default = k.literal(k.preset)
	}
	n.Examples = k.literals()
	return n
}

// value is what a key takes.
func (k *key) value() *node {
	switch k.kind {
	case boolean:
		return &node{Type: types{"boolean", "string"}, Pattern: "^(true|True|TRUE|false|False|FALSE)$", PatternErrorMessage: "expected true or false"}
	case list:
		n := k.text()
		n.Items = k.text()
		n.Items.Examples = k.literals()
		n.Type = append(types{"array"}, n.Type...)
		return n
	case keyed:
		return refTo(k.of)
	case entries:
		return k.entries()
	case items:
		one := refTo(k.of)
		all := types{"array"} // first: that is what an editor writes
		for _, t := range one.Type {
			if t != "array" {
				all = append(all, t)
			}
		}
		return &node{Type: all, If: &node{Type: types{"array"}}, Then: &node{Items: one}, Else: &node{AllOf: one.AllOf}}
	}
	return k.text()
}

// entries is a mapping with keys of the user's own.
func (k *key) entries() *node {
	names := &node{MinLength: 1, Not: &node{Const: "<<"}}
	if e := k.of.entry; e.doc != "" {
		names.Description = e.doc
	}
	if k.names != "" {
		names.Pattern = "^(" + k.names + ")$"
		names.PatternErrorMessage = "this is not a name that can stand here"
	}
	n := &node{Type: types{"object"}, PropertyNames: names}
	if v := k.of.value; v != nil {
		n.AdditionalProperties = v.text()
	} else {
		n.AdditionalProperties = refTo(k.of)
	}
	return n
}

// text is one text. YAML has numbers and more where the spec has text.
func (k *key) text() *node {
	n := &node{Type: types{"string", "number", "boolean"}}
	if k.optional {
		n.Type = append(n.Type, "null")
	}
	if k.enum != nil {
		enum := &node{}
		for _, e := range k.enum {
			enum.Enum = append(enum.Enum, e)
		}
		n = &node{AnyOf: []*node{enum, {Type: types{"string"}, Pattern: variable}}}
	}
	if k.pattern != "" {
		shape := shapeOf(k.pattern)
		n.Type = shape.types
		n.Minimum, n.Maximum = shape.minimum, shape.maximum
		n.Pattern = "^(" + k.pattern + ")$|" + variable
		if k.examples != nil {
			n.PatternErrorMessage = "expected one such as " + or(k.examples)
		}
	}
	return n
}

// variable is the pattern of a value whose text is known to no editor.
const variable = `\$\{`

func (k *key) literals() []any {
	var list []any
	for _, e := range k.examples {
		list = append(list, k.literal(e))
	}
	return list
}

// literal is a value as an editor should write it.
func (k *key) literal(s string) any {
	switch k.kind {
	case boolean:
		return s == "true"
	case entries:
		name, value, _ := strings.Cut(s, ": ")
		return map[string]string{name: value}
	}
	// A number stays one where its text does.
	v, err := strconv.ParseFloat(s, 64)
	if err == nil && strconv.FormatFloat(v, 'f', -1, 64) == s {
		return v
	}
	return s
}
