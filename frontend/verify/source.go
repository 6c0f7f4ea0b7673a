package verify

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxRead is how much of a file is read in all: more than any build info needs.
const maxRead = 256 << 20

// errTooMuch ends the reading of a file that is made to be read forever.
var errTooMuch = errors.New("too much of the file would have to be read")

// source is a file that is read in parts, up to a limit.
type source struct {
	r    io.ReaderAt
	size int64
	*reading
	// patches stand in place of what the file holds.
	patches []patch
}

// reading is what all views of a file have in common.
type reading struct {
	// left is how much more may be read.
	left int64
	// err is the first failure of the reader itself.
	err error
}

// patch is bytes that stand in place of others, or behind the end of the file.
type patch struct {
	off  int64
	data []byte
}

// ReadAt reads a part of the file.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	end := s.size
	for _, c := range s.patches {
		end = max(end, c.off+int64(len(c.data)))
	}
	if off < 0 || off >= end {
		return 0, io.EOF
	}
	short := int64(len(p)) > end-off
	if short {
		p = p[:end-off]
	}
	if s.left -= int64(len(p)); s.left < 0 {
		return 0, errTooMuch
	}
	if n := max(min(int64(len(p)), s.size-off), 0); n > 0 {
		if m, err := s.r.ReadAt(p[:n], off); int64(m) < n {
			if err == nil || errors.Is(err, io.EOF) {
				err = fmt.Errorf("the file ends at byte %d, before its size of %d: %w", off+int64(m), s.size, io.ErrUnexpectedEOF)
			}
			if s.err == nil {
				s.err = err
			}
			return m, err
		}
	}
	for _, c := range s.patches {
		overlay(p, off, c)
	}
	if short {
		return len(p), io.EOF
	}
	return len(p), nil
}

// overlay lays a patch over bytes that were read at an offset.
func overlay(p []byte, off int64, c patch) {
	for i := range c.data {
		if at := c.off + int64(i) - off; at >= 0 && at < int64(len(p)) {
			p[at] = c.data[i]
		}
	}
}

// with is the source with patches.
func (s *source) with(patches ...patch) *source {
	t := *s
	t.patches = slices.Concat(s.patches, patches)
	return &t
}

// bytes reads n bytes. The result is false when the file has fewer.
func (s *source) bytes(off, n uint64) ([]byte, bool) {
	if !s.holds(off, n) || n > 1<<20 {
		return nil, false
	}
	p := make([]byte, n)
	_, err := s.ReadAt(p, int64(off))
	return p, err == nil
}

// holds reports whether a range is inside of the file.
func (s *source) holds(off, n uint64) bool {
	size := uint64(s.size)
	return off <= size && n <= size-off
}

// text reads a string that ends with a zero, of at most n bytes.
func (s *source) text(off, n uint64) (string, bool) {
	size := uint64(s.size)
	if off >= size {
		return "", false
	}
	p, ok := s.bytes(off, min(n, size-off, 4096))
	if !ok {
		return "", false
	}
	end := slices.Index(p, 0)
	if end < 0 {
		return "", false
	}
	return string(p[:end]), true
}

// truncated says that a part of the file is not there.
func (f *Facts) truncated(what string, off, n uint64) {
	f.damage(Problem{
		Found:    fmt.Sprintf("%s of %d bytes at byte %d of a file of %d", what, n, off, f.Size),
		Expected: "all of it in the file",
		Effect:   effectCrash,
		Help:     "the file is truncated: was the disk of the builder full?",
	})
}

// inside reports whether the file holds a part, and notes it as damage
// otherwise.
func (f *Facts) inside(s *source, what string, off, n uint64) bool {
	if s.holds(off, n) {
		return true
	}
	f.truncated(what, off, n)
	return false
}

// odd notes a field that has one right value.
func (f *Facts) odd(what string, got, want uint64) {
	if got != want {
		f.damage(Problem{Found: fmt.Sprintf("%s %#x", what, got), Expected: fmt.Sprintf("%#x", want), Effect: effectFormat, Help: helpDamaged})
	}
}

// helpDamaged is for files that no compiler writes.
const helpDamaged = "the file is damaged: build it again with --no-cache"
