package verify_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/verify"
)

// TestCorruptOther is TestCorrupt for the formats that verifytest does not write,
// with files of the go command. Of XCOFF no more is known than where the parts
// are: most of what it may become is not seen.
func TestCorruptOther(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out compiling for Plan 9 and AIX")
	}
	dir := tinyModule(t)
	fields := map[string]func([]byte) []field{"plan9": plan9Fields, "aix": xcoffFields}
	for _, p := range plan.Ports() {
		if known(p) {
			continue
		}
		t.Run(p.OS+"/"+p.Arch, func(t *testing.T) {
			if fields[p.OS] == nil {
				t.Fatal("got no field of its format")
			}
			name := filepath.Join(dir, "tiny-"+p.OS+p.Arch)
			build(t, dir, name, "-s -w", append(p.Env(), "CGO_ENABLED=0")...)
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := promiseOf(p)
			want.Package, want.Release = "example.com/tiny", strings.TrimPrefix(runtime.Version(), "go")
			if problems := verify.Judge(read(t, bytes.Clone(data)), want); len(problems) > 0 {
				t.Fatalf("got %s before any change", lines(problems))
			}
			corrupt(t, data, fields[p.OS](data), want)
		})
	}
}

// plan9Fields are the fields of a Plan 9 file.
func plan9Fields(data []byte) []field {
	l := &layout{order: binary.BigEndian}
	l.add("magic", 4)
	text := uint64(l.order.Uint32(data[l.off:]))
	l.add("text", 4)
	l.add("data", 4)
	l.add("zeros", 4, unseen("no header says how many a program needs", nil))
	l.add("symbols", 4)
	wide := data[2] == 0x8a // the magic of 64 bits
	if wide {
		l.add("low entry", 4)
	} else {
		l.add("entry", 4, unseen(inCode, within(0x1020, 0x1020+text)))
	}
	l.add("stack lines", 4)
	l.add("program lines", 4)
	if wide {
		l.add("entry", 8)
	}
	return l.fields
}

// xcoffFields are the fields of an XCOFF file.
func xcoffFields(data []byte) []field {
	l := &layout{order: binary.BigEndian}
	l.add("magic", 2)
	sections := int(l.order.Uint16(data[l.off:]))
	const notKnown = "no more is known of the format"
	l.add("sections", 2, unseen("bytes behind the table pass for more of them", larger))
	l.add("time", 4, harmless(byLinker, nil))
	l.add("symbol table", 8, harmless("there are no symbols", nil))
	optional := int(l.order.Uint16(data[l.off:]))
	l.add("size of the optional header", 2)
	const executable, library = 0x2, 0x2000
	l.add("flags", 2, unseen(notKnown, func(_, now uint64) bool { return now&(executable|library) == executable }))
	l.add("symbols", 4)
	l.add("optional header", optional, unseen(notKnown, nil))
	l.add("section headers", sections*72, unseen(notKnown, nil))
	return l.fields
}
