package main

import (
	"bytes"
	"fmt"
	"strings"
)

const head = `<!-- Generated from frontend/spec/spec.go by go generate. -->

# The spec

A Gopherfile is YAML. All keys are optional; the file may be the syntax line alone. Unknown keys, duplicate keys and
wrong types are errors, and all errors of a file are reported at once. A list may be written as a single value. Text
keeps its spelling: 1.20 is not 1.2.

${NAME} in a value is replaced: a declared argument, BUILDPLATFORM, REVISION or SOURCE; under build and image also
TARGETPLATFORM, TARGETOS, TARGETARCH and TARGETVARIANT. ${NAME:-default} is the default where NAME is empty; $$ is a
dollar. A variable inside a flag never becomes two flags; a variable that is the whole item of ldflags, gcflags or
asmflags stands for flags. Names and true or false hold no variables.

Editors with the YAML language server complete the keys, show what is below and check values, from a JSON Schema that a
comment names. It comes after the syntax line:

` + "```yaml" + `
# syntax=gopherfile/gopherfile:1
# yaml-language-server: $schema=` + schemaID + `
` + "```" + `

## Keys
`

// section is a mapping and where it stands.
type section struct {
	path string
	*mapping
}

// reference returns the page.
func (g *grammar) reference() []byte {
	var b bytes.Buffer
	b.WriteString(head)
	queue := []section{{"", g.structs["Spec"]}}
	seen := map[*mapping]bool{}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if s.path != "" {
			fmt.Fprintf(&b, "\n## `%s`\n\n%s\n", s.path, prose(s.about()))
		}
		b.WriteString("\n| key | value | default | meaning |\n|---|---|---|---|\n")
		for _, k := range s.keys {
			path := s.path + "." + k.name
			if s.path == "" {
				path = k.name
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", path, k.takes(), code(k.preset), k.meaning())
			if k.of != nil && len(k.of.keys) > 0 && !seen[k.of] {
				seen[k.of] = true
				queue = append(queue, section{path + k.suffix(), k.of})
			}
		}
	}
	return b.Bytes()
}

// about is what stands above the table of a mapping.
func (s section) about() string {
	if s.entry != nil {
		return s.doc + " " + s.entry.doc
	}
	return s.doc
}

// suffix is what a place has after the key, for one of its values.
func (k *key) suffix() string {
	switch k.kind {
	case entries:
		return ".NAME"
	case items:
		return "[]"
	}
	return ""
}

// takes names the values of a key.
func (k *key) takes() string {
	switch k.kind {
	case boolean:
		return "true or false"
	case list:
		return "list"
	case keyed:
		return "keys" + k.orShort()
	case items:
		return "list of keys" + k.orShort()
	case entries:
		if len(k.of.keys) == 0 {
			return "names with values"
		}
		return "names with keys" + k.orShort()
	}
	return "text"
}

func (k *key) orShort() string {
	if s := k.of.short(); s != nil {
		return ", or `" + s.name + "` alone"
	}
	return ""
}

// meaning is what a key is for, with what it takes in particular.
func (k *key) meaning() string {
	said := prose(k.doc)
	if k.required {
		said += " Required."
	}
	switch {
	case k.enum != nil:
		said += " One of " + or(codes(k.enum)) + "."
	case k.examples != nil:
		said += " Such as " + or(codes(k.examples)) + "."
	}
	return said
}

// prose returns a doc comment as Markdown, for the cell of a table.
func prose(doc string) string {
	return strings.NewReplacer("<", "&lt;", "|", `\|`, "*", `\*`).Replace(doc)
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func codes(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = code(s)
	}
	return out
}

// or joins words of which one is chosen.
func or(list []string) string {
	last := len(list) - 1
	if last == 0 {
		return list[0]
	}
	return strings.Join(list[:last], ", ") + " or " + list[last]
}
