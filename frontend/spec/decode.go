package spec

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// decoder fills a spec from YAML nodes. Every value is stored by its kind in
// the Spec struct; places are kept beside the data, by the address of the
// field, so a slice gets its final length before its elements are decoded.
type decoder struct {
	spec  *Spec
	errs  ErrorList
	lines []string
	// starts are where the characters of a line start.
	starts map[int][]int
	// values counts what was decoded: aliases can make it more than the file
	// has bytes.
	values int
	known  map[mistake]bool
}

// pos is where a node starts.
func (d *decoder) pos(n *yaml.Node) Pos { return d.place(n.Line, n.Column) }

// place makes a place of what the YAML library says, which counts characters.
// It lies inside the file.
func (d *decoder) place(line, column int) Pos {
	if line < 1 {
		return Pos{1, 1}
	}
	if line > len(d.lines) {
		line, column = len(d.lines), len(d.lines[len(d.lines)-1])+1
	}
	starts, ok := d.starts[line]
	if !ok {
		for at := range d.lines[line-1] {
			starts = append(starts, at)
		}
		d.starts[line] = starts
	}
	if column > len(starts) {
		return Pos{line, len(d.lines[line-1]) + 1}
	}
	return Pos{line, starts[max(column, 1)-1] + 1}
}

// errorf reports what is wrong at a node, the value of a key. Through an alias
// the same mistake is met under other keys.
func (d *decoder) errorf(n *yaml.Node, key, help, format string, a ...any) {
	m := mistake{d.pos(n), format, fmt.Sprint(a[:min(1, len(a))]...)}
	if d.known[m] {
		return
	}
	d.known[m] = true
	if key != "" {
		format, a = "%s: "+format, append([]any{key}, a...)
	}
	e := d.spec.errorAt(m.pos, format, a...)
	if help != "" {
		e.WithHelp("%s", help)
	}
	d.errs = append(d.errs, e)
}

// mistake is what is wrong at a place, whatever key leads there.
type mistake struct {
	pos          Pos
	format, what string
}

// document decodes the root node.
func (d *decoder) document(n *yaml.Node) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		var help string
		if n.Kind == yaml.ScalarNode && noSpace.MatchString(n.Value) {
			help = `a key and its value are written with ": " between them`
		}
		d.errorf(n, "", help, "expected keys such as main: ./cmd/server, found %s", found(n))
		return
	}
	d.structure(n, "", reflect.ValueOf(d.spec).Elem())
}

// noSpace is a key that runs into its value.
var noSpace = regexp.MustCompile(`^[a-z_]+( *=|:)`)

// value decodes a node into v, which is called key in errors.
func (d *decoder) value(n *yaml.Node, key string, v reflect.Value) {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		// The place stays that of the alias: there the value is used.
		alias := *n.Alias
		alias.Line, alias.Column = n.Line, n.Column
		n = &alias
	}
	if d.isTooMuch(n) {
		return
	}
	if n.Style&yaml.TaggedStyle != 0 {
		d.errorf(n, key, "remove the tag", "tags such as %s have no meaning here", n.Tag)
		return
	}
	d.spec.pos[v.Addr().Interface()] = d.pos(n)
	switch {
	case v.Kind() == reflect.Struct:
		d.structure(n, key, v)
	case v.Kind() == reflect.Slice && hasKey(v.Type().Elem()):
		d.entries(n, key, v)
	case v.Kind() == reflect.Slice:
		d.list(n, key, v)
	default:
		d.scalar(n, key, v)
	}
}

// structure decodes a mapping whose keys are the fields of a struct, or the
// short form: the value of one of them.
func (d *decoder) structure(n *yaml.Node, key string, v reflect.Value) {
	fields := fieldsOf(v.Type())
	known := names(fields)
	expected := "keys (" + strings.Join(known, ", ") + ")"
	if short := slices.IndexFunc(fields, func(f field) bool { return f.short }); short >= 0 {
		f := fields[short]
		expected += " or " + f.name + " alone"
		if n.Kind == yaml.ScalarNode && !isNull(n) || n.Kind == yaml.SequenceNode && v.Field(f.index).Kind() == reflect.Slice {
			d.value(n, key, v.Field(f.index))
			return
		}
	}
	if n.Kind != yaml.MappingNode {
		d.errorf(n, key, keysHelp(n, v.Type()), "expected %s, found %s", expected, found(n))
		return
	}
	var unknown bool // and perhaps the one that is missing
	written := map[string]bool{}
	d.mapping(n, func(k, value *yaml.Node) {
		i := slices.Index(known, k.Value)
		if i < 0 {
			help := unknownKeyHelp(key, k.Value, fields)
			if pair := pairHelp(k.Value, value.Value, fields); pair != "" && strings.HasPrefix(value.Value, "/") && strings.HasPrefix(help, "expected") {
				help = pair
			}
			d.errorf(k, "", help, "unknown key %q%s", k.Value, in(key))
			unknown = true
			return
		}
		written[k.Value] = true
		field := v.Field(fields[i].index)
		d.spec.keys[field.Addr().Interface()] = d.pos(k)
		d.value(value, join(key, k.Value), field)
	})
	for _, f := range fields {
		if f.required && !written[f.name] && !unknown {
			d.errorf(n, key, "", "%s is missing", f.name)
		}
	}
}

// entries decodes a mapping with keys of the user's own into a slice of
// structs with a field for the key and one for the value, or for the keys of
// the value.
func (d *decoder) entries(n *yaml.Node, key string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.errorf(n, key, entryHelp(n, v.Type().Elem()), "expected names with values (NAME: value), found %s", found(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(n.Content)/2))
	d.mapping(n, func(k, value *yaml.Node) {
		v.SetLen(v.Len() + 1)
		e := v.Index(v.Len() - 1)
		e.Field(0).SetString(k.Value)
		d.spec.pos[e.Field(0).Addr().Interface()] = d.pos(k)
		if tagName(e.Type().Field(1)) == ",value" {
			e = e.Field(1)
		}
		d.value(value, join(key, k.Value), e)
	})
}

// isTooMuch counts values and stops where no file of a user goes on. Without
// aliases there are fewer than the file has bytes.
func (d *decoder) isTooMuch(n *yaml.Node) bool {
	d.values++
	if d.values == 2*MaxSize {
		d.errorf(n, "", "write out what is needed", "aliases repeat too many values")
	}
	return d.values >= 2*MaxSize || len(d.errs) > 10*maxErrors
}

// mapping calls f for every entry whose key is usable and new.
func (d *decoder) mapping(n *yaml.Node, f func(k, value *yaml.Node)) {
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, value := n.Content[i], n.Content[i+1]
		switch {
		case d.isTooMuch(k):
			return
		case k.Kind != yaml.ScalarNode || k.Value == "" && isNull(k):
			d.errorf(k, "", "", "expected a name as a key, found %s", found(k))
		case k.Style&yaml.TaggedStyle != 0:
			d.errorf(k, "", "remove the tag", "tags such as %s have no meaning here", k.Tag)
		case strings.ContainsRune(k.Value, 0):
			d.errorf(k, "", "", "a NUL byte cannot be part of a key")
		case k.Tag == "!!merge" || k.Value == "<<":
			d.errorf(k, "", "write the keys out", "merge keys are not supported")
		case first[k.Value] != nil:
			d.errorf(k, "", "", "duplicate key %q: first on line %d", k.Value, first[k.Value].Line)
		default:
			first[k.Value] = k
			f(k, value)
		}
	}
}

// list decodes a list, or a single item as a list of one.
func (d *decoder) list(n *yaml.Node, key string, v reflect.Value) {
	single := yaml.ScalarNode
	if v.Type().Elem().Kind() == reflect.Struct && n.Kind == yaml.MappingNode {
		single = yaml.MappingNode
	}
	switch {
	case n.Kind == yaml.SequenceNode:
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			d.value(item, fmt.Sprintf("%s[%d]", key, i), v.Index(i))
		}
	case n.Kind == single && !isNull(n):
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		d.value(n, key, v.Index(0))
	default:
		expected, help := "a value or a list of values", listHelp(n)
		if e := v.Type().Elem(); e.Kind() == reflect.Struct {
			expected, help = "keys ("+strings.Join(names(fieldsOf(e)), ", ")+") or a list", keysHelp(n, e)
		}
		d.errorf(n, key, help, "expected %s, found %s", expected, found(n))
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
		d.errorf(n, key, valueHelp(n), "expected a value, found %s", found(n))
		return
	}
	if strings.ContainsRune(n.Value, 0) {
		d.errorf(n, key, "", "a NUL byte cannot be part of a value")
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
	d.errorf(n, key, booleanHelp(n.Value), "expected true or false, found %s", found(n))
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
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case isNull(n):
		return "nothing"
	}
	return fmt.Sprintf("%q", cut(redact.Quotable(n.Value), 40))
}

// cut returns a text, or the start of one that is longer than limit.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
