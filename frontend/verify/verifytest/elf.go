package verifytest

import (
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"
)

// machine is what an ELF header says of an architecture.
type machine struct {
	class   elf.Class
	big     bool
	machine elf.Machine
	flags   uint64
}

// machineOf is what the linker of the go command writes.
func machineOf(arch string) machine {
	return map[string]machine{
		"386":      {elf.ELFCLASS32, false, elf.EM_386, 0},
		"amd64":    {elf.ELFCLASS64, false, elf.EM_X86_64, 0},
		"arm":      {elf.ELFCLASS32, false, elf.EM_ARM, 0x5000002},
		"arm64":    {elf.ELFCLASS64, false, elf.EM_AARCH64, 0},
		"loong64":  {elf.ELFCLASS64, false, elf.EM_LOONGARCH, 0x43},
		"mips":     {elf.ELFCLASS32, true, elf.EM_MIPS, 0x50001004},
		"mipsle":   {elf.ELFCLASS32, false, elf.EM_MIPS, 0x50001004},
		"mips64":   {elf.ELFCLASS64, true, elf.EM_MIPS, 0x20000004},
		"mips64le": {elf.ELFCLASS64, false, elf.EM_MIPS, 0x20000004},
		"ppc64":    {elf.ELFCLASS64, true, elf.EM_PPC64, 1},
		"ppc64le":  {elf.ELFCLASS64, false, elf.EM_PPC64, 2},
		"riscv64":  {elf.ELFCLASS64, false, elf.EM_RISCV, 4},
		"s390x":    {elf.ELFCLASS64, true, elf.EM_S390, 1},
	}[arch]
}

// section is one section of an ELF file.
type section struct {
	name        string
	typ         elf.SectionType
	flags       elf.SectionFlag
	addr, align uint64
	off, size   uint64
}

// elfFile is an ELF file on its way.
type elfFile struct {
	machine
	order    binary.ByteOrder
	data     []byte
	sections []section
	programs [][8]uint64 // type, flags, off, vaddr, paddr, filesz, memsz, align
}

// Where the two segments are.
const (
	elfBase = 0x400000
	elfPage = 0x1000
)

// elf is an ELF file: a segment of code, and one of data at the next page.
func (b Binary) elf() []byte {
	f := &elfFile{machine: machineOf(b.Port.Arch), order: binary.LittleEndian, data: make([]byte, elfPage)}
	if b.Port.OS == "openbsd" && b.Port.Arch == "ppc64" {
		f.flags = 2 // the one system with this byte order and the second ABI
	}
	if f.big {
		f.order = binary.BigEndian
	}
	f.section(".text", elf.SHT_PROGBITS, elf.SHF_ALLOC|elf.SHF_EXECINSTR, code())
	end := uint64(len(f.data))
	f.data = padded(f.data, elfPage)
	start := uint64(len(f.data))
	f.section(".go.buildinfo", elf.SHT_PROGBITS, elf.SHF_ALLOC|elf.SHF_WRITE, padded(b.buildInfo(), 16))
	dynamic := b.dynamic(f)
	f.programs = [][8]uint64{
		{uint64(elf.PT_LOAD), 5, 0, elfBase, elfBase, end, end, elfPage},
		{uint64(elf.PT_LOAD), 6, start, elfBase + start, elfBase + start, uint64(len(f.data)) - start, uint64(len(f.data)) - start + 4096, elfPage},
		{uint64(elf.PT_GNU_STACK), 6, 0, 0, 0, 0, 0, 8},
	}
	f.programs = append(f.programs, dynamic...)
	f.sections = append(f.sections, section{".bss", elf.SHT_NOBITS, elf.SHF_ALLOC | elf.SHF_WRITE, elfBase + uint64(len(f.data)), 16, uint64(len(f.data)), 4096})
	if b.Symbols {
		f.section(".symtab", elf.SHT_SYMTAB, 0, make([]byte, 24))
		f.section(".debug_info", elf.SHT_PROGBITS, 0, make([]byte, 24))
	}
	return f.finish()
}

// section adds a section and its data.
func (f *elfFile) section(name string, typ elf.SectionType, flags elf.SectionFlag, data []byte) section {
	f.data = padded(f.data, 16)
	s := section{name: name, typ: typ, flags: flags, align: 16, off: uint64(len(f.data)), size: uint64(len(data))}
	if flags&elf.SHF_ALLOC != 0 {
		s.addr = elfBase + s.off
	}
	f.data = append(f.data, data...)
	f.sections = append(f.sections, s)
	return s
}

// dynamic adds what a loader reads, and returns the segments for it.
func (b Binary) dynamic(f *elfFile) [][8]uint64 {
	var programs [][8]uint64
	segment := func(typ elf.ProgType, s section) {
		programs = append(programs, [8]uint64{uint64(typ), 4, s.off, s.addr, s.addr, s.size, s.size, 8})
	}
	if b.Loader != "" {
		segment(elf.PT_INTERP, f.section(".interp", elf.SHT_PROGBITS, elf.SHF_ALLOC, append([]byte(b.Loader), 0)))
	}
	if len(b.Libraries) == 0 && b.RunPath == "" && len(b.RPaths) == 0 {
		return programs
	}
	names := "\x00" + strings.Join(slices.Concat(b.Libraries, []string{b.RunPath}, b.RPaths), "\x00") + "\x00"
	table := f.section(".dynstr", elf.SHT_STRTAB, elf.SHF_ALLOC, []byte(names))
	size, at := 8, uint64(1)
	if f.class == elf.ELFCLASS32 {
		size = 4
	}
	var entries []uint64
	for _, name := range b.Libraries {
		entries, at = append(entries, uint64(elf.DT_NEEDED), at), at+uint64(len(name))+1
	}
	if b.RunPath != "" {
		entries = append(entries, uint64(elf.DT_RUNPATH), at)
	}
	at += uint64(len(b.RunPath)) + 1
	for _, path := range b.RPaths {
		entries, at = append(entries, uint64(elf.DT_RPATH), at), at+uint64(len(path))+1
	}
	entries = append(entries, uint64(elf.DT_STRTAB), table.addr, uint64(elf.DT_STRSZ), table.size, 0, 0)
	segment(elf.PT_DYNAMIC, f.section(".dynamic", elf.SHT_DYNAMIC, elf.SHF_ALLOC|elf.SHF_WRITE, words(f.order, size, entries...)))
	return programs
}

// finish writes the tables and the header.
func (f *elfFile) finish() []byte {
	names := "\x00"
	at := map[string]uint64{}
	for _, s := range append(slices.Clone(f.sections), section{name: ".shstrtab"}) {
		at[s.name] = uint64(len(names))
		names += s.name + "\x00"
	}
	f.section(".shstrtab", elf.SHT_STRTAB, 0, []byte(names))
	f.data = padded(f.data, 16)
	shoff := uint64(len(f.data))
	all := append([]section{{}}, f.sections...)
	wide, head, segment, each := 8, uint64(64), uint64(56), uint64(64)
	if f.class == elf.ELFCLASS32 {
		wide, head, segment, each = 4, 52, 32, 40
	}
	for _, s := range all {
		f.data = append(f.data, words(f.order, 4, at[s.name], uint64(s.typ))...)
		f.data = append(f.data, words(f.order, wide, uint64(s.flags), s.addr, s.off, s.size)...)
		f.data = append(f.data, words(f.order, 4, 0, 0)...)
		f.data = append(f.data, words(f.order, wide, s.align, 0)...)
	}
	var out []byte
	data := map[bool]byte{false: 1, true: 2}[f.big]
	out = append(out, "\x7fELF"...)
	out = append(out, byte(f.class), data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	out = append(out, words(f.order, 2, uint64(elf.ET_EXEC), uint64(f.machine.machine))...)
	out = append(out, words(f.order, 4, 1)...)
	out = append(out, words(f.order, wide, elfBase+elfPage, head, shoff)...)
	out = append(out, words(f.order, 4, f.flags)...)
	out = append(out, words(f.order, 2, head, segment, uint64(len(f.programs)), each, uint64(len(all)), uint64(len(all)-1))...)
	for _, p := range f.programs {
		if wide == 4 { // the flags come later
			out = append(out, words(f.order, 4, p[0], p[2], p[3], p[4], p[5], p[6], p[1], p[7])...)
			continue
		}
		out = append(out, words(f.order, 4, p[0], p[1])...)
		out = append(out, words(f.order, 8, p[2:]...)...)
	}
	copy(f.data, out)
	return f.data
}
