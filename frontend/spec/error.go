package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file. Line and Column count from 1; Column counts bytes.
// The zero Pos is no place.
type Pos struct {
	Line, Column int
}

// IsValid reports whether the position is a place.
func (p Pos) IsValid() bool { return p.Line > 0 }

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

// Err returns the list, sorted and without repetitions, as an error: nil when
// it is empty.
func (l ErrorList) Err() error {
	if len(l) == 0 {
		return nil
	}
	slices.SortStableFunc(l, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column), strings.Compare(a.Msg, b.Msg))
	})
	return slices.CompactFunc(l, func(a, b *Error) bool { return *a == *b })
}

// Errorf returns an error at the place of a field, named by its address as for
// [Spec.Pos]. A field that was not written gives the start of the file.
func (s *Spec) Errorf(field any, format string, a ...any) *Error {
	return &Error{File: s.file, Pos: s.At(field), Msg: fmt.Sprintf(format, a...)}
}

// ErrorIn is [Spec.Errorf] at the place of a text inside the field's value,
// when that text stands on the line where the value starts.
func (s *Spec) ErrorIn(field any, text, format string, a ...any) *Error {
	e := s.Errorf(field, format, a...)
	lines := strings.SplitN(string(s.data), "\n", e.Pos.Line+1)
	if e.Pos.Line > len(lines) || e.Pos.Column > len(lines[e.Pos.Line-1]) {
		return e
	}
	if i := strings.Index(lines[e.Pos.Line-1][e.Pos.Column-1:], text); i > 0 {
		e.Pos.Column += i
	}
	return e
}

// WithHelp sets what to do about the error and returns it.
func (e *Error) WithHelp(format string, a ...any) *Error {
	e.Help = fmt.Sprintf(format, a...)
	return e
}
