package gocache

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// request is what the go command asks.
type request struct {
	ID       int64
	Command  string
	ActionID []byte
	OutputID []byte
	BodySize int64

	// body is what a put brings, and bad why it could not be read.
	body []byte
	bad  error
}

// response is what the go command is told.
type response struct {
	ID            int64
	Err           string     `json:",omitempty"`
	KnownCommands []string   `json:",omitempty"`
	Miss          bool       `json:",omitempty"`
	OutputID      []byte     `json:",omitempty"`
	Size          int64      `json:",omitempty"`
	Time          *time.Time `json:",omitempty"`
	DiskPath      string     `json:",omitempty"`
}

// The go command gives a line of its request some hundred bytes; a body is not
// part of it.
const bufferSize = 64 << 10

// firstPiece bounds what is set aside for a body before any of it has come.
const firstPiece = 1 << 20

// decoder reads requests.
type decoder struct {
	r *bufio.Reader
}

func newDecoder(r io.Reader) *decoder {
	return &decoder{r: bufio.NewReaderSize(r, bufferSize)}
}

// next returns the next request with its body. The error is io.EOF when there
// is none. A body that is not what the request says is an error of that
// request only, as its end is still known.
func (d *decoder) next() (*request, error) {
	line, err := d.line()
	if err != nil {
		return nil, err
	}
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return nil, fmt.Errorf("read a request: %w", err)
	}
	if req.BodySize < 0 {
		return nil, fmt.Errorf("read a request: body of %d bytes", req.BodySize)
	}
	if req.BodySize == 0 {
		return &req, nil
	}
	if err := d.open(); err != nil {
		return nil, fmt.Errorf("read the body of a request: %w", err)
	}
	req.body, req.bad, err = d.body(req.BodySize)
	if err != nil {
		return nil, fmt.Errorf("read the body of a request: %w", err)
	}
	return &req, nil
}

// line returns the next line that is not empty.
func (d *decoder) line() ([]byte, error) {
	for {
		line, err := d.r.ReadSlice('\n')
		line = bytes.TrimSpace(line)
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, fmt.Errorf("read a request: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return nil, err
		case len(line) > 0:
			return line, nil
		}
	}
}

// open reads what stands before a body.
func (d *decoder) open() error {
	for {
		c, err := d.r.ReadByte()
		switch {
		case err != nil:
			return noEOF(err)
		case c == '"':
			return nil
		case c != '\n' && c != '\r' && c != ' ' && c != '\t':
			return fmt.Errorf("%q where a string was expected", c)
		}
	}
}

// body decodes what stands before the next quote. It takes no more memory than
// what has come, whatever size a request promises.
func (d *decoder) body(size int64) (body []byte, bad, err error) {
	body = make([]byte, 0, min(size, firstPiece))
	for {
		// Base64 is decoded by fours, which the buffer may hold only in part.
		piece, err := d.r.Peek(4)
		if len(piece) == 0 {
			return nil, nil, noEOF(err)
		}
		piece, _ = d.r.Peek(d.r.Buffered())
		end := bytes.IndexByte(piece, '"')
		switch {
		case end >= 0:
			piece = piece[:end]
		case len(piece) < 4:
			return nil, nil, noEOF(err)
		default:
			piece = piece[:len(piece)/4*4]
		}
		if bad == nil {
			if body, bad = decodeTo(body, piece); bad == nil && int64(len(body)) > size {
				bad = fmt.Errorf("body of more than %d bytes", size)
			}
		}
		if end >= 0 {
			d.r.Discard(end + 1)
			break
		}
		d.r.Discard(len(piece))
	}
	if bad == nil && int64(len(body)) != size {
		bad = fmt.Errorf("body of %d bytes where %d were announced", len(body), size)
	}
	if bad != nil {
		return nil, bad, nil
	}
	return body, nil, nil
}

// decodeTo appends what a piece of base64 stands for. Growing goes by the
// append of the language, so that a large body is copied a few times only.
func decodeTo(body, piece []byte) ([]byte, error) {
	n := len(body)
	switch {
	case bytes.ContainsAny(piece, "\r\n"):
		return body, errors.New("line end in a body")
	case n%3 != 0 && len(piece) > 0:
		return body, errors.New("padding inside of a body") // earlier pieces ended with it
	}
	body = append(body, make([]byte, base64.StdEncoding.DecodedLen(len(piece)))...)
	got, err := base64.StdEncoding.Decode(body[n:], piece)
	return body[:n+got], err
}

// noEOF is for the middle of a request, where the input must not end.
func noEOF(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// encoder writes responses, each in one piece.
type encoder struct {
	mu sync.Mutex
	w  io.Writer
}

// send writes a response. An error of it needs no handling: a go command that
// does not listen has ended, and then its requests end too.
func (e *encoder) send(r response) {
	line, err := json.Marshal(r)
	if err != nil {
		line, _ = json.Marshal(response{ID: r.ID, Err: err.Error()})
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.w.Write(append(line, '\n'))
}
