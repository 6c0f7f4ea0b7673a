package verify

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// maxPESections is what Windows loads.
const maxPESections = 96

// peHeader is what a PE file starts with, of either width.
type peHeader struct {
	coff        pe.FileHeader
	at          uint64 // of the COFF header
	sections    uint64 // of the section table
	entry       uint64
	align       uint64 // of sections in memory
	fileAlign   uint64
	imageSize   uint64
	headersSize uint64
	subsystem   uint16
	version     [2]uint16 // of the subsystem
	directories uint32
	tables      [16]pe.DataDirectory
	base        uint64
	flags       uint16   // the DLL characteristics
	memory      []uint64 // of stack and heap
}

// readPE reads a Windows program.
func (f *Facts) readPE(s *source) {
	f.Format, f.System = FormatPE, "windows"
	h, ok := f.peHeader(s)
	if !ok {
		return
	}
	if f.Machine = peMachine(h.coff.Machine); f.Machine == "" {
		f.Machine = fmt.Sprintf("machine %#x", h.coff.Machine)
	}
	f.peCheck(h)
	if h.coff.NumberOfSections > maxPESections {
		f.damage(Problem{Found: fmt.Sprintf("%d sections", h.coff.NumberOfSections), Expected: fmt.Sprintf("at most %d", maxPESections), Effect: effectPE, Help: helpDamaged})
		return
	}
	patched, ok := f.pePatched(s, h)
	if !ok {
		return
	}
	file, err := pe.NewFile(patched)
	if err != nil {
		f.damage(Problem{Found: "PE tables that cannot be read: " + err.Error(), Effect: effectPE, Help: helpDamaged})
		return
	}
	f.Symbols, f.Entry = h.coff.NumberOfSymbols > 0, h.base+h.entry
	f.peSections(s, h, file)
	if len(f.Damage) == 0 {
		f.peLoad(s, h, file)
	}
	f.readGo(patched)
}

// pePatched is the file as the library should see it: without symbols, of which
// it would read all, and with section names that need no table of names.
func (f *Facts) pePatched(s *source, h *peHeader) (*source, bool) {
	n := uint64(h.coff.NumberOfSections) * 40
	table, ok := s.bytes(h.sections, n)
	if !ok {
		f.truncated("a section table", h.sections, n)
		return nil, false
	}
	symbols, size := uint64(h.coff.PointerToSymbolTable), uint64(h.coff.NumberOfSymbols)*pe.COFFSymbolSize
	if symbols > 0 && !f.inside(s, "the symbol table", symbols, size) {
		return nil, false
	}
	patches := []patch{{int64(h.at) + 8, make([]byte, 8)}}
	for i := uint64(0); i < n; i += 40 {
		digits, long := strings.CutPrefix(strings.TrimRight(string(table[i:i+8]), "\x00"), "/")
		if !long {
			continue
		}
		at, err := strconv.ParseUint(digits, 10, 32)
		name, ok := s.text(symbols+size+at, 64)
		if err != nil || !ok || symbols == 0 {
			f.damage(Problem{Found: "section /" + digits, Expected: "a name of the table", Help: helpDamaged})
			return nil, false
		}
		short := make([]byte, 8)
		copy(short, name)
		patches = append(patches, patch{int64(h.sections + i), short})
	}
	return s.with(patches...), true
}

// effectPE is what Windows says of a file that is none of its own.
const effectPE = "%1 is not a valid Win32 application"

// peHeader reads the headers. The result is false when they cannot be read.
func (f *Facts) peHeader(s *source) (*peHeader, bool) {
	dos, ok := s.bytes(0, 64)
	if !ok {
		f.truncated("a DOS header", 0, 64)
		return nil, false
	}
	at := uint64(binary.LittleEndian.Uint32(dos[60:]))
	head, ok := s.bytes(at, 24)
	if !ok || string(head[:4]) != "PE\x00\x00" {
		f.damage(Problem{Found: fmt.Sprintf("no PE header at byte %d", at), Effect: effectPE, Help: helpDamaged})
		return nil, false
	}
	h := &peHeader{at: at + 4}
	h.coff = decode[pe.FileHeader](head[4:])
	optional := at + 24
	h.sections = optional + uint64(h.coff.SizeOfOptionalHeader)
	data, ok := s.bytes(optional, uint64(h.coff.SizeOfOptionalHeader))
	if !ok || len(data) < 2 {
		f.truncated("an optional header", optional, uint64(h.coff.SizeOfOptionalHeader))
		return nil, false
	}
	magic, size := binary.LittleEndian.Uint16(data), 0
	switch magic {
	case 0x10b:
		f.Bits, size = 32, binary.Size(pe.OptionalHeader32{})
	case 0x20b:
		f.Bits, size = 64, binary.Size(pe.OptionalHeader64{})
	}
	f.odd("size of the optional header", uint64(len(data)), uint64(size))
	if size == 0 || len(data) != size {
		return nil, false
	}
	if f.Bits == 32 {
		o := decode[pe.OptionalHeader32](data)
		h.entry, h.align, h.fileAlign, h.imageSize, h.headersSize = uint64(o.AddressOfEntryPoint), uint64(o.SectionAlignment), uint64(o.FileAlignment), uint64(o.SizeOfImage), uint64(o.SizeOfHeaders)
		h.subsystem, h.version, h.directories, h.tables, h.base = o.Subsystem, [2]uint16{o.MajorSubsystemVersion, o.MinorSubsystemVersion}, o.NumberOfRvaAndSizes, o.DataDirectory, uint64(o.ImageBase)
		h.flags, h.memory = o.DllCharacteristics, []uint64{uint64(o.SizeOfStackReserve), uint64(o.SizeOfStackCommit), uint64(o.SizeOfHeapReserve), uint64(o.SizeOfHeapCommit)}
		return h, true
	}
	o := decode[pe.OptionalHeader64](data)
	h.entry, h.align, h.fileAlign, h.imageSize, h.headersSize = uint64(o.AddressOfEntryPoint), uint64(o.SectionAlignment), uint64(o.FileAlignment), uint64(o.SizeOfImage), uint64(o.SizeOfHeaders)
	h.subsystem, h.version, h.directories, h.tables, h.base = o.Subsystem, [2]uint16{o.MajorSubsystemVersion, o.MinorSubsystemVersion}, o.NumberOfRvaAndSizes, o.DataDirectory, o.ImageBase
	h.flags, h.memory = o.DllCharacteristics, []uint64{o.SizeOfStackReserve, o.SizeOfStackCommit, o.SizeOfHeapReserve, o.SizeOfHeapCommit}
	return h, true
}

// decode reads a little-endian structure that the data is known to hold.
func decode[T any](data []byte) (v T) {
	_ = binary.Read(bytes.NewReader(data), binary.LittleEndian, &v) // the length was checked
	return v
}

// peCheck checks what Windows checks before it starts a program.
func (f *Facts) peCheck(h *peHeader) {
	wrong := func(what string, got any) {
		f.damage(Problem{Found: fmt.Sprintf("%s %#x", what, got), Effect: effectPE, Help: helpDamaged})
	}
	const executable, library, large = 0x2, 0x2000, 0x20
	c := h.coff.Characteristics
	switch {
	case c&library != 0:
		f.Kind = KindLibrary
	case c&executable != 0:
		f.Kind = KindExecutable
	default:
		wrong("PE characteristics", c)
	}
	if c&0x5000 != 0 || f.Bits == 64 && c&large == 0 {
		wrong("PE characteristics", c)
	}
	if h.subsystem != 2 && h.subsystem != 3 {
		wrong("subsystem", h.subsystem)
	}
	if v := h.version; v[0] < 3 || v[0] > 10 || v[0] == 10 && v[1] > 0 {
		wrong("version of the subsystem", uint32(v[0])<<16|uint32(v[1]))
	}
	if h.directories != 16 {
		wrong("number of data directories", h.directories)
	}
	for i, d := range h.tables {
		if (d.VirtualAddress == 0) != (d.Size == 0) || i != dirSignature && uint64(d.VirtualAddress)+uint64(d.Size) > h.imageSize {
			wrong(fmt.Sprintf("data directory %d at %#x with a size of", i, d.VirtualAddress), d.Size)
		}
	}
	// Bits without a meaning, and those of signed files, containers and drivers.
	const otherwise = 0x309f
	if h.flags&otherwise != 0 {
		wrong("DLL characteristics", h.flags)
	}
	const most = 1 << 30 // of a thread: linkers write some megabytes
	if slices.ContainsFunc(h.memory, func(n uint64) bool { return n > most }) || h.memory[0] < 64<<10 {
		wrong("sizes of stack and heap", h.memory)
	}
	power := func(n uint64) bool { return bits.OnesCount64(n) == 1 }
	if !power(h.fileAlign) || h.fileAlign < 512 || h.fileAlign > 64<<10 || !power(h.align) || h.align < h.fileAlign {
		wrong("alignment", h.align<<32|h.fileAlign)
	}
	if h.base%(64<<10) != 0 || f.Bits == 32 && h.base+h.imageSize > 1<<32 || h.base > 1<<47 {
		wrong("image base", h.base)
	}
}

// peSections checks what Windows maps.
func (f *Facts) peSections(s *source, h *peHeader, file *pe.File) {
	if h.align == 0 || h.fileAlign == 0 {
		return
	}
	end := up(h.headersSize, h.align)
	if table := h.sections + uint64(len(file.Sections))*40; h.headersSize < table || h.headersSize%h.fileAlign != 0 {
		f.damage(Problem{Found: fmt.Sprintf("headers of %d bytes", h.headersSize), Expected: fmt.Sprintf("at least %d", table), Effect: effectPE, Help: helpDamaged})
		return
	}
	code, next := false, h.headersSize
	for _, sec := range file.Sections {
		if strings.HasPrefix(sec.Name, ".debug_") || strings.HasPrefix(sec.Name, ".zdebug") {
			f.Debug = true
		}
		size := max(uint64(sec.VirtualSize), 1)
		if uint64(sec.VirtualAddress) != end || uint64(sec.Offset)%h.fileAlign != 0 || uint64(sec.Size)%h.fileAlign != 0 {
			f.damage(Problem{Found: fmt.Sprintf("section %s at address %#x and byte %#x", sec.Name, sec.VirtualAddress, sec.Offset), Expected: fmt.Sprintf("address %#x", end), Effect: effectPE, Help: helpDamaged})
			return
		}
		if sec.Size > 0 && !f.inside(s, "section "+sec.Name, uint64(sec.Offset), uint64(sec.Size)) {
			return
		}
		const read, discard = pe.IMAGE_SCN_MEM_READ, pe.IMAGE_SCN_MEM_DISCARDABLE
		if sec.Size > 0 && uint64(sec.Offset) != next || sec.Characteristics&(read|discard) == 0 {
			f.damage(Problem{Found: fmt.Sprintf("section %s at byte %#x with the rights %#x", sec.Name, sec.Offset, sec.Characteristics), Expected: fmt.Sprintf("one that can be read, at byte %#x", next), Effect: effectPE, Help: helpDamaged})
			return
		}
		const unsafe = pe.IMAGE_SCN_MEM_WRITE | pe.IMAGE_SCN_MEM_EXECUTE
		if c := sec.Characteristics; c&shared != 0 || c&unsafe == unsafe {
			f.damage(Problem{Found: fmt.Sprintf("section %s with the rights %#x", sec.Name, c), Expected: "code that nothing writes, and data of one process", Effect: effectPE, Help: helpDamaged})
			return
		}
		next += uint64(sec.Size)
		start := uint64(sec.VirtualAddress)
		const executes = pe.IMAGE_SCN_MEM_EXECUTE | pe.IMAGE_SCN_MEM_READ
		code = code || h.entry >= start && h.entry < start+min(size, uint64(sec.Size)) && sec.Characteristics&executes == executes
		end = up(start+size, h.align)
	}
	if !code && f.Kind == KindExecutable {
		f.damage(Problem{Found: fmt.Sprintf("entry point %#x", h.entry), Expected: "an address of the code", Effect: "access violation", Help: helpDamaged})
	}
	if h.imageSize != end {
		f.damage(Problem{Found: fmt.Sprintf("an image of %#x bytes", h.imageSize), Expected: fmt.Sprintf("%#x", end), Effect: effectPE, Help: helpDamaged})
	}
}

// up rounds up to a multiple.
func up(n, align uint64) uint64 { return (n + align - 1) / align * align }
