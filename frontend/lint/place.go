package lint

import (
	"bytes"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// place is a stretch of the spec. Its end is behind the last byte.
type place struct {
	start, end spec.Pos
}

// part is a part of a value: length bytes of it, all for a length below zero.
type part struct {
	pos          spec.Pos
	from, length int
}

// index notes where the lines of the source start.
func (in *Input) index() {
	in.Source = bytes.TrimPrefix(in.Source, []byte("\ufeff")) // Parse counts without it
	in.text, in.places = string(in.Source), map[part]place{}
	in.lines = []int{0}
	for i, c := range in.Source {
		if c == '\n' {
			in.lines = append(in.lines, i+1)
		}
	}
}

// value is the place of a field's value: the start of the file for one that was
// not written.
func (in *Input) value(field *string) place {
	p := in.Spec.Pos(field)
	return in.once(part{p, 0, -1}, func() place {
		at, ok := in.offset(p)
		if !ok {
			return nowhere()
		}
		return place{p, in.pos(at + in.scalar(at, *field))}
	})
}

// once looks for a place when it is asked for the first time: what binaries share
// is found for each of them.
func (in *Input) once(key part, look func() place) place {
	found, ok := in.places[key]
	if !ok {
		found = look()
		in.places[key] = found
	}
	return found
}

// inside is the place of a part of a field's value, or of the whole value where
// it is written in another way, with escapes for instance.
func (in *Input) inside(field *string, from, length int) place {
	return in.once(part{in.Spec.Pos(field), from, length}, func() place { return in.find(field, from, length) })
}

func (in *Input) find(field *string, from, length int) place {
	whole := in.value(field)
	start, _ := in.offset(whole.start)
	end, _ := in.offset(whole.end)
	part := (*field)[from : from+length]
	text := in.text[start:end]
	at := strings.Index(text, *field) + from
	switch {
	case strings.Contains(text, *field):
	case strings.Count(text, part) == 1:
		at = strings.Index(text, part)
	default:
		return whole
	}
	return place{in.pos(start + at), in.pos(start + at + length)}
}

// written is the place of the first field that was written: that of its value
// for a text, of its key otherwise.
func (in *Input) written(fields ...any) place {
	for _, f := range fields {
		if !in.Spec.Pos(f).IsValid() {
			continue
		}
		if text, ok := f.(*string); ok {
			return in.value(text)
		}
		return in.token(in.Spec.At(f))
	}
	return nowhere()
}

// nowhere is the start of the file, where nothing is to blame.
func nowhere() place {
	p := spec.Pos{Line: 1, Column: 1}
	return place{p, p}
}

// token is the place of the key, or the value on one line, that starts at p.
func (in *Input) token(p spec.Pos) place {
	at, ok := in.offset(p)
	if !ok {
		return nowhere()
	}
	return place{p, in.pos(at + in.word(at))}
}

// offset returns where a place is in the source, false when it is not there.
func (in *Input) offset(p spec.Pos) (int, bool) {
	if !p.IsValid() || p.Line > len(in.lines) {
		return 0, false
	}
	at := in.lines[p.Line-1] + p.Column - 1
	return at, at <= len(in.Source)
}

// pos is the place of an offset.
func (in *Input) pos(at int) spec.Pos {
	line := sort.Search(len(in.lines), func(i int) bool { return in.lines[i] > at })
	return spec.Pos{Line: line, Column: at - in.lines[line-1] + 1}
}

// scalar returns the length of a YAML scalar in the source, with its quotes and
// its anchor.
func (in *Input) scalar(at int, value string) int {
	text := in.text[at:]
	anchor := 0
	if strings.HasPrefix(text, "&") {
		anchor = strings.IndexFunc(text, unicode.IsSpace)
		if anchor < 0 {
			return len(text)
		}
		anchor += len(text[anchor:]) - len(strings.TrimLeftFunc(text[anchor:], unicode.IsSpace))
		text = text[anchor:]
	}
	switch {
	case text == "":
		return anchor
	case text[0] == '\'' || text[0] == '"' || text[0] == '*':
		return anchor + in.word(at+anchor)
	case text[0] == '|' || text[0] == '>':
		header := strings.IndexByte(text, '\n')
		if header < 0 {
			return anchor + len(text)
		}
		return anchor + header + spelled(text[header:], value)
	}
	return anchor + spelled(text, value)
}

// spelled returns the length of text up to where value ends in it. Spaces do
// not count: YAML folds lines.
func spelled(text, value string) int {
	at := 0
	for _, want := range value {
		if unicode.IsSpace(want) {
			continue
		}
		for at < len(text) {
			r, n := utf8.DecodeRuneInString(text[at:])
			at += n
			if r == want {
				break
			}
		}
	}
	return at
}

// word returns the length of the quoted text, the alias or the plain word at an
// offset. A plain word ends before its line does, at ": ", " #", or what ends
// an item in brackets.
func (in *Input) word(at int) int {
	text := in.text[at:]
	if text != "" && (text[0] == '\'' || text[0] == '"') {
		return quoted(text)
	}
	for i := range len(text) {
		rest := text[i:]
		switch {
		case strings.ContainsRune("\r\n,[]{}", rune(text[i])),
			strings.HasPrefix(rest, " #"),
			text[i] == ':' && (len(rest) == 1 || unicode.IsSpace(rune(rest[1]))),
			text[0] == '*' && unicode.IsSpace(rune(text[i])):
			return len(strings.TrimRight(text[:i], " \t"))
		}
	}
	return len(text)
}

// quoted returns the length of a quoted text. In double quotes a backslash
// escapes, in single quotes a second quote.
func quoted(text string) int {
	q := text[0]
	for i := 1; i < len(text); i++ {
		switch {
		case q == '"' && text[i] == '\\':
			i++
		case text[i] != q:
		case q == '\'' && strings.HasPrefix(text[i+1:], "'"):
			i++
		default:
			return i + 1
		}
	}
	return len(text)
}
