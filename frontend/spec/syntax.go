package spec

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// syntaxMessage maps a part of the YAML library's message to ours.
type syntaxMessage struct {
	part, msg, help string
	// context: the construct's start is the better place, such as the quote
	// that is never closed.
	context bool
}

// syntaxMessages returns what can go wrong before there are nodes. The first
// part that is contained in the library's message wins. %s stands for the text
// at the place.
func syntaxMessages() []syntaxMessage {
	return []syntaxMessage{
		{part: "unknown escape character", msg: "unknown escape sequence", help: "use single quotes, or double the backslash"},
		{part: "expected hexadecimal number", msg: "expected hexadecimal digits", help: `after \x two of them, after \u four`},
		{part: "invalid Unicode character escape", msg: "this escape sequence is no character"},
		{part: "while scanning a quoted scalar", msg: "this quote is never closed", context: true},
		{part: "while scanning a block scalar", msg: "expected the end of the line, found %s", help: "the text of | and > starts on the next line"},
		{part: "mapping values are not allowed", msg: `unexpected ":"`, help: `a value that holds ": " needs quotes`},
		{part: "found character that cannot start any token", msg: "%s cannot start a value", help: "quote the value"},
		{part: "found a tab character", msg: "a tab cannot indent", help: "use spaces"},
		{part: "block sequence entries are not allowed", msg: "a list cannot start here", help: "write it on lines of its own, or in [ ]"},
		{part: "did not find expected '-' indicator", msg: `expected "- " and an item of the list, found %s`, help: "the items of a list start in the same column"},
		{part: "did not find expected ',' or ']'", msg: `expected "," or "]", found %s`},
		{part: "did not find expected ',' or '}'", msg: `expected "," or "}", found %s`},
		{part: "could not find expected ':'", msg: `expected ":" and a value after the key %s`, context: true},
		{part: "did not find expected key", msg: "expected a key, found %s", help: "the keys of a mapping start in the same column"},
		{part: "did not find expected node content", msg: "expected a value, found %s"},
		{part: "unknown anchor", msg: "this alias has no anchor", help: `quote a value that starts with "*"`},
		{part: "did not find expected alphabetic or numeric character", msg: "expected a name after & or *", help: "quote a value that starts with them"},
		{part: "did not find expected <document start>", msg: "expected the end of the file, found %s", help: "the keys of the spec start in the first column"},
		{part: "found incompatible YAML document", msg: "unknown version of YAML", help: "remove this line"},
		{part: "directive", msg: "unknown directive %s", help: `quote a value that starts with "%"`, context: true},
		{part: "exceeded max depth", msg: "too many levels"},
	}
}

// syntaxError turns what the YAML library says into an error of ours.
func (d *decoder) syntaxError(err error) error {
	e := &Error{File: d.spec.file, Pos: Pos{1, 1}, Msg: "this is not valid YAML"}
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return ErrorList{e}
	}
	e.Pos = d.place(le.Mark.Line, le.Mark.Column)
	said := le.ContextMsg + ": " + le.Message
	context := d.place(le.ContextMark.Line, le.ContextMark.Column)
	for _, m := range syntaxMessages() {
		if !strings.Contains(said, m.part) {
			continue
		}
		if m.context && le.ContextMark.Line > 0 {
			e.Pos = context
		}
		e.Msg, e.Help = m.msg, m.help
		if strings.Contains(m.msg, "%s") {
			e.Msg = fmt.Sprintf(m.msg, d.textAt(e.Pos))
		}
		break
	}
	d.refine(e, context)
	e.Msg, e.Help = message("%s", []any{e.Msg}), message("%s", []any{e.Help})
	return ErrorList{e}
}

// refine says what the library does not see: where a mistake began that it
// noticed later.
func (d *decoder) refine(e *Error, context Pos) {
	line := d.lines[e.Pos.Line-1]
	before, after := line[:e.Pos.Column-1], line[e.Pos.Column-1:]
	word := strings.TrimSpace(before)
	switch {
	case strings.HasPrefix(e.Msg, `expected "," or`):
		open := d.lines[context.Line-1][context.Column-1:][:1]
		e.Help = fmt.Sprintf("the %q is in line %d, column %d", open, context.Line, context.Column)
		if strings.HasSuffix(before, "'") {
			e.Help = "a quote inside single quotes is written twice"
		}
		if e.Pos.Line > context.Line && strings.HasPrefix(after, ":") || d.isEnd(e.Pos) {
			*e = Error{File: e.File, Pos: context, Msg: fmt.Sprintf("this %q is never closed", open)}
		}
	case strings.HasPrefix(after, "\t") && strings.HasSuffix(e.Msg, "cannot start a value"):
		e.Msg, e.Help = "a tab cannot indent", "use spaces"
	case strings.HasPrefix(e.Msg, "expected a key, found") && word != "":
		e.Msg, e.Help = fmt.Sprintf("unexpected %s after the value", d.textAt(e.Pos)), "quote the whole value"
		switch {
		case strings.ContainsAny(after[:1], "]}"):
			e.Help = "remove it"
		case strings.HasSuffix(word, "'"):
			e.Help = "a quote inside single quotes is written twice"
		}
	case strings.HasPrefix(e.Msg, `unexpected ":"`) && word != "" && !strings.ContainsAny(word, " :") && e.Pos.Line > 1:
		d.continued(e, word, 1+strings.Index(before, word))
	case strings.HasPrefix(e.Msg, `expected ":"`) && e.Pos.Line > 1 && blockHeader.MatchString(d.lines[e.Pos.Line-2]):
		e.Help = "the text of | and > is indented"
	case strings.HasPrefix(e.Msg, `expected ":"`) && len(after) > 1 && after[0] == '-':
		e.Help = `an item of a list is written "- ` + cut(redact.Quotable(strings.TrimSpace(after[1:])), 20) + `"`
	case strings.HasPrefix(e.Msg, `expected ":"`) && strings.Contains(after, ":"):
		e.Help = `a space belongs behind the ":"`
	case e.Msg == "unknown escape sequence" && len(after) > 1:
		_, size := utf8.DecodeRuneInString(after[1:])
		e.Msg += " " + after[:1+size]
	}
}

// continued is about a key that YAML takes for more of the value above it.
func (d *decoder) continued(e *Error, key string, column int) {
	above := e.Pos.Line - 1
	for above > 1 && strings.TrimSpace(d.lines[above-1]) == "" {
		above--
	}
	line := d.lines[above-1]
	indent := len(line) - len(strings.TrimLeft(line, " "))
	switch at := gluedKey.FindStringIndex(line[indent:]); {
	case strings.HasPrefix(line[indent:], "//"):
		*e = Error{File: e.File, Pos: Pos{above, indent + 1}, Msg: `"//" starts no comment`, Help: "comments start with #"}
	case at != nil:
		*e = Error{File: e.File, Pos: Pos{above, indent + at[1]}, Msg: `expected a space behind the ":"`}
	default:
		e.Pos.Column = column
		e.Msg, e.Help = fmt.Sprintf("unexpected key %q", key), "the keys of a mapping start in the same column"
	}
}

// gluedKey is a key and the start of a value without a space before it.
var gluedKey = regexp.MustCompile(`^[A-Za-z_]+:[^ /]`)

// blockHeader is the end of a line whose value follows.
var blockHeader = regexp.MustCompile(`[|>][-+0-9]*\s*$`)

// textAt quotes the word at a place.
func (d *decoder) textAt(p Pos) string {
	if d.isEnd(p) {
		return "the end of the file"
	}
	shown := strings.Split(string(redact.Mask(d.spec.data)), "\n")
	words := strings.Fields(shown[p.Line-1][p.Column-1:])
	if len(words) == 0 {
		return "the end of the line"
	}
	word := words[0]
	if word[0] == '-' && len(words) > 1 && len(word) == 1 {
		word += " " + words[1]
	}
	word = cut(word, 40)
	if strings.Contains(word, `"`) && !strings.Contains(word, "'") {
		return "'" + word + "'"
	}
	return fmt.Sprintf("%q", word)
}

// isEnd reports whether nothing follows a place but empty lines.
func (d *decoder) isEnd(p Pos) bool {
	return strings.TrimSpace(d.lines[p.Line-1][p.Column-1:]+strings.Join(d.lines[p.Line:], "")) == ""
}
