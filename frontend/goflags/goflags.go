// Package goflags reads flags as the go command does: those in GOFLAGS, and the
// values of flags that hold several words. Of an environment it reads variables
// as a process does.
//
// It knows how flags are written, not which there are and what they mean.
package goflags

import (
	"slices"
	"strconv"
	"strings"
)

// space is what stands between words. The go command knows no other.
const space = " \t\n\r"

// Env are the flags that an environment gives the go command in GOFLAGS.
func Env(env []string) []string {
	words, _ := Split(Getenv(env, "GOFLAGS")) // the go command refuses a quote that is never closed
	return words
}

// Getenv is the value of a variable in an environment of NAME=value, where the
// last one of a name counts. It is "" when there is none.
func Getenv(env []string, name string) string {
	for _, e := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// Frozen reports whether an environment asks for a frozen release of the standard
// library's cryptography, as most values of GOFIPS140 do. The go command then unpacks
// it into the module cache, and adds a build tag that begins with [FrozenTag]
// (cmd/go/internal/fips140).
func Frozen(env []string) bool {
	value := Getenv(env, "GOFIPS140")
	return value != "" && value != "off" && value != "latest"
}

// FrozenTag begins the build tag that the go command adds for [Frozen], such as
// fips140v1.0.
const FrozenTag = "fips140v"

// Split splits a text into words at spaces outside of quotes. A quote counts at
// the start of a word only, nothing is escaped, and what follows the closing one
// is the next word. A quote that is never closed is the last word, with all behind
// it; the go command refuses such a text.
func Split(text string) (words []string, ok bool) {
	for {
		text = strings.TrimLeft(text, space)
		if text == "" {
			return words, true
		}
		if q := text[0]; q == '"' || q == '\'' {
			word, rest, closed := strings.Cut(text[1:], string(q))
			if !closed {
				return append(words, text), false
			}
			words, text = append(words, word), rest
			continue
		}
		end := strings.IndexAny(text, space)
		if end < 0 {
			end = len(text)
		}
		words, text = append(words, text[:end]), text[end:]
	}
}

// Cut cuts a word such as -mod=vendor or --mod=vendor. The name is "" when the
// word is no flag, and given is false when it has no value of its own.
func Cut(word string) (name, value string, given bool) {
	flag, dashed := strings.CutPrefix(word, "-")
	if !dashed {
		return "", "", false
	}
	return strings.Cut(strings.TrimPrefix(flag, "-"), "=")
}

// Has reports whether one of the flags has one of the names.
func Has(flags []string, names ...string) bool {
	return slices.ContainsFunc(flags, func(f string) bool {
		name, _, _ := Cut(f)
		return name != "" && slices.Contains(names, name)
	})
}

// Value is the value of a flag, of several the last one. On a command line it may
// be the next word, which GOFLAGS does not have.
func Value(flags []string, name string) (value string, ok bool) {
	for i, f := range flags {
		n, v, given := Cut(f)
		switch {
		case n != name:
		case given:
			value, ok = v, true
		case i+1 < len(flags):
			value, ok = flags[i+1], true
		}
	}
	return value, ok
}

// On reports whether a flag is on that is on or off, off when it is not there.
func On(flags []string, name string) bool {
	on := false
	for _, f := range flags {
		if n, v, given := Cut(f); n == name {
			b, err := strconv.ParseBool(v)
			on = !given || err == nil && b // error ignored: the go command refuses it
		}
	}
	return on
}

// Tags are the build tags in a value of -tags. With a space or a quote in it they
// are words, else they stand between commas.
func Tags(value string) []string {
	if strings.ContainsAny(value, " '") {
		tags, _ := Split(value)
		return tags
	}
	return strings.FieldsFunc(value, func(c rune) bool { return c == ',' })
}
