package verify

import (
	"debug/pe"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// The data directories that are looked into.
const (
	dirImports    = pe.IMAGE_DIRECTORY_ENTRY_IMPORT
	dirExceptions = pe.IMAGE_DIRECTORY_ENTRY_EXCEPTION
	dirSignature  = pe.IMAGE_DIRECTORY_ENTRY_SECURITY // which is not mapped
	dirReloc      = pe.IMAGE_DIRECTORY_ENTRY_BASERELOC
)

// Bits and kinds that are looked for, most of which the library does not name.
const (
	shared         = 0x10000000 // IMAGE_SCN_MEM_SHARED
	relocsStripped = pe.IMAGE_FILE_RELOCS_STRIPPED
	dynamicBase    = pe.IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE

	relocNone = 0  // IMAGE_REL_BASED_ABSOLUTE, which fills a block
	reloc32   = 3  // IMAGE_REL_BASED_HIGHLOW
	reloc64   = 10 // IMAGE_REL_BASED_DIR64
)

// effectMoved is what comes of a program whose addresses do not fit the place
// that Windows gave it.
const effectMoved = "access violation"

// peLoad checks what the loader of Windows reads of the sections, which are known
// to be sound: the tables in the directories, the imports, and what has to be
// changed when the program is moved.
func (f *Facts) peLoad(s *source, h *peHeader, file *pe.File) {
	if !f.peTables(h, file) {
		return
	}
	f.peImports(s, h, file)
	if len(f.Damage) > 0 || f.Kind != KindExecutable {
		return
	}
	if !slices.ContainsFunc(f.Libraries, func(name string) bool { return strings.EqualFold(name, "kernel32.dll") }) {
		f.damage(Problem{Found: "imports without kernel32.dll", Expected: "it at least", Effect: effectPE, Help: helpDamaged})
	}
	f.peMoved(s, h, file)
}

// peTables checks that the data directories are in sections. Those that have a
// section of their own are all of it, whatever linker wrote them.
func (f *Facts) peTables(h *peHeader, file *pe.File) bool {
	own := map[int]string{dirExceptions: ".pdata", dirReloc: ".reloc"}
	for i, d := range h.tables {
		sec := file.Section(own[i])
		if d.Size == 0 && sec == nil || i == dirSignature {
			continue
		}
		whole := sec == nil || d.VirtualAddress == sec.VirtualAddress && d.Size == sec.VirtualSize
		if _, ok := peOffset(file, d.VirtualAddress, d.Size); !ok || !whole {
			f.damage(Problem{Found: fmt.Sprintf("data directory %d of %d bytes at address %#x", i, d.Size, d.VirtualAddress), Expected: "all of it in its section", Effect: effectPE, Help: helpDamaged})
			return false
		}
	}
	return true
}

// peImports reads the list of libraries, and what is taken from each.
func (f *Facts) peImports(s *source, h *peHeader, file *pe.File) {
	if h.tables[dirImports].VirtualAddress == 0 {
		return
	}
	missing := func(what string) {
		f.damage(Problem{Found: "imports with " + what, Expected: "a name in a section, and two equal lists of what is imported", Effect: effectPE, Help: helpDamaged})
	}
	for at := h.tables[dirImports].VirtualAddress; len(f.Libraries) < maxLibraries; at += 20 {
		entry, ok := peBytes(s, file, at, 20)
		if !ok {
			missing("no end")
			return
		}
		if !slices.ContainsFunc(entry, func(b byte) bool { return b != 0 }) {
			return
		}
		word := func(i int) uint32 { return binary.LittleEndian.Uint32(entry[4*i:]) }
		name := peText(s, file, word(3))
		if name == "" {
			missing("a library that has no name")
			return
		}
		f.Libraries = append(f.Libraries, name)
		const none = 1<<32 - 1
		if word(1) != 0 || word(2) != 0 && word(2) != none { // bound to one release of Windows
			missing(fmt.Sprintf("the time %#x and the chain %#x", word(1), word(2)))
			return
		}
		if !f.peThunks(s, file, word(0), word(4)) {
			missing("a list of " + name + " that is no list of names")
			return
		}
	}
}

// maxThunks is how many functions of one library are looked at.
const maxThunks = 4096

// peThunks reports whether two lists are what is imported from a library: the
// names, and the same once more where the loader writes the addresses. Without
// the first the second is all there is.
func (f *Facts) peThunks(s *source, file *pe.File, names, addresses uint32) bool {
	if names == 0 {
		names = addresses
	}
	wide := uint32(f.Bits / 8)
	for i := range uint32(maxThunks) {
		name, ok := peBytes(s, file, names+i*wide, wide)
		address, same := peBytes(s, file, addresses+i*wide, wide)
		if !ok || !same || string(name) != string(address) {
			return false
		}
		thunk := uint64(binary.LittleEndian.Uint32(name))
		if wide == 8 {
			thunk = binary.LittleEndian.Uint64(name)
		}
		switch {
		case thunk == 0:
			return i > 0
		case thunk>>(f.Bits-1) == 1: // by number
		case thunk>>31 != 0, peText(s, file, uint32(thunk)+2) == "":
			return false
		}
	}
	return true
}

// peMoved checks that a program can be moved if it says so. On 64-bit ARM each is.
func (f *Facts) peMoved(s *source, h *peHeader, file *pe.File) {
	fixed, list := h.coff.Characteristics&relocsStripped != 0, h.tables[dirReloc].Size > 0
	moves := h.flags&dynamicBase != 0
	if fixed == list || moves && fixed || f.Machine == machineAArch64 && (!moves || h.flags&pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT == 0) {
		f.damage(Problem{
			Found:  fmt.Sprintf("PE characteristics %#x and %#x with relocations of %d bytes", h.coff.Characteristics, h.flags, h.tables[dirReloc].Size),
			Effect: effectPE, Help: helpDamaged,
		})
		return
	}
	if list && !f.peRelocations(s, h, file) {
		f.damage(Problem{Found: "relocations that do not fit the image base or the sections", Effect: effectMoved, Help: helpDamaged})
	}
}

// peRelocations reports whether the blocks of relocations follow each other to the
// end of their directory, and those of the first change addresses of the image.
func (f *Facts) peRelocations(s *source, h *peHeader, file *pe.File) bool {
	d := h.tables[dirReloc]
	for at := uint32(0); at < d.Size; {
		head, ok := peBytes(s, file, d.VirtualAddress+at, 8)
		if !ok {
			return false
		}
		page, size := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[4:])
		if size < 8 || size%4 != 0 || size > d.Size-at || uint64(page) >= h.imageSize || page%4096 != 0 {
			return false
		}
		entries, ok := peBytes(s, file, d.VirtualAddress+at, size)
		if !ok || at == 0 && !f.peFixups(s, h, file, page, entries[8:]) {
			return false
		}
		at += size
	}
	return true
}

// peFixups reports whether the addresses that a block changes are of the image as
// it is linked.
func (f *Facts) peFixups(s *source, h *peHeader, file *pe.File, page uint32, entries []byte) bool {
	kind, wide := uint16(reloc32), uint32(4)
	if f.Bits == 64 {
		kind, wide = reloc64, 8
	}
	for ; len(entries) > 0; entries = entries[2:] {
		entry := binary.LittleEndian.Uint16(entries)
		if entry>>12 == relocNone {
			continue
		}
		data, ok := peBytes(s, file, page+uint32(entry&0xfff), wide)
		if !ok || entry>>12 != kind {
			return false
		}
		address := append(data, 0, 0, 0, 0)
		if at := binary.LittleEndian.Uint64(address[:8]) - h.base; at >= h.imageSize {
			return false
		}
	}
	return true
}

// peOffset is where in the file some bytes at an address are. The result is false
// when no section has all of them.
func peOffset(file *pe.File, address, n uint32) (uint64, bool) {
	for _, sec := range file.Sections {
		if at := address - sec.VirtualAddress; address >= sec.VirtualAddress && at < sec.Size && n <= sec.Size-at {
			return uint64(sec.Offset) + uint64(at), true
		}
	}
	return 0, false
}

// peBytes are the bytes at an address.
func peBytes(s *source, file *pe.File, address, n uint32) ([]byte, bool) {
	at, ok := peOffset(file, address, n)
	if !ok {
		return nil, false
	}
	return s.bytes(at, uint64(n))
}

// peText is the text at an address, which ends with a zero: "" without one.
func peText(s *source, file *pe.File, address uint32) string {
	at, ok := peOffset(file, address, 1)
	if !ok {
		return ""
	}
	text, _ := s.text(at, 4096)
	return text
}
