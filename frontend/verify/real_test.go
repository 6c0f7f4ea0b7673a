package verify_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/verify"
)

// exception is a field of a header that may be wrong without a problem.
type exception struct {
	format string
	// fields are patterns of their names, as those of path.Match.
	fields []string
	// to are the values that pass. Nil: all do, and none is looked at.
	to func(f *realField, was, now uint64) bool
	// some says that other changes of the kind are caught: those that a table
	// contradicts.
	some bool
	// limit is what to says, in words.
	limit string
	// why it is harmless, or why it cannot be seen, and who says so.
	why, source string
}

// matches reports whether the exception is about a field.
func (e *exception) matches(format, name string) bool {
	return e.format == format && slices.ContainsFunc(e.fields, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// fieldsOf are the fields of one name in several headers.
func fieldsOf(name string, headers ...string) []string {
	var all []string
	for _, h := range headers {
		all = append(all, h+" "+name)
	}
	return all
}

// What a field may become.

func inCodeOf(f *realField, _, now uint64) bool { return now >= f.low && now < f.high }

func smaller(_ *realField, was, now uint64) bool { return now < was }

// realField is a field of a header in a file of the go command.
type realField struct {
	name      string
	off, size int
	order     binary.ByteOrder
	// low and high are where the code is, for an address of it.
	low, high uint64
}

// realFields collects the fields of a file.
type realFields struct {
	data  []byte
	order binary.ByteOrder
	all   []*realField
	off   int
}

// add adds the next field, and returns its value. One that is no number becomes
// its bytes.
func (l *realFields) add(name string, size int) *realField {
	for size > 8 || size != 1 && size&1 != 0 || size == 6 {
		l.all = append(l.all, &realField{name: name, off: l.off, size: 1, order: l.order})
		l.off, size = l.off+1, size-1
	}
	f := &realField{name: name, off: l.off, size: size, order: l.order}
	l.all, l.off = append(l.all, f), l.off+size
	return f
}

// names adds fields of one size.
func (l *realFields) names(size int, names ...string) {
	for _, name := range names {
		l.add(name, size)
	}
}

// word is the number in a field.
func (f *realField) word(data []byte) uint64 {
	p := data[f.off : f.off+f.size]
	switch f.size {
	case 1:
		return uint64(p[0])
	case 2:
		return uint64(f.order.Uint16(p))
	case 4:
		return uint64(f.order.Uint32(p))
	}
	return f.order.Uint64(p)
}

// bytes is a number as the field holds it.
func (f *realField) bytes(v uint64) []byte {
	p := make([]byte, 8)
	switch f.size {
	case 1:
		p[0] = byte(v)
	case 2:
		f.order.PutUint16(p, uint16(v))
	case 4:
		f.order.PutUint32(p, uint32(v))
	default:
		f.order.PutUint64(p, v)
	}
	return p[:f.size]
}

// others are other values of a field: each bit flipped, none and all set, a
// little more and less, and twice.
func (f *realField) others(was uint64) []uint64 {
	most := ^uint64(0) >> (64 - 8*f.size)
	all := []uint64{0, most, was + 1, was - 1, was * 2, was / 2}
	for i := range 8 * f.size {
		all = append(all, was^1<<i)
	}
	for i := range all {
		all[i] &= most
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(v uint64) bool { return v == was })
}

// changed is a file with other bytes in some places.
type changed struct {
	data    []byte
	patches map[int][]byte
}

func (c *changed) ReadAt(p []byte, off int64) (int, error) {
	n, err := bytes.NewReader(c.data).ReadAt(p, off)
	for at, patch := range c.patches {
		for i, b := range patch {
			if j := int64(at+i) - off; j >= 0 && j < int64(n) {
				p[j] = b
			}
		}
	}
	return n, err
}

var _ io.ReaderAt = (*changed)(nil)

// bytes is all of it.
func (c *changed) bytes() []byte {
	data := bytes.Clone(c.data)
	for at, patch := range c.patches {
		copy(data[at:], patch)
	}
	return data
}

// realFile is a program of the go command.
type realFile struct {
	port, mode, format string
	fields             func([]byte) []*realField
	// sign makes good again what a change breaks without being a header: nil for
	// nothing.
	sign func(data []byte) func(*changed)
}

// realFiles are the programs whose headers are changed.
func realFiles() []realFile {
	return []realFile{
		{"linux/amd64", "exe", verify.FormatELF, realELF, nil},
		{"linux/amd64", "pie", verify.FormatELF, realELF, nil},
		{"linux/arm64", "pie", verify.FormatELF, realELF, nil},
		{"linux/386", "exe", verify.FormatELF, realELF, nil},
		{"linux/arm", "exe", verify.FormatELF, realELF, nil},
		{"linux/mips", "exe", verify.FormatELF, realELF, nil},
		{"windows/amd64", "exe", verify.FormatPE, realPE, nil},
		{"windows/amd64", "pie", verify.FormatPE, realPE, nil},
		{"windows/arm64", "pie", verify.FormatPE, realPE, nil},
		{"windows/386", "pie", verify.FormatPE, realPE, nil},
		{"darwin/amd64", "exe", verify.FormatMachO, realMachO, nil},
		{"darwin/amd64", "pie", verify.FormatMachO, realMachO, signMachO},
		{"darwin/arm64", "pie", verify.FormatMachO, realMachO, signMachO},
	}
}

// exceptions are those of all formats.
func exceptions() []exception {
	return slices.Concat(elfExceptions(), peExceptions(), machoExceptions())
}

// TestReal changes every field of the headers of programs that the go command
// has built: either that is a problem, or the field is among the exceptions. One
// that is caught after all is an error, too. With -short it takes one program of
// each format.
func TestReal(t *testing.T) {
	dir, used := tinyModule(t), make([]bool, len(exceptions()))
	seen := map[string]bool{}
	for _, file := range realFiles() {
		if testing.Short() && (seen[file.format] || runtime.GOOS+"/"+runtime.GOARCH != file.port) {
			continue
		}
		seen[file.format] = true
		t.Run(strings.ReplaceAll(file.port, "/", "-")+"-"+file.mode, func(t *testing.T) {
			p := port(t, file.port)
			name := filepath.Join(dir, "tiny"+p.Exe())
			build(t, dir, name, "-s -w", append(p.Env(), "CGO_ENABLED=0", "GOFLAGS=-buildmode="+file.mode)...)
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := realPromise(p, file.mode)
			if problems := verify.Judge(read(t, data), want); len(problems) > 0 {
				t.Fatalf("got %s before any change", lines(problems))
			}
			sign := func(*changed) {}
			if file.sign != nil {
				sign = file.sign(data)
			}
			for _, f := range file.fields(data) {
				file.change(t, data, f, sign, want, used)
			}
		})
	}
	for i, e := range exceptions() {
		if !testing.Short() && !used[i] {
			t.Errorf("%s %v: got a problem for every change, or no such field, so that none may pass because %s", e.format, e.fields, e.why)
		}
	}
}

// realPromise is what a plan says of the tiny module.
func realPromise(p plan.Port, mode string) verify.Promise {
	want := promiseOf(p)
	want.Package, want.Release = "example.com/tiny", strings.TrimPrefix(runtime.Version(), "go")
	want.Settings = append(want.Settings, "-buildmode="+mode)
	want.Static = want.Static && mode != "pie"
	return want
}

// change gives a field other values.
func (file *realFile) change(t *testing.T, data []byte, f *realField, sign func(*changed), want verify.Promise, used []bool) {
	t.Helper()
	all := exceptions()
	was := f.word(data)
	for _, now := range f.others(was) {
		c := &changed{data, map[int][]byte{f.off: f.bytes(now)}}
		sign(c)
		facts, err := verify.Read(c, int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		problems := verify.Judge(facts, want)
		i := slices.IndexFunc(all, func(e exception) bool {
			return e.matches(file.format, f.name) && (e.to == nil || e.to(f, was, now))
		})
		switch {
		case len(problems) == 0 && i < 0:
			t.Errorf("%s at byte %d from %#x to %#x: got nothing, want a problem or an exception", f.name, f.off, was, now)
		case len(problems) == 0:
			used[i] = true
		case i >= 0 && !all[i].some:
			t.Errorf("%s at byte %d from %#x to %#x: got %s, and the exception that %s", f.name, f.off, was, now, lines(problems), all[i].why)
		}
	}
}
