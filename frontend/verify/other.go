package verify

import (
	"debug/plan9obj"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// readPlan9 reads a Plan 9 program.
func (f *Facts) readPlan9(s *source) {
	head, ok := s.bytes(0, 32)
	if !ok {
		f.truncated("a Plan 9 header", 0, 32)
		return
	}
	word := func(i int) uint64 { return uint64(binary.BigEndian.Uint32(head[4*i:])) }
	magic := uint32(word(0))
	f.Header = Header{Format: FormatPlan9, Bits: 32, Machine: plan9Machine(magic)} // all of them little endian, unlike this header
	f.Kind, f.System = KindExecutable, "plan9"
	size, load := uint64(32), uint64(0x1000)
	if magic&plan9obj.Magic64 != 0 {
		f.Bits, size, load = 64, 40, 0x200000
	}
	text, data, syms, entry := word(1), word(2), word(4), word(5)
	end := size + text + data + syms + word(6) + word(7)
	f.Symbols = syms > 0
	if !f.inside(s, "a Plan 9 program", 0, end) {
		return
	}
	f.odd("bytes behind the program:", uint64(f.Size)-end, 0)
	if f.Bits == 64 { // the upper half of the entry point counts alone then
		wide, _ := s.bytes(32, 8)
		entry = binary.BigEndian.Uint64(wide)
		f.odd("entry point", entry&0xffffffff, word(5))
	}
	f.Entry = entry
	if entry < load+size || entry >= load+size+text {
		f.damage(Problem{Found: fmt.Sprintf("entry point %#x", entry), Expected: "an address of the code", Effect: "sys: trap: fault", Help: helpDamaged})
	}
	// The linker aligns the build info in the data, and the library looks for it at
	// such places of the file: it is shown code that fills its last line.
	const line = 16
	gap := (line - (size+text)%line) % line
	if text+gap > math.MaxUint32 {
		return
	}
	aligned := s.with(patch{4, binary.BigEndian.AppendUint32(nil, uint32(text+gap))})
	f.readGo(&gapped{source: aligned, at: int64(size + text), size: int64(gap)})
}

// gapped is a file with some zeros between its parts.
type gapped struct {
	source   *source
	at, size int64
}

// ReadAt reads a part of the file.
func (g *gapped) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && err == nil {
		part, at, m := p[n:], off+int64(n), 0
		switch {
		case at < g.at:
			m, err = g.source.ReadAt(part[:min(int64(len(part)), g.at-at)], at)
		case at < g.at+g.size:
			m = int(min(int64(len(part)), g.at+g.size-at))
			clear(part[:m])
		default:
			m, err = g.source.ReadAt(part, at-g.size)
		}
		n += m
	}
	return n, err
}

// maxXCOFFSections is more than AIX programs have.
const maxXCOFFSections = 64

// readXCOFF reads an AIX program.
func (f *Facts) readXCOFF(s *source) {
	f.Header = Header{Format: FormatXCOFF, Bits: 32, BigEndian: true, Machine: machinePowerPC}
	f.System = "aix"
	head, ok := s.bytes(0, 24)
	if !ok {
		f.truncated("an XCOFF header", 0, 24)
		return
	}
	if head[1] != 0xf7 {
		f.Kind = KindObject // of 32 bits, which the go command does not write
		return
	}
	f.Bits = 64
	order := binary.BigEndian
	sections, symptr := uint64(order.Uint16(head[2:])), order.Uint64(head[8:])
	optional, flags, nsyms := uint64(order.Uint16(head[16:])), order.Uint16(head[18:]), uint64(order.Uint32(head[20:]))
	const executable, shared = 0x2, 0x2000
	f.Kind = KindObject
	switch {
	case flags&shared != 0:
		f.Kind = KindLibrary
	case flags&executable != 0:
		f.Kind = KindExecutable
	}
	if sections == 0 || sections > maxXCOFFSections || optional < 110 && f.Kind == KindExecutable {
		f.damage(Problem{Found: fmt.Sprintf("%d sections behind a header of %d bytes", sections, optional), Effect: effectFormat, Help: helpDamaged})
		return
	}
	f.Symbols = nsyms > 0
	const symbol, section = 18, 72
	if nsyms > 0 && !f.inside(s, "the symbol table", symptr, nsyms*symbol) {
		return
	}
	table, ok := s.bytes(24+optional, sections*section)
	if !ok {
		f.truncated("the section table", 24+optional, sections*section)
		return
	}
	// The library wants symbols, and reads all of them and all relocations. It is
	// shown a table behind the end, of one that it skips.
	patches := []patch{
		{8, order.AppendUint64(nil, uint64(s.size))}, {20, order.AppendUint32(nil, 1)},
		{s.size, append(make([]byte, symbol), 0, 0, 0, 4)},
	}
	for i := uint64(0); i < sections; i++ {
		sec := table[i*section:]
		name := strings.TrimRight(string(sec[:8]), "\x00")
		if size, off := order.Uint64(sec[24:]), order.Uint64(sec[32:]); off > 0 && !f.inside(s, "section "+name, off, size) {
			return
		}
		f.Debug = f.Debug || strings.HasPrefix(name, ".dw")
		patches = append(patches, patch{int64(24 + optional + i*section + 56), make([]byte, 4)})
		if name == ".loader" {
			f.xcoffLibraries(s, order.Uint64(sec[32:]))
		}
	}
	f.readGo(s.with(patches...))
}

// xcoffLibraries reads the loader section: pairs of three texts each, of which
// the first one is the path to search.
func (f *Facts) xcoffLibraries(s *source, at uint64) {
	head, ok := s.bytes(at, 56)
	if !ok {
		return
	}
	order := binary.BigEndian
	size, n, off := uint64(order.Uint32(head[12:])), order.Uint32(head[16:]), order.Uint64(head[24:])
	if !s.holds(at, off) || !f.inside(s, "the names of libraries", at+off, size) {
		return
	}
	for i := range min(n, maxLibraries) {
		var name [3]string
		for j := range name {
			text, ok := s.text(at+off, 1024)
			if !ok {
				return
			}
			name[j], off = text, off+uint64(len(text))+1
		}
		switch {
		case i == 0:
			f.SearchPath = splitPath(name[0])
		case name[2] != "":
			f.Libraries = append(f.Libraries, fmt.Sprintf("%s(%s)", name[1], name[2]))
		default:
			f.Libraries = append(f.Libraries, name[1])
		}
	}
}

// splitPath splits a list of directories.
func splitPath(list string) []string {
	var dirs []string
	for dir := range strings.SplitSeq(list, ":") {
		if dir != "" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}
