package verify

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Limits of an ELF file. Programs have less; objects of some compilers have
// more, and are no concern of ours.
const (
	maxSegments     = 512
	maxSections     = 1024
	maxSectionNames = 64 << 10
)

// elfHeader is the file header, of either class.
type elfHeader struct {
	typ       elf.Type
	machine   elf.Machine
	version   uint32
	entry     uint64
	phoff     uint64
	shoff     uint64
	flags     uint32
	ehsize    uint16
	phentsize uint16
	phnum     uint16
	shentsize uint16
	shnum     uint16
	shstrndx  uint16
}

// readELF reads an ELF file.
func (f *Facts) readELF(s *source) {
	f.Format = FormatELF
	ident, ok := s.bytes(0, elf.EI_NIDENT)
	if !ok {
		f.truncated("an ELF header", 0, 64)
		return
	}
	f.Bits = map[byte]int{byte(elf.ELFCLASS32): 32, byte(elf.ELFCLASS64): 64}[ident[elf.EI_CLASS]]
	f.BigEndian = ident[elf.EI_DATA] == byte(elf.ELFDATA2MSB)
	if f.Bits == 0 || !f.BigEndian && ident[elf.EI_DATA] != byte(elf.ELFDATA2LSB) {
		f.damage(Problem{Found: fmt.Sprintf("ELF class %d and byte order %d", ident[elf.EI_CLASS], ident[elf.EI_DATA]), Expected: "1 or 2 each", Effect: effectFormat, Help: helpDamaged})
		return
	}
	h, ok := f.elfHeader(s)
	if !ok {
		f.truncated("an ELF header", 0, 64)
		return
	}
	f.Machine = elfMachine(h.machine)
	if f.Machine == "" {
		f.Machine = fmt.Sprintf("machine %d", h.machine)
	}
	f.ABI, f.Entry = f.elfFlags(h), h.entry
	f.elfIdent(ident, h)
	if !f.elfTables(s, h) {
		return
	}
	file, err := elf.NewFile(s)
	if err != nil {
		f.damage(Problem{Found: "ELF tables that cannot be read: " + err.Error(), Effect: effectFormat, Help: helpDamaged})
		return
	}
	f.elfSegments(s, h, file)
	f.elfSections(s, file)
	f.elfKind(h, file, f.elfDynamic(s, file))
	f.readGo(s)
}

// order is the byte order of the file.
func (f *Facts) order() binary.ByteOrder {
	if f.BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// elfHeader reads the file header.
func (f *Facts) elfHeader(s *source) (*elfHeader, bool) {
	if f.Bits == 32 {
		var h elf.Header32
		data, ok := s.bytes(0, 52)
		if !ok || binary.Read(bytes.NewReader(data), f.order(), &h) != nil {
			return nil, false
		}
		return &elfHeader{
			elf.Type(h.Type), elf.Machine(h.Machine), h.Version, uint64(h.Entry), uint64(h.Phoff), uint64(h.Shoff), h.Flags,
			h.Ehsize, h.Phentsize, h.Phnum, h.Shentsize, h.Shnum, h.Shstrndx,
		}, true
	}
	var h elf.Header64
	data, ok := s.bytes(0, 64)
	if !ok || binary.Read(bytes.NewReader(data), f.order(), &h) != nil {
		return nil, false
	}
	return &elfHeader{
		elf.Type(h.Type), elf.Machine(h.Machine), h.Version, h.Entry, h.Phoff, h.Shoff, h.Flags,
		h.Ehsize, h.Phentsize, h.Phnum, h.Shentsize, h.Shnum, h.Shstrndx,
	}, true
}

// elfIdent checks the fields that have one right value, and takes the system
// from the only one that names it.
func (f *Facts) elfIdent(ident []byte, h *elfHeader) {
	f.odd("ELF version", uint64(ident[elf.EI_VERSION]), 1)
	f.odd("ELF version", uint64(h.version), 1)
	switch abi := elf.OSABI(ident[elf.EI_OSABI]); abi {
	case elf.ELFOSABI_NONE, elf.ELFOSABI_LINUX: // most systems do not tell
	case elf.ELFOSABI_FREEBSD:
		f.System = "freebsd"
	case elf.ELFOSABI_NETBSD:
		f.System = "netbsd"
	case elf.ELFOSABI_OPENBSD:
		f.System = "openbsd"
	case elf.ELFOSABI_SOLARIS:
		f.System = "solaris"
	default:
		f.System = fmt.Sprintf("ELF system %d", abi)
	}
	if h.machine != elf.EM_MIPS { // there it is the floating-point ABI
		f.odd("ELF ABI version", uint64(ident[elf.EI_ABIVERSION]), 0)
	}
	if slices.ContainsFunc(ident[elf.EI_PAD:], func(b byte) bool { return b != 0 }) {
		f.damage(Problem{Found: fmt.Sprintf("ELF padding %x", ident[elf.EI_PAD:]), Expected: "zeros", Help: helpDamaged})
	}
}

// elfTables checks where the tables are. The result is false when they cannot be
// read.
func (f *Facts) elfTables(s *source, h *elfHeader) bool {
	size, segment, section := uint64(64), uint64(56), uint64(64)
	if f.Bits == 32 {
		size, segment, section = 52, 32, 40
	}
	before := len(f.Damage)
	f.odd("size of the ELF header", uint64(h.ehsize), size)
	if h.phnum > 0 {
		f.odd("size of an ELF program header", uint64(h.phentsize), segment)
	}
	if h.shoff > 0 {
		f.odd("size of an ELF section header", uint64(h.shentsize), section)
	}
	if len(f.Damage) > before {
		return false
	}
	if h.phnum > maxSegments || h.shnum > maxSections {
		f.damage(Problem{Found: fmt.Sprintf("%d segments and %d sections", h.phnum, h.shnum), Expected: fmt.Sprintf("at most %d and %d", maxSegments, maxSections), Effect: effectFormat, Help: helpDamaged})
		return false
	}
	if !f.inside(s, "an ELF program header table", h.phoff, uint64(h.phnum)*segment) || !f.inside(s, "an ELF section table", h.shoff, uint64(h.shnum)*section) {
		return false
	}
	if h.shnum == 0 {
		f.odd("ELF section table without sections at byte", h.shoff, 0)
		return h.shoff == 0
	}
	return f.elfNames(s, h, section)
}

// elfNames checks the section that holds the names of sections.
func (f *Facts) elfNames(s *source, h *elfHeader, each uint64) bool {
	if h.shstrndx == 0 || h.shstrndx >= h.shnum {
		f.damage(Problem{Found: fmt.Sprintf("ELF section %d with the names of %d sections", h.shstrndx, h.shnum), Expected: "one of them", Effect: "harmless, but no tool reads the file", Help: helpDamaged})
		return false
	}
	data, ok := s.bytes(h.shoff+uint64(h.shstrndx)*each, each)
	if !ok {
		return false
	}
	var flags, off, n uint64
	if order := f.order(); f.Bits == 32 {
		flags, off, n = uint64(order.Uint32(data[8:])), uint64(order.Uint32(data[16:])), uint64(order.Uint32(data[20:]))
	} else {
		flags, off, n = order.Uint64(data[8:]), order.Uint64(data[24:]), order.Uint64(data[32:])
	}
	if flags&uint64(elf.SHF_COMPRESSED) != 0 || n > maxSectionNames {
		f.damage(Problem{Found: fmt.Sprintf("%d bytes of names of ELF sections, with flags %#x", n, flags), Expected: fmt.Sprintf("at most %d, without flags", maxSectionNames), Help: helpDamaged})
		return false
	}
	return f.inside(s, "the names of ELF sections", off, n)
}

// elfSections checks the sections: what is loaded of them must be in a segment.
func (f *Facts) elfSections(s *source, file *elf.File) {
	for _, sec := range file.Sections {
		if sec.Type != elf.SHT_NOBITS && sec.Type != elf.SHT_NULL && !f.inside(s, "section "+sec.Name, sec.Offset, sec.FileSize) {
			return
		}
		switch {
		case sec.Name == ".symtab" || sec.Type == elf.SHT_SYMTAB:
			f.Symbols = true
		case strings.HasPrefix(sec.Name, ".debug_"), strings.HasPrefix(sec.Name, ".zdebug_"):
			f.Debug = true
		}
		if file.Type == elf.ET_REL || sec.Flags&elf.SHF_ALLOC == 0 || sec.Size == 0 {
			continue
		}
		covered := slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return covers(p, sec) })
		if !covered {
			f.damage(Problem{Found: fmt.Sprintf("section %s at address %#x, which no segment loads as it is", sec.Name, sec.Addr), Effect: effectCrash, Help: helpDamaged})
			return
		}
	}
}

// covers reports whether a segment loads a section, with the rights that it
// needs. A section of zeros that every thread has its own of is not loaded.
func covers(p *elf.Prog, sec *elf.Section) bool {
	thread := sec.Flags&elf.SHF_TLS != 0 && sec.Type == elf.SHT_NOBITS
	if want := map[bool]elf.ProgType{true: elf.PT_TLS, false: elf.PT_LOAD}[thread]; p.Type != want {
		return false
	}
	if sec.Addr < p.Vaddr || sec.Size > p.Memsz || sec.Addr-p.Vaddr > p.Memsz-sec.Size {
		return false
	}
	// A table that the loader fills may have bytes in the file all the same.
	if zeros := strings.HasSuffix(sec.Name, "bss"); zeros && sec.Type == elf.SHT_NOBITS && !thread && sec.Addr-p.Vaddr < p.Filesz {
		return false
	}
	if sec.Type != elf.SHT_NOBITS && (sec.Offset < p.Off || sec.Offset-p.Off != sec.Addr-p.Vaddr || sec.Addr-p.Vaddr > p.Filesz || sec.Size > p.Filesz-(sec.Addr-p.Vaddr)) {
		return false
	}
	return p.Flags&elf.PF_R != 0 &&
		(sec.Flags&elf.SHF_EXECINSTR == 0 || p.Flags&elf.PF_X != 0) &&
		(thread || sec.Flags&elf.SHF_WRITE == 0 || p.Flags&elf.PF_W != 0)
}

// elfKind says what kind of file it is. A program that is loaded anywhere has the
// type of a library; what tells it apart is a loader or the flag for it.
func (f *Facts) elfKind(h *elfHeader, file *elf.File, pie bool) {
	switch h.typ {
	case elf.ET_EXEC:
		f.Kind = KindExecutable
		if pie {
			f.damage(Problem{Found: "a program for one address that says that it runs at any", Expected: "ELF type " + elf.ET_DYN.String(), Effect: effectLoader, Help: helpDamaged})
		}
	case elf.ET_REL:
		f.Kind = KindObject
	case elf.ET_DYN:
		f.Kind = KindLibrary
		if f.Loader != "" || pie {
			f.Kind = KindPIE
		}
		// The loader knows by it where the kernel has put the program.
		if f.Loader != "" && !slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_PHDR }) {
			f.damage(Problem{Found: "no segment for the program headers", Expected: "one that " + f.Loader + " finds the program by", Effect: effectLoader, Help: helpDamaged})
		}
	default:
		f.damage(Problem{Found: "ELF type " + h.typ.String(), Expected: "that of a program", Effect: effectFormat, Help: helpDamaged})
	}
	if f.Kind == KindExecutable || f.Kind == KindPIE {
		f.elfEntry(h, file)
	}
}

// elfEntry checks that a program starts in its code: in one of its sections with
// code, if it has sections.
func (f *Facts) elfEntry(h *elfHeader, file *elf.File) {
	started := slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool {
		return p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && h.entry >= p.Vaddr && h.entry-p.Vaddr < p.Filesz
	})
	code := slices.DeleteFunc(slices.Clone(file.Sections), func(s *elf.Section) bool { return s.Flags&elf.SHF_EXECINSTR == 0 })
	started = started && (len(code) == 0 || slices.ContainsFunc(code, func(s *elf.Section) bool {
		return h.entry >= s.Addr && h.entry-s.Addr < s.Size
	}))
	align := map[string]uint64{"AArch64": 4, "LoongArch": 4, "MIPS": 4, "PowerPC": 4, "RISC-V": 2, "S/390": 2}[f.Machine]
	if !started || align > 0 && h.entry%align != 0 {
		f.damage(Problem{Found: fmt.Sprintf("entry point %#x", h.entry), Expected: "an address of the code", Effect: "segmentation fault", Help: helpDamaged})
	}
}
