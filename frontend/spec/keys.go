package spec

import (
	"reflect"
	"strings"
)

// field is a key of a struct.
type field struct {
	name  string
	index int
	// short: the value may stand in place of the whole mapping.
	short, required bool
	// also are the names that other tools give it.
	also []string
}

// fieldsOf returns the keys of a struct in the order of its fields.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		tag := tagName(t.Field(i))
		name, option, _ := strings.Cut(tag, ",")
		if name != "" {
			also := strings.Split(t.Field(i).Tag.Get("also"), "|")
			fields = append(fields, field{name, i, option == "short", option == "required", also})
		}
	}
	return fields
}

func tagName(f reflect.StructField) string { return f.Tag.Get("yaml") }

// hasKey reports whether a type is an entry of a mapping with keys of the
// user's own.
func hasKey(t reflect.Type) bool { return t.Kind() == reflect.Struct && tagName(t.Field(0)) == ",key" }

func names(fields []field) []string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.name
	}
	return list
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
