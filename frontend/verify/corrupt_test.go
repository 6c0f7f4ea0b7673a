package verify_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// field is a field of a header or of a table.
type field struct {
	name      string
	off, size int
	order     binary.ByteOrder
	// may are the changes that may pass. Without any, none may.
	may []change
}

// change is a change of a field that is not caught.
type change struct {
	why string
	// to reports whether the field may become that. Nil: it may become anything.
	to func(was, now uint64) bool
}

// harmless is a change with which the program starts and does what it should.
func harmless(why string, to func(was, now uint64) bool) change { return change{why, to} }

// unseen is a change that may do harm, and that no header tells from another
// right value. docs/security.md lists them.
func unseen(why string, to func(was, now uint64) bool) change { return change{"not seen: " + why, to} }

// Why a field may change.
const (
	notRead  = "nothing reads it when a program starts"
	inCode   = "any address of the code may be an entry point"
	moreZero = "a larger one only adds zeros"
	noABI    = "systems do not look at the bit, and a static program has no library that could differ"
	otherCPU = "another processor, or another way of its floats"
	moreRead = "rights that a program does not need"
	byLinker = "linkers note what they like"
	tuning   = "it tunes the process, and starts it all the same"
)

// What a field may become.

func larger(was, now uint64) bool { return now > was }

func zero(_, now uint64) bool { return now == 0 }

// keeps reports whether no bit was cleared.
func keeps(was, now uint64) bool { return was&^now == 0 }

func oneOf(values ...uint64) func(was, now uint64) bool {
	return func(_, now uint64) bool { return slices.Contains(values, now) }
}

// within is a range that ends before end.
func within(start, end uint64) func(was, now uint64) bool {
	return func(_, now uint64) bool { return now >= start && now < end }
}

// TestCorrupt flips each bit of each header field, and sets each byte to 0 and
// 255: either that is a problem, or the field says which values may pass, and why.
// What may pass without need is an error, too. Each format that there is a port
// for is here, or in TestCorruptOther.
func TestCorrupt(t *testing.T) {
	formats := map[string]bool{}
	for _, tt := range []struct {
		port   string
		fields func([]byte) []field
	}{
		{"linux/386", elfFields},
		{"linux/amd64", elfFields},
		{"linux/arm", elfFields},
		{"linux/arm64", elfFields},
		{"linux/loong64", elfFields},
		{"linux/mips", elfFields},
		{"linux/mips64le", elfFields},
		{"linux/ppc64", elfFields},
		{"linux/ppc64le", elfFields},
		{"linux/riscv64", elfFields},
		{"linux/s390x", elfFields},
		{"freebsd/amd64", elfFields},
		{"windows/386", peFields},
		{"windows/amd64", peFields},
		{"windows/arm64", peFields},
		{"darwin/amd64", machoFields},
		{"darwin/arm64", machoFields},
		{"js/wasm", wasmFields},
		{"wasip1/wasm", wasmFields},
	} {
		p := port(t, tt.port)
		data := verifytest.Default(p).Bytes()
		formats[read(t, data).Format] = true
		t.Run(tt.port, func(t *testing.T) {
			t.Parallel()
			corrupt(t, data, tt.fields(data), promiseOf(p))
		})
	}
	for _, p := range plan.Ports() {
		if known(p) && !formats[read(t, verifytest.Default(p).Bytes()).Format] {
			t.Errorf("%s: got no field of its format", p)
		}
	}
}

// corrupt changes the fields of a file one bit or byte at a time.
func corrupt(t *testing.T, data []byte, fields []field, want verify.Promise) {
	t.Helper()
	if problems := verify.Judge(read(t, data), want); len(problems) > 0 {
		t.Fatalf("got %s before any change", lines(problems))
	}
	sign := func(*changed) {}
	if read(t, data).Format == verify.FormatMachO {
		sign = signMachO(data)
	}
	for _, f := range fields {
		needed := make([]bool, len(f.may))
		for at := f.off; at < f.off+f.size; at++ {
			for _, v := range values(data[at]) {
				c := &changed{data, map[int][]byte{at: {v}}}
				sign(c)
				facts, err := verify.Read(c, int64(len(data)))
				if err != nil {
					t.Fatal(err)
				}
				if len(verify.Judge(facts, want)) > 0 {
					continue
				}
				was, now := f.value(data), f.value(c.bytes())
				i := slices.IndexFunc(f.may, func(c change) bool { return c.to == nil || c.to(was, now) })
				if i < 0 {
					t.Errorf("%s: byte %d changed from %#02x to %#02x, the field from %#x to %#x: got nothing, want a problem", f.name, at-f.off, data[at], v, was, now)
					continue
				}
				needed[i] = true
			}
		}
		for i, c := range f.may {
			if !needed[i] {
				t.Errorf("%s: got a problem for every change, so that none may pass because %s", f.name, c.why)
			}
		}
	}
}

// value is the number in a field, 0 for one that is none.
func (f *field) value(data []byte) uint64 {
	data = data[f.off : f.off+f.size]
	switch f.size {
	case 1:
		return uint64(data[0])
	case 2:
		return uint64(f.order.Uint16(data))
	case 4:
		return uint64(f.order.Uint32(data))
	case 8:
		return f.order.Uint64(data)
	}
	return 0
}

// values are other values of a byte: each bit flipped, none and all set.
func values(b byte) []byte {
	all := []byte{0, 0xff}
	for i := range 8 {
		all = append(all, b^1<<i)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(v byte) bool { return v == b })
}

// layout lays out fields one after the other.
type layout struct {
	fields []field
	off    int
	order  binary.ByteOrder
}

// add adds a field, and what may become of it.
func (l *layout) add(name string, size int, may ...change) {
	l.fields = append(l.fields, field{name, l.off, size, l.order, may})
	l.off += size
}
