package spec

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v4"
)

// syntaxMessage maps a part of the YAML library's message to ours.
type syntaxMessage struct {
	part, msg, help string
	// context: the construct's start is the better place, such as the quote
	// that is never closed.
	context bool
}

// syntaxMessages returns what can go wrong before there are nodes. The first
// part that is contained in the library's message wins.
func syntaxMessages() []syntaxMessage {
	return []syntaxMessage{
		{part: "unknown escape character", msg: `unknown escape sequence in "…"`, help: "use single quotes, or double the backslash"},
		{part: "while scanning a quoted scalar", msg: "this quote is never closed", context: true},
		{part: "mapping values are not allowed", msg: `unexpected ":"`, help: `a value that holds ": " needs quotes`},
		{part: "found character that cannot start any token", msg: "this character cannot start a value", help: "quote the value; indent with spaces, not with tabs"},
		{part: "found a tab character", msg: "a tab cannot indent", help: "use spaces"},
		{part: "did not find expected '-' indicator", msg: `expected "- " and an item of the list`, help: "the items of a list start in the same column"},
		{part: "did not find expected ',' or ']'", msg: `expected "," or "]"`},
		{part: "did not find expected ',' or '}'", msg: `expected "," or "}"`},
		{part: "could not find expected ':'", msg: `expected ":" and a value after the key`, context: true},
		{part: "did not find expected key", msg: "expected a key", help: "the keys of a mapping start in the same column"},
		{part: "unknown anchor", msg: "this alias has no anchor"},
		{part: "did not find expected alphabetic or numeric character", msg: "expected a name after & or *", help: "quote a value that starts with them"},
		{part: "did not find expected <document start>", msg: "expected the end of the file, found more", help: "the keys of the spec start in the first column"},
		{part: "control characters are not allowed", msg: "control characters cannot be part of a spec"},
	}
}

// syntaxError turns what the YAML library says into an error of ours.
func (d *decoder) syntaxError(err error) error {
	e := &Error{File: d.spec.file, Pos: Pos{1, 1}, Msg: "this is not valid YAML"}
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return ErrorList{e}
	}
	mark := le.Mark
	said := le.ContextMsg + ": " + le.Message
	for _, m := range syntaxMessages() {
		if strings.Contains(said, m.part) {
			e.Msg, e.Help = m.msg, m.help
			if m.context && le.ContextMark.Line > 0 {
				mark = le.ContextMark
			}
			break
		}
	}
	if mark.Line > 0 {
		e.Pos = Pos{mark.Line, max(mark.Column, 1)}
	}
	return ErrorList{e}
}
