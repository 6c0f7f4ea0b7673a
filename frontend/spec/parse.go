package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxSize is the largest spec that Parse accepts, in bytes.
const MaxSize = 256 << 10

// Parse decodes a spec. The name stands for the file in errors. All errors of
// the file come back at once, as an [ErrorList]; a file that is not YAML gives
// the first place where it is not. An empty file, or one with comments only,
// is an empty spec.
func Parse(name string, data []byte) (*Spec, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // no editor counts it as a column
	d := decoder{spec: &Spec{file: name, data: data, pos: map[any]Pos{}, keys: map[any]Pos{}}, starts: map[int][]int{}, known: map[mistake]bool{}}
	d.lines = strings.Split(string(data), "\n")
	if err := d.check(); err != nil {
		return nil, err
	}
	if err := d.checkLanguage(); err != nil {
		return nil, err
	}
	root, err := d.load()
	if err != nil {
		return nil, err
	}
	if root != nil {
		d.document(root)
	}
	if err := d.errs.Err(); err != nil {
		return nil, err
	}
	if err := d.spec.overlay(); err != nil {
		return nil, err
	}
	d.spec.sortPlaces()
	return d.spec, nil
}

// check refuses what is no text before YAML sees it.
func (d *decoder) check() error {
	s := d.spec
	if len(s.data) > MaxSize {
		return ErrorList{{File: s.file, Msg: fmt.Sprintf("a spec of %d bytes is too large: expected at most %d", len(s.data), MaxSize)}}
	}
	line, column := 1, 1
	for rest := s.data; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 {
			return ErrorList{{File: s.file, Pos: Pos{line, column}, Msg: "expected text in UTF-8", Help: "save the file as UTF-8"}}
		}
		if r != '\t' && r != '\n' && r != '\r' && r != '\u0085' && unicode.IsControl(r) {
			return ErrorList{{File: s.file, Pos: Pos{line, column}, Msg: fmt.Sprintf("%U is a control character", r), Help: "remove it, or write it as an escape sequence in double quotes"}}
		}
		// YAML ends lines where no editor does; places would no longer agree.
		if r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\r' && !bytes.HasPrefix(rest, []byte("\r\n")) {
			return ErrorList{{File: s.file, Pos: Pos{line, column}, Msg: fmt.Sprintf("%U cannot end a line", r), Help: "end lines with a newline"}}
		}
		column += n
		if r == '\n' {
			line, column = line+1, 1
		}
		rest = rest[n:]
	}
	return nil
}

// load returns the node of the only document, or nil when there is none.
func (d *decoder) load() (*yaml.Node, error) {
	l, err := yaml.NewLoader(bytes.NewReader(d.spec.data))
	if err != nil {
		return nil, d.syntaxError(err)
	}
	var doc, next yaml.Node
	if err := l.Load(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, d.syntaxError(err)
	}
	if err := l.Load(&next); err == nil {
		return nil, ErrorList{{File: d.spec.file, Pos: d.separator(next.Line), Msg: "expected one document, found a second one", Help: "remove this line"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, d.syntaxError(err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// separator returns the place of the line that begins a document which was
// found at a line.
func (d *decoder) separator(line int) Pos {
	at := min(line, len(d.lines))
	for i := at; i > 0; i-- {
		if text := d.lines[i-1]; strings.HasPrefix(text, "---") || strings.HasPrefix(text, "...") {
			return Pos{i, 1}
		}
	}
	return d.place(at, 1)
}
