package scan

import (
	"bytes"
	"errors"
	"go/build/constraint"
	"go/scanner"
	"go/token"
	"io"
)

const (
	// firstRead holds the header of nearly every Go file, in bytes.
	firstRead = 16 << 10
	// maxHeader is where the search for the end of a header is given up, in
	// bytes.
	maxHeader = 4 << 20
)

// header is what stands above the declarations of a Go file. The zero value is
// a header that cannot be parsed.
type header struct {
	pkg        string
	constraint string
	cgo        bool
}

// readHeader reads a Go file up to its first declaration, rounded up to a
// buffer. Only errors of r are errors.
func readHeader(r io.Reader) (header, error) {
	buf := make([]byte, 0, firstRead)
	for tried := false; ; {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil && err != io.EOF {
			return header{}, err
		}
		full := len(buf) == cap(buf)
		last := err == io.EOF || full && len(buf) >= maxHeader
		// A reader that gives little at a time is not worth a try each time.
		if !tried || full || last {
			tried = true
			if h, ok := parseHeader(buf, last); ok {
				return h, nil
			}
		}
		if full {
			buf = append(make([]byte, 0, 4*cap(buf)), buf...)
		}
	}
}

// parseHeader parses a file of which src is the start, or all of it when last
// is set. The result is false when src ends too soon to tell.
func parseHeader(src []byte, last bool) (header, bool) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	t := &tokens{}
	t.Init(token.NewFileSet().AddFile("", -1, len(src)), src, func(token.Position, string) { t.bad = true }, 0)
	h := t.header(src)
	// A token may be cut short by the end of src, and the scanner puts a
	// semicolon there. So the header ends where something else follows it.
	for t.tok != token.EOF && !last {
		if t.next(); t.tok != token.SEMICOLON {
			break
		}
	}
	return h, last || t.tok != token.EOF
}

// tokens is a scanner that holds the token it has read last.
type tokens struct {
	scanner.Scanner
	pos token.Pos
	tok token.Token
	lit string
	bad bool // an error was met
}

// next reads a token.
func (t *tokens) next() { t.pos, t.tok, t.lit = t.Scan() }

// header reads up to the first token behind the header.
func (t *tokens) header(src []byte) header {
	t.next()
	if t.tok != token.PACKAGE {
		return header{}
	}
	top := src[:int(t.pos)-1]
	t.next()
	if t.tok != token.IDENT || t.bad {
		return header{}
	}
	h := header{pkg: t.lit}
	var err error
	if h.constraint, err = findConstraint(top); err != nil {
		h = header{} // read on: the caller wants to know where the header ends
	}
	t.next()
	if t.tok == token.SEMICOLON {
		t.next()
	}
	for t.tok == token.IMPORT {
		if t.imports() && h.pkg != "" {
			h.cgo = true
		}
	}
	return h
}

// imports reads one import declaration and reports whether it imports "C".
func (t *tokens) imports() bool {
	cgo := false
	t.next()
	group := t.tok == token.LPAREN
	if group {
		t.next()
	}
	for {
		if t.tok == token.IDENT || t.tok == token.PERIOD {
			t.next()
		}
		if t.tok != token.STRING {
			break
		}
		cgo = cgo || t.lit == `"C"` || t.lit == "`C`"
		t.next()
		if t.tok == token.SEMICOLON {
			t.next()
		}
		if !group {
			return cgo
		}
	}
	if group && t.tok == token.RPAREN {
		t.next()
		if t.tok == token.SEMICOLON {
			t.next()
		}
	}
	return cgo
}

// findConstraint returns the build constraint in the comments above a package
// clause, "" when there is none. A //go:build line counts anywhere among them
// and rules out +build lines, which must be followed by a blank line and stand
// above anything but line comments.
func findConstraint(top []byte) (string, error) {
	var (
		expr    constraint.Expr // of the //go:build line
		plus    constraint.Expr // of +build lines
		pending []constraint.Expr
		ended   bool // something else than line comments was seen
		block   bool // in a block comment
	)
	for line := range bytes.Lines(top) {
		if line[len(line)-1] != '\n' {
			break // the line of the package clause itself, however it is indented
		}
		line = bytes.TrimSpace(line)
		text := string(line)
		switch {
		case block:
		case text == "" && !ended:
			plus, pending = conjunction(plus, pending), nil
		case constraint.IsGoBuild(text):
			if expr != nil {
				return "", errors.New("more than one //go:build line")
			}
			var err error
			if expr, err = constraint.Parse(text); err != nil {
				return "", err
			}
		case constraint.IsPlusBuild(text):
			if x, err := constraint.Parse(text); err == nil && !ended {
				pending = append(pending, x) // error ignored: so does the go command
			}
		case !bytes.HasPrefix(line, []byte("//")):
			ended = true
		}
		block = inBlock(line, block)
	}
	if expr == nil {
		expr = plus
	}
	if expr == nil {
		return "", nil
	}
	return expr.String(), nil
}

// conjunction returns the expression that holds where x, unless nil, and all
// of more hold.
func conjunction(x constraint.Expr, more []constraint.Expr) constraint.Expr {
	for _, y := range more {
		if x != nil {
			y = &constraint.AndExpr{X: x, Y: y}
		}
		x = y
	}
	return x
}

// inBlock reports whether a block comment is open behind a line of comments.
func inBlock(line []byte, open bool) bool {
	for {
		if !open {
			line, open = bytes.CutPrefix(bytes.TrimSpace(line), []byte("/*"))
			if !open {
				return false
			}
		}
		_, rest, closed := bytes.Cut(line, []byte("*/"))
		if !closed {
			return true
		}
		line, open = rest, false
	}
}
