package scan

import (
	"bytes"
	"errors"
	"go/ast"
	"go/build/constraint"
	"go/scanner"
	"go/token"
	"io"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"
)

const (
	// firstRead holds the header of nearly every Go file, in bytes.
	firstRead = 16 << 10
	// maxHeader is where the search for the end of a header is given up, in
	// bytes.
	maxHeader = 4 << 20
)

// header is what stands above the declarations of a Go file, and what the file
// embeds. The zero value is a header that cannot be parsed.
type header struct {
	pkg        string
	constraint string
	cgo        bool
	imports    []string // sorted, without "C"
	embeds     []string // sorted
}

// readHeader reads a Go file up to its first declaration, rounded up to a
// buffer, for which it uses buf as long as that is large enough. A file that may
// embed others is read to its end, a large one while large is locked. Only errors
// of r are errors, and errLarge.
func readHeader(r io.Reader, buf []byte, large sync.Locker) (header, error) {
	for tried := false; ; {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return header{}, err
		}
		full := len(buf) == cap(buf)
		last := ended || full && len(buf) >= maxHeader
		// A reader that gives little at a time is not worth a try each time.
		if !tried || full || last {
			tried = true
			if h, ok := parseHeader(buf, last); ok {
				if _, embeds := slices.BinarySearch(h.imports, "embed"); !embeds {
					return h, nil
				}
				if ended {
					h.embeds = findEmbeds(buf)
					return h, nil
				}
				h.embeds, err = readEmbeds(buf, r, large)
				return h, err
			}
		}
		if full {
			buf = append(make([]byte, 0, 4*cap(buf)), buf...)
		}
	}
}

// errLarge is returned for a file that embeds others and is too large to be read.
var errLarge = errors.New("the file is too large")

// readEmbeds finds the embeds of a file from its start and the rest. Of large
// files one is held at a time.
func readEmbeds(start []byte, rest io.Reader, large sync.Locker) ([]string, error) {
	src := bytes.NewBuffer(start)
	_, err := io.CopyN(src, rest, int64(max(maxHeader-len(start), 0)))
	if err == nil {
		large.Lock()
		defer large.Unlock()
		_, err = io.CopyN(src, rest, int64(maxEmbedder+1-src.Len()))
	}
	switch {
	case err == nil:
		return nil, errLarge
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return findEmbeds(src.Bytes()), nil
}

// parseHeader parses a file of which src is the start, or all of it when last
// is set. The result is false when src ends too soon to tell.
func parseHeader(src []byte, last bool) (header, bool) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if !last {
		src = wholeRunes(src)
	}
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

// wholeRunes is src without the start of a rune that its end cuts through.
func wholeRunes(src []byte) []byte {
	for i := len(src) - 1; i >= max(len(src)-utf8.UTFMax, 0); i-- {
		if utf8.RuneStart(src[i]) {
			if !utf8.FullRune(src[i:]) {
				return src[:i]
			}
			break
		}
	}
	return src
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
	// The line of the package clause is none of comments, however it is indented.
	if h.constraint, err = findConstraint(top[:bytes.LastIndexByte(top, '\n')+1]); err != nil {
		h = header{} // read on: the caller wants to know where the header ends
	}
	t.next()
	if t.tok == token.SEMICOLON {
		t.next()
	}
	var paths []string
	for t.tok == token.IMPORT {
		paths = t.imports(paths)
	}
	if h.pkg != "" {
		slices.Sort(paths)
		h.imports = slices.Compact(paths)
		if i, ok := slices.BinarySearch(h.imports, "C"); ok {
			h.cgo, h.imports = true, slices.Delete(h.imports, i, i+1)
		}
	}
	return h
}

// imports reads one import declaration and adds its import paths to list.
func (t *tokens) imports(list []string) []string {
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
		if path, err := strconv.Unquote(t.lit); err == nil && path != "" {
			list = append(list, path) // error ignored: the compiler reports it
		}
		t.next()
		if t.tok == token.SEMICOLON {
			t.next()
		}
		if !group {
			return list
		}
	}
	if group && t.tok == token.RPAREN {
		t.next()
		if t.tok == token.SEMICOLON {
			t.next()
		}
	}
	return list
}

// findEmbeds returns the patterns of the //go:embed directives of a file. The
// go command takes them wherever they stand; the compiler is stricter.
func findEmbeds(src []byte) []string {
	if !bytes.Contains(src, []byte("//go:embed")) {
		return nil
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	var sc scanner.Scanner
	sc.Init(token.NewFileSet().AddFile("", -1, len(src)), src, nil, scanner.ScanComments)
	var patterns []string
	for {
		pos, tok, lit := sc.Scan()
		if tok == token.EOF {
			slices.Sort(patterns)
			return slices.Compact(patterns)
		}
		if tok != token.COMMENT {
			continue
		}
		d, ok := ast.ParseDirective(pos, lit)
		if !ok || d.Tool != "go" || d.Name != "embed" {
			continue
		}
		args, err := d.ParseArgs()
		if err != nil {
			continue // the compiler reports it
		}
		for _, a := range args {
			if utf8.ValidString(a.Arg) {
				patterns = append(patterns, a.Arg)
			}
		}
	}
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
		var code bool
		if block, code = inBlock(line, block); code {
			break
		}
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

// inBlock reports whether a block comment is open behind a line of comments, and
// whether the line holds anything else.
func inBlock(line []byte, open bool) (block, code bool) {
	for {
		if !open {
			line = bytes.TrimSpace(line)
			rest, block := bytes.CutPrefix(line, []byte("/*"))
			if !block {
				return false, len(line) > 0 && !bytes.HasPrefix(line, []byte("//"))
			}
			line = rest
		}
		_, rest, closed := bytes.Cut(line, []byte("*/"))
		if !closed {
			return true, false
		}
		line, open = rest, false
	}
}
