package verify_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"slices"

	"github.com/gopherfile/gopherfile/frontend/verify"
)

// Who says what of ELF.
const (
	kernelELF = "Linux, fs/binfmt_elf.c load_elf_binary"
	glibcELF  = "glibc, elf/rtld.c and elf/dl-load.c; musl, ldso/dynlink.c"
)

// elfExceptions are the fields of ELF files that may be wrong.
func elfExceptions() []exception {
	const format = verify.FormatELF
	is := func(values ...uint64) func(*realField, uint64, uint64) bool {
		return func(_ *realField, _, now uint64) bool { return slices.Contains(values, now) }
	}
	return []exception{
		{format, []string{"e_entry"}, inCodeOf, true, "another address of the code", "not seen: no header says which function starts the program", kernelELF},
		{format, []string{"e_phoff"}, func(_ *realField, was, now uint64) bool { return now == was+64 }, true, "two headers further", "they are those that nothing reads, of PT_PHDR and PT_NOTE", kernelELF},
		{format, []string{"EI_ABIVERSION of MIPS"}, nil, false, "", "only a loader looks at it, and a static program has none", glibcELF},
		{format, []string{"e_flags of ARM"}, is(0, 0x5000000, 0x5000202, 0x5000402), false, "other floats, or none", "the kernel does not look at the ABI of floats, and the build info has GOARM", "Linux, arch/arm/kernel/elf.c elf_check_arch"},
		{format, []string{"e_flags of MIPS"}, is(0x50001000, 0x50001003, 0x50001005, 0x50001006, 0x50001204, 0x50001404, 0x70001004), false, "another revision, or other floats", "not seen: kernels differ in what they take", "Linux, arch/mips/include/asm/elf.h mips_elf_check_machine"},
		{format, []string{"* p_paddr"}, nil, false, "", "it is for machines without virtual memory", kernelELF},
		{format, []string{"PT_GNU_STACK p_type", "PT_GNU_STACK p_flags"}, nil, true, "", "the stack can be executed, or cannot: no Go program does", kernelELF},
		{format, []string{"PT_GNU_STACK p_vaddr", "PT_GNU_STACK p_memsz", "PT_GNU_STACK p_align"}, nil, false, "", "only the flags are read", kernelELF},
		{format, []string{"PT_GNU_STACK p_offset", "PT_GNU_STACK p_filesz"}, nil, true, "", "only the flags are read", kernelELF},
		{format, []string{"PT_NOTE p_type"}, nil, true, "", "Linux reads no note of Go; those of other systems are for their tools", kernelELF},
		{format, []string{"PT_PHDR p_type"}, nil, true, "", "only a loader needs it; where there is one it must be there", glibcELF},
		{format, fieldsOf("p_flags", "PT_PHDR", "PT_NOTE", "PT_INTERP", "PT_DYNAMIC", "PT_GNU_RELRO", "PT_MIPS_ABIFLAGS"), nil, false, "", "rights are taken from what is mapped around it", glibcELF},
		{format, fieldsOf("p_align", "PT_PHDR", "PT_NOTE", "PT_INTERP", "PT_DYNAMIC", "PT_GNU_RELRO", "PT_MIPS_ABIFLAGS"), nil, false, "", "nothing is placed by it", glibcELF},
		{format, []string{"PT_TLS p_offset", "PT_TLS p_flags"}, nil, true, "", "a Go program has nothing of it in the file, and each thread writes its copy", glibcELF},
		{format, []string{"PT_GNU_RELRO p_type"}, nil, true, "", "data stays writable that should not be", glibcELF},
		{format, []string{"PT_GNU_RELRO p_filesz"}, smaller, false, "smaller", "only the size in memory is read", glibcELF},
		{format, []string{"PT_GNU_RELRO p_memsz"}, nil, true, "up to the next segment", "whole pages are protected, and those are its own", glibcELF},
		{format, []string{"PT_LOAD ??? p_align"}, nil, true, "one that fits the address", "pages are mapped, whatever it is", kernelELF},
		{format, []string{"PT_LOAD r-- p_flags"}, is(5, 6), false, "more rights", "rights that a program does not need", kernelELF},
		{format, []string{"PT_LOAD rw- p_filesz"}, smaller, true, "less padding", "the last bytes are zeros", kernelELF},
		{format, []string{"PT_LOAD rw- p_memsz"}, func(f *realField, was, now uint64) bool { return now > was && now-was <= f.high-f.low }, true, "up to 64 KiB more", "it adds zeros", kernelELF},
		{format, []string{"DT_DEBUG d_*", "DT_FLAGS_1 d_*"}, nil, true, "", "the first is for debuggers, the second for dlopen", glibcELF},
		{format, []string{"DT_PLTGOT d_*"}, nil, true, "", "it is for functions of libraries, of which a Go program calls none", glibcELF},
		{format, []string{"DT_NULL d_val"}, nil, false, "", "the tag ends the list", glibcELF},
		{format, []string{"e_shnum", "section sh_*"}, nil, true, "", "sections are for tools; what a loader needs of them must be in a segment, too", kernelELF},
		{format, []string{"first section sh_*"}, nil, true, "", "it is no section", kernelELF},
	}
}

// realELF are the fields of an ELF file.
func realELF(data []byte) []*realField {
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		panic(err)
	}
	l := &realFields{data: data, order: file.ByteOrder}
	wide := map[elf.Class]int{elf.ELFCLASS64: 8, elf.ELFCLASS32: 4}[file.Class]
	l.names(1, "EI_MAG0", "EI_MAG1", "EI_MAG2", "EI_MAG3", "EI_CLASS", "EI_DATA", "EI_VERSION", "EI_OSABI")
	mips := ""
	if file.Machine == elf.EM_MIPS {
		mips = " of MIPS"
	}
	l.add("EI_ABIVERSION"+mips, 1)
	l.add("EI_PAD", 7)
	l.names(2, "e_type", "e_machine")
	l.add("e_version", 4)
	entry := l.add("e_entry", wide)
	text := file.Section(".text")
	entry.low, entry.high = text.Addr, text.Addr+text.Size
	phoff := int(l.add("e_phoff", wide).word(data))
	shoff := int(l.add("e_shoff", wide).word(data))
	l.add("e_flags"+map[elf.Machine]string{elf.EM_MIPS: mips, elf.EM_ARM: " of ARM"}[file.Machine], 4)
	l.names(2, "e_ehsize", "e_phentsize", "e_phnum", "e_shentsize", "e_shnum", "e_shstrndx")
	l.off = phoff
	for _, p := range file.Progs {
		l.elfSegment(p, wide)
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_DYNAMIC {
			l.elfEntries(p, wide)
		}
	}
	l.off = shoff
	for _, sec := range file.Sections {
		name := "section "
		if sec.Type == elf.SHT_NULL {
			name = "first section "
		}
		l.names(4, name+"sh_name", name+"sh_type")
		l.names(wide, name+"sh_flags", name+"sh_addr", name+"sh_offset", name+"sh_size")
		l.names(4, name+"sh_link", name+"sh_info")
		l.names(wide, name+"sh_addralign", name+"sh_entsize")
	}
	return l.all
}

// elfSegment adds a program header.
func (l *realFields) elfSegment(p *elf.Prog, wide int) {
	name := p.Type.String() + " "
	if p.Type == elf.PT_MIPS_ABIFLAGS {
		name = "PT_MIPS_ABIFLAGS "
	}
	if p.Type == elf.PT_LOAD {
		name += map[elf.ProgFlag]string{elf.PF_R: "r--", elf.PF_R | elf.PF_X: "r-x", elf.PF_R | elf.PF_W: "rw-"}[p.Flags] + " "
	}
	l.add(name+"p_type", 4)
	if wide == 8 {
		l.add(name+"p_flags", 4)
	}
	for _, field := range []string{"p_offset", "p_vaddr", "p_paddr", "p_filesz", "p_memsz"} {
		f := l.add(name+field, wide)
		f.low, f.high = p.Vaddr+p.Memsz, (p.Vaddr+p.Memsz+0xffff)&^0xffff
	}
	if wide == 4 {
		l.add(name+"p_flags", 4)
	}
	l.add(name+"p_align", wide)
}

// elfEntries adds what the loader is told.
func (l *realFields) elfEntries(p *elf.Prog, wide int) {
	l.off = int(p.Off)
	for range p.Filesz / uint64(2*wide) {
		tag := fmt.Sprint(elf.DynTag((&realField{off: l.off, size: wide, order: l.order}).word(l.data)))
		l.names(wide, tag+" d_tag", tag+" d_val")
	}
}
