package verify

import (
	"bytes"
	"runtime/debug"
)

// wasmMemory is the memory that a module starts with.
type wasmMemory struct {
	source   *source
	segments []wasmSegment
}

// The marks around the module information (cmd/go/internal/modload). In other
// formats a header leads to it, which the linker leaves out of WebAssembly.
const (
	infoStart = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"
	infoEnd   = "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
)

// buildInfo finds the module information, nil when there is none. It has no zeros
// that would tear it to pieces.
func (m *wasmMemory) buildInfo() *debug.BuildInfo {
	for _, seg := range m.segments {
		if seg.size < uint64(len(infoStart)+len(infoEnd)) {
			continue
		}
		if info := m.infoIn(seg); info != nil {
			return info
		}
	}
	return nil
}

// infoIn looks into one segment.
func (m *wasmMemory) infoIn(seg wasmSegment) *debug.BuildInfo {
	const step = 256 << 10
	for done := uint64(0); done < seg.size; done += step {
		// The parts overlap, so that no mark is split.
		data, ok := m.source.bytes(seg.off+done, min(seg.size-done, step+uint64(len(infoStart))))
		if !ok {
			return nil
		}
		at := bytes.Index(data, []byte(infoStart))
		if at < 0 {
			continue
		}
		const most = 1 << 20
		start := done + uint64(at+len(infoStart))
		if data, ok = m.source.bytes(seg.off+start, min(seg.size-start, most)); !ok {
			return nil
		}
		mod, _, ok := bytes.Cut(data, []byte(infoEnd))
		if !ok {
			return nil
		}
		info, err := debug.ParseBuildInfo(string(mod))
		if err != nil {
			return nil
		}
		return info
	}
	return nil
}
