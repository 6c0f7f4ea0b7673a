package main

import (
	"bytes"
	"slices"
)

// ends is a writer that keeps the start and the end of what is written: a server
// may say things through the go command for as long as it is asked.
type ends struct {
	// most is how much is kept, in bytes.
	most       int
	head, tail []byte
	lost       bool
}

// Write implements io.Writer.
func (e *ends) Write(p []byte) (int, error) {
	n := min(len(p), e.most/2-len(e.head))
	e.head = append(e.head, p[:n]...)
	rest := p[n:]
	if len(rest) > e.most/2 {
		rest, e.tail, e.lost = rest[len(rest)-e.most/2:], nil, true
	}
	if e.tail = append(e.tail, rest...); len(e.tail) > e.most {
		e.tail, e.lost = slices.Clone(e.tail[len(e.tail)-e.most/2:]), true
	}
	return len(p), nil
}

// bytes is what was kept, with a line in place of what was not.
func (e *ends) bytes() []byte {
	if !e.lost {
		return slices.Concat(e.head, e.tail)
	}
	return bytes.Join([][]byte{e.head, e.tail[max(0, len(e.tail)-e.most/2):]}, []byte("\n…\n"))
}
