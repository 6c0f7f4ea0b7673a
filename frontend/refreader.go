package frontend

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/moby/buildkit/frontend/gateway/client"
)

// Sizes of what is read in one call. The headers of a binary are in one page,
// its section table and build info in one or two others. The longest read is far
// below what a message may hold (16 MiB).
const (
	refPage  = 64 << 10
	refChunk = 4 << 20
)

// Limits of what is read of a file. A binary asks for a few pages; a file that is
// made to be read page by page must neither be kept whole nor be read forever.
const (
	refKept = 8 << 20
	refAll  = 256 << 20
)

// refReader reads parts of a file of a state. A page is asked for once, as long as
// not much else is read. It is for one goroutine.
type refReader struct {
	ctx  context.Context
	ref  client.Reference
	name string
	size int64
	// pages are those that are kept, by number. Those of one call share its data.
	pages map[int64][]byte
	// kept are the calls that the pages come from, the oldest first.
	kept []refCall
	// all is the length of all that was read, and held that of what is kept.
	all, held int64
}

// refCall is what one call to the daemon has read: some pages, of a length.
type refCall struct{ first, last, length int64 }

// openRef opens a file.
func openRef(ctx context.Context, ref client.Reference, name string) (*refReader, error) {
	st, err := ref.StatFile(ctx, client.StatRequest{Path: name})
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return &refReader{ctx: ctx, ref: ref, name: name, size: st.Size, pages: map[int64][]byte{}}, nil
}

// ReadAt reads a part of the file.
func (r *refReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= r.size {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && off < r.size {
		page, err := r.page(off/refPage, (off+int64(len(p)-n)-1)/refPage)
		if err != nil {
			return n, err
		}
		m := copy(p[n:], page[off%refPage:])
		n, off = n+m, off+int64(m)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// page returns one page of the file. It reads those behind it, up to the last
// one that is wanted, in the same call.
func (r *refReader) page(first, last int64) ([]byte, error) {
	if page, ok := r.pages[first]; ok {
		return page, nil
	}
	last = min(last, (r.size-1)/refPage, first+refChunk/refPage-1)
	for i := first + 1; i <= last; i++ {
		if _, ok := r.pages[i]; ok {
			last = i - 1
		}
	}
	start := first * refPage
	length := min((last-first+1)*refPage, r.size-start)
	if r.all += length; r.all > refAll {
		return nil, fmt.Errorf("read %s: more than %d MiB of it would have to be read: is it a binary?", r.name, refAll>>20)
	}
	r.forget(length)
	data, err := r.ref.ReadFile(r.ctx, client.ReadRequest{
		Filename: r.name,
		Range:    &client.FileRange{Offset: int(start), Length: int(length)},
	})
	if err != nil {
		return nil, pathError("read", r.name, err)
	}
	if int64(len(data)) < length {
		return nil, fmt.Errorf("read %s: got %d bytes at byte %d, expected %d", r.name, len(data), start, length)
	}
	for i := first; i <= last; i++ {
		at := (i - first) * refPage
		r.pages[i] = data[at:min(at+refPage, length)]
	}
	r.kept, r.held = append(r.kept, refCall{first, last, length}), r.held+length
	return r.pages[first], nil
}

// forget lets go of the oldest pages, until there is room for more. The first call
// is kept: the headers are in it.
func (r *refReader) forget(length int64) {
	for len(r.kept) > 1 && r.held+length > refKept {
		oldest := r.kept[1]
		for i := oldest.first; i <= oldest.last; i++ {
			delete(r.pages, i)
		}
		r.kept, r.held = slices.Delete(r.kept, 1, 2), r.held-oldest.length
	}
}
