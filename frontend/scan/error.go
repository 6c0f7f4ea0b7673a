package scan

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// Error is something wrong with a go.mod or go.work file, or with another one that
// must be read.
type Error struct {
	// File is the slash path from the root of the tree, "" when the tree as a whole
	// is meant.
	File string `json:"file,omitempty"`
	// Line and Column count from 1; Column counts runes. Line is 0 when the
	// file as a whole is meant, Column when the line is.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Msg says what is wrong, in lower case.
	Msg string `json:"msg"`
	// Data is the content of the file.
	Data []byte `json:"data,omitempty"`
}

// Error returns file:line:column: message, without what is not known.
func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Msg
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// fileError returns the first error that package modfile found in a file.
func fileError(name string, data []byte, err error) *Error {
	e := &Error{File: name, Msg: err.Error(), Data: data}
	var list modfile.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return e
	}
	first := list[0]
	e.Line, e.Column = first.Pos.Line, first.Pos.LineRune
	if n := bytes.Count(bytes.TrimRight(data, "\n"), []byte("\n")) + 1; e.Line > n {
		e.Line, e.Column = n, 0 // behind the last line there is nothing to show
	}
	// The position has fields of its own.
	first.Filename, first.Pos = "", modfile.Position{}
	e.Msg = redact.Printable(strings.Join(strings.Fields(first.Error()), " "))
	return e
}

// ErrChanged is wrapped when a file is not what it was when the names were
// listed.
var ErrChanged = errors.New("it changed while it was sent")

// ExitChanged is the exit code of a scan that met [ErrChanged].
const ExitChanged = 4
