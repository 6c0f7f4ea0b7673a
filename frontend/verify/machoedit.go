package verify

import (
	"cmp"
	"debug/macho"
	"encoding/binary"
	"fmt"
	"slices"
)

// machoPart is something in the segment __LINKEDIT.
type machoPart struct {
	name      string
	off, size uint64
}

// machoLinkedit is what the loader is told with: tables at the end of the file,
// to which load commands point.
type machoLinkedit struct {
	parts        []machoPart
	symbols      uint64      // how many there are
	table, names *machoPart  // of symbols
	groups       [][2]uint64 // the first and the number of local, defined and undefined ones
	indirect     uint64
	rebase, bind *machoPart
	// moves says that the program can be moved: its addresses are listed.
	moves bool
}

// command looks at a load command that may point there. The result is false when
// it is not of its size.
func (e *machoLinkedit) command(f *Facts, order binary.ByteOrder, cmd macho.LoadCmd, data []byte) bool {
	size := 0
	switch cmd {
	case macho.LoadCmdSymtab:
		size = 24
	case macho.LoadCmdDysymtab:
		size = 80
	case loadDyldInfo, loadDyldInfo | loadRequired:
		size = 48
	case loadSignature, loadSplitInfo, loadStarts, loadDataInCode, loadHints, loadExports, loadFixups:
		size = 16
	default:
		return true
	}
	if len(data) != size {
		f.damage(Problem{Found: fmt.Sprintf("load command %#x of %d bytes", uint32(cmd), len(data)), Expected: fmt.Sprint(size), Effect: effectMachO, Help: helpDamaged})
		return false
	}
	word := func(i int) uint64 { return uint64(order.Uint32(data[4*i:])) }
	switch size {
	case 24:
		e.symbols = word(3)
		e.table = e.add("the symbol table", word(2), word(3)*machoSymbol(f.Bits))
		e.names = e.add("the names of symbols", word(4), word(5))
	case 80:
		f.Symbols = word(3)+word(5) > 0 // local ones, and those for others
		e.groups, e.indirect = [][2]uint64{{word(2), word(3)}, {word(4), word(5)}, {word(6), word(7)}}, word(15)
		e.add("the table of contents", word(8), word(9)*8)
		e.add("the table of modules", word(10), word(11)*56)
		e.add("the references", word(12), word(13)*4)
		e.add("the indirect symbols", word(14), word(15)*4)
		e.add("the external relocations", word(16), word(17)*8)
		e.add("the local relocations", word(18), word(19)*8)
	case 48:
		e.moves = true
		e.rebase = e.add("the addresses that change", word(2), word(3))
		e.bind = e.add("the addresses of libraries", word(4), word(5))
		for i, name := range []string{"weak symbols", "lazy symbols", "exports"} {
			e.add("the "+name, word(6+2*i), word(7+2*i))
		}
	case 16:
		e.moves = e.moves || cmd == loadFixups
		e.add(fmt.Sprintf("the data of load command %#x", uint32(cmd)), word(2), word(3))
	}
	return true
}

// add adds a part, and returns it. One without bytes is none.
func (e *machoLinkedit) add(name string, off, size uint64) *machoPart {
	p := machoPart{name, off, size}
	if size > 0 {
		e.parts = append(e.parts, p)
	}
	return &p
}

// check checks that the parts are in the segment, one behind the other, and that
// those that a loader needs of a program say what they should.
func (e *machoLinkedit) check(f *Facts, s *source, file *macho.File) {
	last := file.Segment("__LINKEDIT")
	slices.SortFunc(e.parts, func(a, b machoPart) int { return cmp.Compare(a.off, b.off) })
	end := uint64(0)
	for _, p := range e.parts {
		if !f.inside(s, p.name, p.off, p.size) {
			return
		}
		if last != nil && (p.off < max(last.Offset, end) || p.off+p.size > last.Offset+last.Filesz) {
			f.damage(Problem{Found: fmt.Sprintf("%s of %d bytes at byte %#x", p.name, p.size, p.off), Expected: "a place of its own in __LINKEDIT", Effect: effectMachO, Help: helpDamaged})
			return
		}
		end = p.off + p.size
	}
	if f.Kind != KindExecutable && f.Kind != KindPIE || f.Loader == "" {
		return
	}
	wrong := func(what string) {
		f.damage(Problem{Found: what, Expected: "tables for the loader", Effect: effectMachO, Help: helpDamaged})
	}
	switch {
	case e.table == nil || e.groups == nil || f.Kind == KindPIE && !e.moves:
		wrong("no table of symbols, or of addresses that change")
	case !e.grouped() || !e.named(f, s):
		wrong("tables of symbols that do not fit each other")
	case !e.pointed(file):
		wrong("pointers to other symbols than there are")
	case !e.listed(f, s, file):
		wrong("addresses to change that are no list")
	}
}

// grouped reports whether the groups of symbols are the table.
func (e *machoLinkedit) grouped() bool {
	next := uint64(0)
	for _, g := range e.groups {
		if g[1] > 0 && g[0] != next {
			return false
		}
		next += g[1]
	}
	return next == e.symbols
}

// machoSymbol is how many bytes a symbol has.
func machoSymbol(bits int) uint64 { return map[int]uint64{32: 12, 64: 16}[bits] }

// named reports whether the undefined symbols have names. Of more than there is
// reason for none is looked at.
func (e *machoLinkedit) named(f *Facts, s *source) bool {
	each, undefined := machoSymbol(f.Bits), e.groups[2]
	data, ok := s.bytes(e.table.off+undefined[0]*each, undefined[1]*each)
	for ; ok && len(data) > 0; data = data[each:] {
		if uint64(f.order().Uint32(data)) >= e.names.size {
			return false
		}
	}
	return true
}

// pointed reports whether the sections of pointers to symbols have them in the
// indirect table. A program that has no other list of them needs one.
func (e *machoLinkedit) pointed(file *macho.File) bool {
	const nonLazy, lazy = 6, 7
	found := false
	for i, sec := range file.Sections {
		if typ := sec.Flags & 0xff; typ != nonLazy && typ != lazy {
			continue
		}
		first, ok := e.first(file, i)
		n := sec.Size / uint64(machoPointer(file))
		if !ok || first > e.indirect || n > e.indirect-first {
			return false
		}
		found = true
	}
	return found || e.moves || e.groups[2][1] == 0
}

// first is the first indirect symbol of a section, which the library leaves out.
func (e *machoLinkedit) first(file *macho.File, section int) (uint64, bool) {
	field := map[int]int{8: 68, 4: 60}[machoPointer(file)]
	head, each := map[int]int{8: 72, 4: 56}[machoPointer(file)], map[int]int{8: 80, 4: 68}[machoPointer(file)]
	for _, load := range file.Loads {
		l, ok := load.(*macho.Segment)
		if !ok {
			continue
		}
		if n := int(l.Nsect); section >= n {
			section -= n
			continue
		}
		at := head + section*each + field
		raw := l.Raw()
		if at+4 > len(raw) {
			return 0, false
		}
		return uint64(file.ByteOrder.Uint32(raw[at:])), true
	}
	return 0, false
}

// machoPointer is how many bytes an address has.
func machoPointer(file *macho.File) int {
	if file.Magic == macho.Magic64 {
		return 8
	}
	return 4
}

// listed reports whether the lists of addresses can be read to their ends, if
// there are any. A Go program that is moved, or that calls a library, has both.
func (e *machoLinkedit) listed(f *Facts, s *source, file *macho.File) bool {
	if e.rebase == nil {
		return true
	}
	if e.bind.size == 0 && e.groups[2][1] > 0 || e.rebase.size == 0 && f.Kind == KindPIE && f.Go != nil {
		return false
	}
	var segments []*macho.Segment
	for _, load := range file.Loads {
		if l, ok := load.(*macho.Segment); ok {
			segments = append(segments, l)
		}
	}
	return rebaseList().reaches(s, e.rebase, segments) && bindList().reaches(s, e.bind, segments)
}
