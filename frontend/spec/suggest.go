package spec

import (
	"reflect"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest returns the word that is most likely meant by a misspelled one, or ""
// when none is near: a third of its letters away, or two letters in the wrong
// order. Capital letters are no difference, and a word of three letters keeps
// its first. A word that is longer than any name is near none: to compare takes
// the length of one times that of the other.
func Nearest(word string, words []string) string {
	const longest = 200
	if i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, word) }); i >= 0 {
		return words[i]
	}
	if len(word) > longest {
		return ""
	}
	best, distance := "", 2*max(1, len(word)/3)+1 // in halves of a letter
	for _, w := range words {
		if len(w) > 2*longest || len(word) <= 3 && !strings.HasPrefix(w, word[:min(1, len(word))]) {
			continue
		}
		d := 2 * levenshtein.Distance(word, w, nil)
		if d == 4 && sameLetters(word, w) {
			d = 1 // nearer than another letter
		}
		if d < distance {
			best, distance = w, d
		}
	}
	return best
}

// sameLetters reports whether two words differ in the order of letters only.
func sameLetters(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// didYouMean returns the help that names the nearest word, or "".
func didYouMean(word string, words []string) string {
	if near := Nearest(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// unknownKeyHelp says which key was meant, or which there are.
func unknownKeyHelp(parent, key string, fields []field) string {
	known := names(fields)
	if name, rest := cutKey(key); slices.Contains(known, name) {
		return "write " + name + ": " + cut(rest, 40)
	}
	if name := calledAlso(key, fields); name != "" {
		return "did you mean " + name + "?"
	}
	if place := elsewhere(parent, key); place != "" {
		return place
	}
	if help := didYouMean(key, known); help != "" {
		return help
	}
	if strings.HasPrefix(strings.ToLower(key), "cgo") {
		return "binaries are built without cgo: leave it out"
	}
	return "expected one of " + strings.Join(known, ", ")
}

// calledAlso returns the key that other tools call by a name, "" for none.
func calledAlso(name string, fields []field) string {
	for _, f := range fields {
		if name != "" && slices.Contains(f.also, strings.ToLower(name)) {
			return f.name
		}
	}
	return ""
}

// cutKey splits a key that its value was written into: user:root, user=root.
func cutKey(key string) (name, value string) {
	at := strings.IndexAny(key, ":= ")
	if at < 0 {
		return "", ""
	}
	return key[:at], strings.TrimLeft(key[at:], ":= ")
}

// elsewhere says where a key belongs that stands in the wrong place, by its name or
// by what other tools call it.
func elsewhere(parent, key string) string {
	if strings.ContainsRune(parent, '[') || strings.Count(parent, ".") > 2 {
		return "" // too deep for a key of the wrong mapping
	}
	root := reflect.TypeFor[Spec]()
	last := parent[strings.LastIndexByte(parent, '.')+1:]
	fields := fieldsOf(root)
	var places, others []string
	for _, f := range fields {
		t := root.Field(f.index).Type
		if t.Kind() != reflect.Struct || f.name == last {
			continue
		}
		if below := fieldsOf(t); slices.Contains(names(below), key) {
			places = append(places, f.name+"."+key)
		} else if name := calledAlso(key, below); name != "" {
			others = append(others, f.name+"."+name)
		}
	}
	name := calledAlso(key, fields)
	switch {
	case len(places) > 0:
		return "did you mean " + strings.Join(places, " or ") + "?"
	case slices.Contains(names(fields), key):
		return "it belongs to the top of the spec"
	case name != "":
		return "did you mean " + name + ", at the top of the spec?"
	case len(others) > 0:
		return "did you mean " + strings.Join(others, " or ") + "?"
	}
	return ""
}
