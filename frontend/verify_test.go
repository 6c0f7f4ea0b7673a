package frontend

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// counted is a state whose calls are counted.
type counted struct {
	fakeRef
	stats, reads atomic.Int32
	err          error // what a read fails with
	short        bool  // a read returns less than it should
}

func (c *counted) ReadFile(ctx context.Context, req client.ReadRequest) ([]byte, error) {
	c.reads.Add(1)
	if c.err != nil {
		return nil, c.err
	}
	data, err := c.fakeRef.ReadFile(ctx, req)
	if c.short && len(data) > 0 {
		data = data[:len(data)-1]
	}
	return data, err
}

func (c *counted) StatFile(ctx context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	c.stats.Add(1)
	return c.fakeRef.StatFile(ctx, req)
}

func (c *counted) ToState() (bkllb.State, error) { return bkllb.Scratch(), nil }

// spread is a binary whose tables are far apart, as in a large one: what is
// between the header and the data is not read.
func spread() []byte {
	return verifytest.Default(plan.Port{OS: "linux", Arch: "amd64", Level: "v1"}).Bytes()
}

// TestRefReader checks that every part of a file is read as it is, in few calls.
func TestRefReader(t *testing.T) {
	data := make([]byte, 10*refPage+123)
	for i := range data {
		data[i] = byte(i * 7 / 3)
	}
	ref := &counted{fakeRef: fakeRef{tree: fstest.MapFS{"bin": {Data: data}}}}
	r, err := openRef(t.Context(), ref, "/bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct{ off, n, calls int }{
		{0, 16, 1},                      // a page
		{100, 200, 1},                   // the same
		{refPage - 1, 2, 2},             // the next one
		{3 * refPage, 3 * refPage, 3},   // three in one call
		{2 * refPage, 5 * refPage, 5},   // those on both sides
		{10 * refPage, 1000, 6},         // the end
		{0, 10 * refPage, 7},            // the three that are missing
		{10*refPage + 122, 1, 7},        // the last byte
		{10*refPage + 123, 1, 7},        // behind it
		{1 << 40, 1, 7},                 // far behind it
		{9*refPage + 1, 2 * refPage, 7}, // beyond the end
	} {
		p := make([]byte, part.n)
		n, err := r.ReadAt(p, int64(part.off))
		start := min(part.off, len(data))
		want := data[start:min(start+part.n, len(data))]
		if n != len(want) || !slices.Equal(p[:n], want) || (err != nil) != (n < part.n) {
			t.Errorf("%d bytes at %d: got %d and error %v, want %d", part.n, part.off, n, err, len(want))
		}
		if got := int(ref.reads.Load()); got != part.calls {
			t.Errorf("%d bytes at %d: got %d calls, want %d", part.n, part.off, got, part.calls)
		}
	}
}

// vast is a state with a file of zeros, of any size.
type vast struct {
	counted
	size int64
}

func (v *vast) ReadFile(_ context.Context, req client.ReadRequest) ([]byte, error) {
	return make([]byte, req.Range.Length), nil
}

func (v *vast) StatFile(context.Context, client.StatRequest) (*fstypes.Stat, error) {
	return &fstypes.Stat{Size: v.size}, nil
}

// TestRefReaderBounded reads some bytes here and there of a large file, and all of
// it: little is kept, and the reading ends.
func TestRefReaderBounded(t *testing.T) {
	for _, tt := range []struct{ n, step int }{{1, refPage}, {1, 3 * refPage}, {refChunk, refChunk}, {3 * refPage, 2 * refPage}} {
		r, err := openRef(t.Context(), &vast{size: 1 << 32}, "/bin")
		if err != nil {
			t.Fatal(err)
		}
		p, off := make([]byte, tt.n), int64(0)
		for ; err == nil && off < r.size; off += int64(tt.step) {
			_, err = r.ReadAt(p, off)
			held := map[*byte]int64{} // what a call has read is one piece of memory
			for _, c := range r.kept {
				held[&r.pages[c.first][0]] = c.length
			}
			sum := int64(0)
			for _, n := range held {
				sum += n
			}
			if sum != r.held || sum > refKept || len(r.pages) != int(sum/refPage) {
				t.Fatalf("%d bytes at %d: got %d pages of %d bytes, and %d counted, want at most %d", tt.n, off, len(r.pages), sum, r.held, refKept)
			}
		}
		if err == nil || !strings.Contains(err.Error(), "more than 256 MiB of it would have to be read") || r.all > refAll+refChunk {
			t.Errorf("%d bytes each %d: got error %v after %d bytes, want one of the limit", tt.n, tt.step, err, r.all)
		}
		if _, err := r.ReadAt(p[:1], 0); err != nil {
			t.Errorf("got error %v for the header, want what was kept", err)
		}
	}
}

// TestRefReaderFails checks that a failure to read is an error, and not a file
// that is shorter.
func TestRefReaderFails(t *testing.T) {
	lost := errors.New("the daemon is gone")
	for _, tt := range []struct {
		name string
		ref  *counted
		want string
	}{
		{"lost", &counted{err: lost}, lost.Error()},
		{"short", &counted{short: true}, "expected"},
	} {
		tt.ref.tree = fstest.MapFS{"hello": {Data: spread()}}
		r, err := openRef(t.Context(), tt.ref, "/hello")
		if err != nil {
			t.Fatal(err)
		}
		if f, err := verify.Read(r, r.size); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v and %v, want %q", tt.name, f, err, tt.want)
		}
	}
	if _, err := openRef(t.Context(), &counted{}, "/hello"); err == nil {
		t.Error("a file that is not there: got no error, want one")
	}
}

// TestProofSolves checks that each binary is solved once beside its image, that
// no image is read for a static one, and that a test has nothing to prove.
func TestProofSolves(t *testing.T) {
	f := hello(t, "platform=linux/amd64,linux/arm64")
	if _, err := Build(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	proofs := 0
	for _, name := range f.asked {
		if strings.Contains(name, "] copy /") {
			proofs++
		}
	}
	if proofs != 2 {
		t.Errorf("got %d solves of a binary, want one for each platform: %q", proofs, f.asked)
	}
	f = hello(t, "target=test")
	res, err := Build(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Metadata[inlineMessage]; got != nil {
		t.Errorf("got the report %q about a test, want none", got)
	}
}

// TestProofPanic checks that a defect of verification becomes one error.
func TestProofPanic(t *testing.T) {
	f := hello(t, "platform=linux/amd64")
	f.compiler.damage = append(f.compiler.damage, func([]byte) []byte { panic("boom") })
	res, err := Build(t.Context(), f)
	const want = "gopherfile stopped because of a defect of its own: boom; please report it"
	if res != nil || err == nil || err.Error() != want {
		t.Errorf("got result %v and error %v, want %s", res, err, want)
	}
}

// crowd is a daemon that waits until no more solves of binaries come.
type crowd struct {
	*fake
	now, most atomic.Int32
}

func (c *crowd) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	ops, _, err := parse(req.Definition)
	if err != nil {
		return nil, err
	}
	if name := req.Definition.Metadata[ops[len(ops)-1].digest].Description["llb.customname"]; strings.Contains(name, "] copy /") {
		n := c.now.Add(1)
		for m := c.most.Load(); n > m && !c.most.CompareAndSwap(m, n); m = c.most.Load() {
		}
		for range 1000 {
			runtime.Gosched()
		}
		defer c.now.Add(-1)
	}
	return c.fake.Solve(ctx, req)
}

// TestProofBounded checks that no more binaries than the limit are read at a
// time, however many there are.
func TestProofBounded(t *testing.T) {
	var list []string
	for _, p := range plan.Ports() {
		if p.OS == "linux" { // an image for Windows may be its binary alone
			list = append(list, p.OS+"/"+p.Arch)
		}
	}
	c := &crowd{fake: hello(t, "platform="+strings.Join(list, ","))}
	if _, err := Build(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got := int(c.most.Load()); got < 2 || got > maxProofs {
		t.Errorf("got %d binaries at a time of %d, want several and at most %d", got, len(list), maxProofs)
	}
}
