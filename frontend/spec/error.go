package spec

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// Pos is a place in a file. Line and Column count from 1; Column counts bytes.
// The zero Pos is no place.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// IsValid reports whether the position is a place.
func (p Pos) IsValid() bool { return p.Line > 0 }

// compare orders places as they follow each other in a file.
func (p Pos) compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// Error is something wrong at a place of a file.
type Error struct {
	// File is the name of the spec or, for what plan finds there, of a go.mod
	// or go.work file in the context.
	File string
	// Pos is where the value starts that is wrong.
	Pos Pos
	// Msg says what was found and what was expected, in lower case.
	Msg string
	// Help says what to do. It may be empty.
	Help string
}

// Error returns file:line:column: message (help).
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Pos.IsValid() {
		fmt.Fprintf(&b, ":%d:%d", e.Pos.Line, e.Pos.Column)
	}
	b.WriteString(": ")
	b.WriteString(e.Msg)
	if e.Help != "" {
		b.WriteString(" (" + e.Help + ")")
	}
	return b.String()
}

// ErrorList holds all errors of a spec, sorted by place.
type ErrorList []*Error

// Error returns one line an error.
func (l ErrorList) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors for errors.Is and errors.As.
func (l ErrorList) Unwrap() []error {
	errs := make([]error, len(l))
	for i, e := range l {
		errs[i] = e
	}
	return errs
}

// maxErrors is how many errors are listed. More of them help nobody.
const maxErrors = 100

// Err returns the list, sorted and without repetitions, as an error: nil when
// it is empty. Of a long list the rest is left out.
func (l ErrorList) Err() error {
	if len(l) == 0 {
		return nil
	}
	slices.SortStableFunc(l, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Pos.compare(b.Pos), strings.Compare(a.Msg, b.Msg))
	})
	l = slices.CompactFunc(l, func(a, b *Error) bool { return *a == *b })
	if len(l) > maxErrors {
		first := l[maxErrors]
		l = append(l[:maxErrors:maxErrors], &Error{File: first.File, Pos: first.Pos, Msg: "more errors from here on"})
	}
	return l
}

// Errorf returns an error at the place of a field, named by its address as for
// [Spec.Pos]. A field that was not written gives the start of the file.
func (s *Spec) Errorf(field any, format string, a ...any) *Error {
	return s.errorAt(s.At(field), format, a...)
}

// errorAt returns an error at a place of the spec.
func (s *Spec) errorAt(p Pos, format string, a ...any) *Error {
	return &Error{File: s.file, Pos: p, Msg: message(format, a)}
}

// message formats a text for one line of a terminal, whatever the user's
// values are. No URL in them shows a password.
func message(format string, a []any) string {
	const limit = 500
	for i := range a {
		if text, ok := a[i].(string); ok {
			a[i] = cut(redact.Quotable(text), limit)
		}
	}
	return redact.Printable(fmt.Sprintf(format, a...))
}

// ErrorIn is [Spec.Errorf] at the place of a text inside the field's value,
// when the value holds it as it was written.
func (s *Spec) ErrorIn(field any, text, format string, a ...any) *Error {
	e := s.Errorf(field, format, a...)
	if text == "" {
		return e
	}
	start, end := s.offset(e.Pos), s.offset(s.next(e.Pos))
	i := bytes.Index(s.data[start:end], []byte(text))
	if i < 0 {
		return e
	}
	before := s.data[start : start+i]
	if n := bytes.Count(before, []byte("\n")); n > 0 {
		e.Pos.Line += n
		e.Pos.Column = len(before) - bytes.LastIndexByte(before, '\n')
	} else {
		e.Pos.Column += i
	}
	return e
}

// sortPlaces makes places easy to find: an error looks for the next one, and a
// spec may have as many errors as values.
func (s *Spec) sortPlaces() {
	for _, places := range []map[any]Pos{s.pos, s.keys} {
		for _, p := range places {
			s.places = append(s.places, p)
		}
	}
	slices.SortFunc(s.places, Pos.compare)
	s.places = slices.Compact(s.places)
	s.lines = append(s.lines, 0)
	for i, c := range s.data {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
}

// next returns the first place behind p at which something else is written,
// or the zero Pos.
func (s *Spec) next(p Pos) Pos {
	at, found := slices.BinarySearchFunc(s.places, p, Pos.compare)
	if found {
		at++
	}
	if at == len(s.places) {
		return Pos{}
	}
	return s.places[at]
}

// offset returns where a place is in the data, whose end the zero Pos stands for.
func (s *Spec) offset(p Pos) int {
	if !p.IsValid() || p.Line > len(s.lines) {
		return len(s.data)
	}
	return min(s.lines[p.Line-1]+p.Column-1, len(s.data))
}

// WithHelp sets what to do about the error and returns it.
func (e *Error) WithHelp(format string, a ...any) *Error {
	e.Help = message(format, a)
	return e
}
