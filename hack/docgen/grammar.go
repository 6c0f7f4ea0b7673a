package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
)

// grammar is the language as the structs of a Go file describe it.
type grammar struct {
	structs map[string]*mapping
	order   []string // as they stand in the file
}

// mapping is a struct: keys of the language, or an entry with a key of the
// user's own.
type mapping struct {
	name string
	doc  string
	keys []*key
	// entry is the key of the user's own, value what it stands for unless that
	// is the keys. Both are nil for a mapping with our keys only.
	entry, value *key
}

// kind is what a value is.
type kind int

const (
	text    kind = iota
	boolean      // true or false
	list         // texts
	keyed        // our keys
	entries      // keys of the user's own
	items        // a list of mappings
)

// key is a field of a struct.
type key struct {
	name     string
	doc      string
	kind     kind
	of       *mapping // for keyed, entries and items
	optional bool     // nothing is a value, too
	short    bool     // the value may stand in place of the whole mapping
	required bool
	preset   string // the default
	examples []string
	enum     []string
	pattern  string // of a text
	names    string // the pattern of the user's own keys
}

// readGrammar reads the structs of a Go file.
func readGrammar(file string) (*grammar, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	g := &grammar{structs: map[string]*mapping{}}
	fields := map[string]*ast.FieldList{}
	for _, decl := range f.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.TYPE {
			continue
		}
		for _, s := range d.Specs {
			t := s.(*ast.TypeSpec)
			if st, ok := t.Type.(*ast.StructType); ok {
				g.structs[t.Name.Name] = &mapping{name: t.Name.Name, doc: words(d.Doc)}
				g.order = append(g.order, t.Name.Name)
				fields[t.Name.Name] = st.Fields
			}
		}
	}
	if g.structs["Spec"] == nil {
		return nil, fmt.Errorf("%s has no struct Spec", file)
	}
	for _, name := range g.order {
		for _, field := range fields[name].List {
			if err := g.add(g.structs[name], field); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", file, name, err)
			}
		}
	}
	for _, m := range g.structs {
		for _, k := range m.keys {
			if k.kind == items && k.of.entry != nil {
				k.kind = entries
			}
		}
	}
	return g, nil
}

// add reads a field. A field without a tag is none of the language's.
func (g *grammar) add(m *mapping, field *ast.Field) error {
	if field.Tag == nil {
		return nil
	}
	tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
	name, option, _ := strings.Cut(tag.Get("yaml"), ",")
	k := &key{
		name:     name,
		doc:      words(field.Doc),
		short:    option == "short",
		required: option == "required",
		preset:   tag.Get("default"),
		examples: split(tag.Get("examples")),
		enum:     split(tag.Get("enum")),
		pattern:  tag.Get("pattern"),
		names:    tag.Get("keys"),
	}
	if err := g.classify(k, field.Type); err != nil {
		return fmt.Errorf("%s: %w", field.Names[0].Name, err)
	}
	switch {
	case option == "key":
		m.entry = k
	case option == "value":
		m.value = k
	case name == "":
		return fmt.Errorf("%s: no name in the tag yaml", field.Names[0].Name)
	case k.doc == "":
		return fmt.Errorf("%s: no doc comment", field.Names[0].Name)
	default:
		m.keys = append(m.keys, k)
	}
	return nil
}

// classify says what a field of a type takes.
func (g *grammar) classify(k *key, t ast.Expr) error {
	star, pointer := t.(*ast.StarExpr)
	if pointer {
		t = star.X
	}
	array, slice := t.(*ast.ArrayType)
	if slice {
		t = array.Elt
	}
	id, ok := t.(*ast.Ident)
	if !ok {
		return fmt.Errorf("a %T cannot be written in a spec", t)
	}
	k.of = g.structs[id.Name]
	switch {
	case id.Name == "bool" && pointer:
		k.kind = boolean
	case id.Name == "string" && slice:
		k.kind = list
	case id.Name == "string":
		k.kind, k.optional = text, pointer
	case k.of == nil:
		return fmt.Errorf("a %s cannot be written in a spec", id.Name)
	case !slice:
		k.kind = keyed
	default:
		k.kind = items
	}
	return nil
}

// short returns the key whose value may stand in place of the mapping, or nil.
func (m *mapping) short() *key {
	for _, k := range m.keys {
		if k.short {
			return k
		}
	}
	return nil
}

// words returns a comment as one line.
func words(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, "|")
}
