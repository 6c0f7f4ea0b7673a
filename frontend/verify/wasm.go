package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
)

// Limits of a WebAssembly module. The go command writes a dozen sections, and
// exports what the program says.
const (
	maxWasmSections = 1024
	maxWasmEntries  = 100_000 // of imports, exports and parts of the data
)

// effectWasm is what a runtime says of a module that it cannot read.
const effectWasm = "the runtime refuses to compile the module"

// The sections of a WebAssembly module that are looked at.
const (
	wasmCustom    = 0
	wasmTypes     = 1
	wasmImport    = 2
	wasmFunctions = 3
	wasmMemories  = 5
	wasmExport    = 7
	wasmBodies    = 10
	wasmData      = 11
)

// readWasm reads a WebAssembly module.
func (f *Facts) readWasm(s *source) {
	f.Header = Header{Format: FormatWasm, Bits: 32, Machine: machineWasm}
	head, ok := s.bytes(0, 8)
	if !ok {
		f.truncated("a WebAssembly header", 0, 8)
		return
	}
	f.odd("WebAssembly version", uint64(binary.LittleEndian.Uint32(head[4:])), 1)
	f.Kind = KindExecutable
	// The sections come in this order, and each at most once.
	order := []byte{1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11}
	next, sections := 0, 0
	var seen []byte
	var release string
	for off := uint64(8); off < uint64(s.size); {
		if sections++; sections > maxWasmSections {
			f.damage(Problem{Found: fmt.Sprintf("more than %d sections", maxWasmSections), Expected: fmt.Sprintf("at most %d", maxWasmSections), Help: helpDamaged})
			return
		}
		head, _ := s.bytes(off, min(11, uint64(s.size)-off))
		if len(head) < 2 {
			f.truncated("a section", off, 2)
			return
		}
		size, n := binary.Uvarint(head[1:])
		body := off + 1 + uint64(n)
		if n <= 0 || size > 1<<32 || !f.inside(s, fmt.Sprintf("section %d", head[0]), body, size) {
			if n <= 0 {
				f.truncated("a section", off, 2)
			}
			return
		}
		if id := head[0]; id != wasmCustom {
			i := slices.Index(order[next:], id)
			if i < 0 {
				f.damage(Problem{Found: fmt.Sprintf("section %d at byte %d", id, off), Expected: "one that comes later in a module", Effect: effectWasm, Help: helpDamaged})
				return
			}
			next, seen = next+i+1, append(seen, id)
		}
		if !f.wasmSection(s, head[0], body, size, &release) {
			return
		}
		off = body + size
	}
	f.wasmWhole(seen)
	if release != "" {
		if f.Go == nil {
			f.Go = &debug.BuildInfo{}
		}
		f.Go.GoVersion = release
	}
}

// wasmWhole checks that what a section is about is in another one, as in all
// modules of the go command.
func (f *Facts) wasmWhole(seen []byte) {
	for _, id := range []byte{wasmTypes, wasmImport, wasmFunctions, wasmMemories, wasmExport, wasmBodies, wasmData} {
		if !slices.Contains(seen, id) {
			f.damage(Problem{Found: fmt.Sprintf("a WebAssembly module without section %d", id), Effect: effectWasm, Help: helpDamaged})
			return
		}
	}
}

// wasmSection looks into one section. The result is false when it is broken.
func (f *Facts) wasmSection(s *source, id byte, off, size uint64, release *string) bool {
	const most = 1 << 20
	r := &wasmReader{source: s, off: off, end: off + size}
	switch id {
	case wasmCustom:
		switch name := r.name(); {
		case r.bad:
		case name == "name":
			f.Symbols = true
		case strings.HasPrefix(name, ".debug_"):
			f.Debug = true
		case name == "producers" && size < most:
			*release = wasmProducer(r)
		}
	case wasmImport:
		f.wasmImports(r)
		r.bad = r.bad || r.off != r.end
	case wasmExport:
		f.wasmExports(r)
		r.bad = r.bad || r.off != r.end
	case wasmData:
		f.wasmGo(r)
	}
	if r.bad {
		f.damage(Problem{Found: fmt.Sprintf("section %d at byte %d, which cannot be read", id, off), Effect: effectWasm, Help: helpDamaged})
	}
	return !r.bad
}

// wasmReader reads the parts of a section, one after the other.
type wasmReader struct {
	source   *source
	off, end uint64
	bad      bool
}

// bytes reads n bytes.
func (r *wasmReader) bytes(n uint64) []byte {
	if n > r.end-r.off {
		r.bad = true
		return nil
	}
	data, ok := r.source.bytes(r.off, n)
	if !ok {
		r.bad = true
		return nil
	}
	r.off += n
	return data
}

// skip leaves out n bytes.
func (r *wasmReader) skip(n uint64) {
	if n > r.end-r.off {
		r.bad, n = true, 0
	}
	r.off += n
}

// uint reads a number of at most 32 bits.
func (r *wasmReader) uint() uint64 {
	data, ok := r.source.bytes(r.off, min(5, r.end-r.off))
	v, n := binary.Uvarint(data)
	if !ok || n <= 0 || v > 1<<32-1 {
		r.bad = true
		return 0
	}
	r.off += uint64(n)
	return v
}

// count reads how many things follow.
func (r *wasmReader) count() uint64 {
	n := r.uint()
	if n > maxWasmEntries {
		r.bad, n = true, 0
	}
	return n
}

// address leaves out a signed number.
func (r *wasmReader) address() {
	for range 5 {
		if b := r.bytes(1); r.bad || b[0]&0x80 == 0 {
			return
		}
	}
	r.bad = true
}

// name reads a text.
func (r *wasmReader) name() string {
	n := r.uint()
	if n > 4096 {
		r.bad = true
		return ""
	}
	return string(r.bytes(n))
}

// wasmProducer takes the Go release from what tools note of themselves.
func wasmProducer(r *wasmReader) string {
	for range min(r.uint(), 16) {
		field := r.name()
		for range min(r.uint(), 64) {
			name, version := r.name(), r.name()
			if field == "language" && name == "Go" {
				return version
			}
		}
	}
	r.bad = false // nothing runs it
	return ""
}

// wasmImports tells the systems apart by what they bring.
func (f *Facts) wasmImports(r *wasmReader) {
	for range r.count() {
		module := r.name()
		r.name()
		kind := r.bytes(1)
		if r.bad {
			return
		}
		switch kind[0] {
		case 0: // a function
			r.uint()
		case 1: // a table
			r.bytes(1)
			r.limits()
		case 2: // memory
			r.limits()
		case 3: // a global
			r.bytes(2)
		default:
			r.bad = true
		}
		switch module {
		case "gojs", "go":
			f.System = "js"
		case "wasi_snapshot_preview1":
			f.System = "wasip1"
		}
	}
}

// limits reads the size of a memory or a table.
func (r *wasmReader) limits() {
	bounded := r.uint()&1 != 0
	r.uint()
	if bounded {
		r.uint()
	}
}

// wasmExports checks that there is something to call.
func (f *Facts) wasmExports(r *wasmReader) {
	var initialize, start, run bool
	for range r.count() {
		name := r.name()
		r.bytes(1)
		r.uint()
		if r.bad {
			return
		}
		initialize, start, run = initialize || name == "_initialize", start || name == "_start", run || name == "run"
	}
	switch {
	case initialize:
		f.Kind = KindLibrary
	case f.System == "wasip1" && !start:
		f.damage(Problem{Found: "no function _start", Expected: "one, which a runtime calls", Effect: "nothing runs", Help: helpDamaged})
	case f.System == "js" && !run:
		f.damage(Problem{Found: "no function run", Expected: "one, which wasm_exec.js calls", Effect: "nothing runs", Help: helpDamaged})
	}
}

// wasmSegment is where a part of that memory is in the file.
type wasmSegment struct{ off, size uint64 }

// wasmGo finds the build info in the memory that the module starts with, which
// stands in the file in pieces: zeros are left out.
func (f *Facts) wasmGo(r *wasmReader) {
	var segments []wasmSegment
	for range r.count() {
		if mode := r.uint(); mode != 0 || r.bad || !bytes.Equal(r.bytes(1), []byte{0x41}) {
			return // not as the go command writes it
		}
		r.address()
		r.bytes(1)
		size := r.uint()
		segments = append(segments, wasmSegment{r.off, size})
		r.skip(size)
		if r.bad {
			return
		}
	}
	f.Go = (&wasmMemory{source: r.source, segments: segments}).buildInfo()
}
