package verify

import (
	"debug/elf"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// effectLoader is what a loader does that finds something else than it looks for.
const effectLoader = "segmentation fault before main"

// elfPlaces checks the segments that a loader or the kernel looks for inside of
// those that are mapped.
func (f *Facts) elfPlaces(h *elfHeader, file *elf.File) {
	for i, p := range file.Progs {
		wrong := ""
		switch p.Type {
		case elf.PT_PHDR, elf.PT_INTERP, elf.PT_DYNAMIC, elf.PT_NOTE, elf.PT_GNU_EH_FRAME:
			wrong = elfMisplaced(file, &p.ProgHeader)
			if p.Type == elf.PT_PHDR && p.Off != h.phoff {
				wrong = fmt.Sprintf("at byte %#x, where the program headers are not", p.Off)
			}
		case elf.PT_MIPS_ABIFLAGS:
			if f.Machine == machineMIPS {
				wrong = elfMisplaced(file, &p.ProgHeader)
			}
		case elf.PT_TLS:
			wrong = elfThread(file, &p.ProgHeader)
		case elf.PT_GNU_RELRO:
			wrong = elfProtected(file, &p.ProgHeader)
		}
		if wrong != "" {
			f.damage(Problem{Found: fmt.Sprintf("segment %d (%v) of %d bytes at address %#x %s", i, p.Type, p.Memsz, p.Vaddr, wrong), Effect: effectLoader, Help: helpDamaged})
			return
		}
	}
	f.elfSpecial(file)
}

// elfMisplaced says what is wrong with a segment that is a part of a mapped one,
// "" for nothing.
func elfMisplaced(file *elf.File, p *elf.ProgHeader) string {
	if p.Filesz != p.Memsz {
		return fmt.Sprintf("with %d bytes in the file", p.Filesz)
	}
	inside := slices.ContainsFunc(file.Progs, func(l *elf.Prog) bool {
		return l.Type == elf.PT_LOAD && p.Vaddr >= l.Vaddr && p.Filesz <= l.Filesz && p.Vaddr-l.Vaddr <= l.Filesz-p.Filesz && p.Off-l.Off == p.Vaddr-l.Vaddr
	})
	if !inside {
		return fmt.Sprintf("and byte %#x of the file, which no other one loads there", p.Off)
	}
	return ""
}

// elfThread says what is wrong with the segment that each thread has a copy of.
func elfThread(file *elf.File, p *elf.ProgHeader) string {
	const most = 64 << 10
	if bits.OnesCount64(p.Align) != 1 || p.Align > most {
		return fmt.Sprintf("with the alignment %#x", p.Align)
	}
	if p.Filesz > 0 {
		part := *p
		if part.Memsz = part.Filesz; p.Filesz > p.Memsz || elfMisplaced(file, &part) != "" {
			return fmt.Sprintf("with %d bytes at byte %#x of the file, which no other one loads there", p.Filesz, p.Off)
		}
	}
	first, end, align := ^uint64(0), uint64(0), uint64(1)
	for _, sec := range file.Sections {
		if sec.Flags&elf.SHF_TLS != 0 {
			first, end, align = min(first, sec.Addr), max(end, sec.Addr+sec.Size), max(align, sec.Addralign)
		}
	}
	if end > 0 && (p.Vaddr != first || p.Align != align || p.Memsz > up(end-first, p.Align)) {
		return fmt.Sprintf("with the alignment %#x, for sections from %#x to %#x", p.Align, first, end)
	}
	return ""
}

// elfProtected says what is wrong with the segment that the loader makes
// read-only: it must not reach into the next one.
func elfProtected(file *elf.File, p *elf.ProgHeader) string {
	for i, l := range file.Progs {
		if l.Type != elf.PT_LOAD || p.Vaddr < l.Vaddr || p.Vaddr-l.Vaddr >= l.Memsz || p.Off-l.Off != p.Vaddr-l.Vaddr {
			continue
		}
		const page = 64 << 10 // the largest one
		end := up(l.Vaddr+l.Memsz, page)
		for _, next := range file.Progs[i+1:] {
			if next.Type == elf.PT_LOAD {
				end = min(end, next.Vaddr)
			}
		}
		if p.Filesz <= p.Memsz && p.Memsz <= end-p.Vaddr {
			return ""
		}
		return "that reaches behind the one it is in"
	}
	return fmt.Sprintf("and byte %#x of the file, which no other one loads there", p.Off)
}

// elfSpecial checks that what the sections say of the loader the segments say,
// too: nobody reads the sections when a program starts.
func (f *Facts) elfSpecial(file *elf.File) {
	for _, sec := range file.Sections {
		want := elf.PT_NULL
		switch {
		case sec.Flags&elf.SHF_ALLOC == 0 || sec.Size == 0:
		case sec.Name == ".interp":
			want = elf.PT_INTERP
		case sec.Type == elf.SHT_DYNAMIC:
			want = elf.PT_DYNAMIC
		case sec.Type == elf.SHT_MIPS_ABIFLAGS && f.Machine == machineMIPS:
			want = elf.PT_MIPS_ABIFLAGS
		}
		if want == elf.PT_NULL {
			continue
		}
		same := func(p *elf.Prog) bool { return p.Type == want && p.Vaddr == sec.Addr && p.Filesz == sec.Size }
		if !slices.ContainsFunc(file.Progs, same) {
			f.damage(Problem{Found: fmt.Sprintf("section %s of %d bytes at address %#x", sec.Name, sec.Size, sec.Addr), Expected: fmt.Sprintf("a segment of the type %v for it", want), Effect: effectLoader, Help: helpDamaged})
			return
		}
	}
}

// elfMemory checks that segments take no more memory than their sections say.
func (f *Facts) elfMemory(file *elf.File) {
	if len(file.Sections) == 0 {
		return
	}
	for i, p := range file.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		end := p.Vaddr + p.Filesz
		for _, sec := range file.Sections {
			if sec.Flags&elf.SHF_ALLOC != 0 && sec.Addr >= p.Vaddr && sec.Addr < p.Vaddr+p.Memsz {
				end = max(end, sec.Addr+sec.Size)
			}
		}
		const page = 64 << 10 // linkers fill the last one
		if p.Vaddr+p.Memsz > up(end, page) {
			f.damage(Problem{Found: fmt.Sprintf("segment %d of %d bytes", i, p.Memsz), Expected: fmt.Sprintf("%d, where its sections end", end-p.Vaddr), Effect: "cannot allocate memory, or killed", Help: helpDamaged})
			return
		}
	}
}

// elfTold checks what the loader is told of the tables that it reads.
func (f *Facts) elfTold(file *elf.File, entries []entry) {
	told := map[elf.DynTag]uint64{}
	for _, e := range entries {
		told[e.tag] = e.value
	}
	wrong := func(format string, args ...any) {
		f.damage(Problem{Found: "a dynamic segment " + fmt.Sprintf(format, args...), Effect: effectLoader, Help: helpDamaged})
	}
	_, hash := told[elf.DT_HASH]
	_, gnu := told[elf.DT_GNU_HASH]
	_, symbols := told[elf.DT_SYMTAB]
	if symbols && !hash && !gnu {
		wrong("without a table to find symbols")
		return
	}
	for _, group := range [][]elf.DynTag{
		{elf.DT_STRTAB, elf.DT_STRSZ},
		{elf.DT_SYMTAB, elf.DT_SYMENT},
		{elf.DT_RELA, elf.DT_RELASZ, elf.DT_RELAENT},
		{elf.DT_REL, elf.DT_RELSZ, elf.DT_RELENT},
		{elf.DT_JMPREL, elf.DT_PLTRELSZ, elf.DT_PLTREL},
	} {
		var has []string
		for _, tag := range group {
			if _, ok := told[tag]; ok {
				has = append(has, tag.String())
			}
		}
		if len(has) > 0 && len(has) < len(group) {
			wrong("with %s alone of %v", strings.Join(has, " and "), group)
			return
		}
	}
	for _, size := range []struct {
		tag          elf.DynTag
		wide, narrow uint64
	}{{elf.DT_SYMENT, 24, 16}, {elf.DT_RELAENT, 24, 12}, {elf.DT_RELENT, 16, 8}} {
		want := map[int]uint64{64: size.wide, 32: size.narrow}[f.Bits]
		if v, ok := told[size.tag]; ok && v != want {
			wrong("with %v of %d, and not %d", size.tag, v, want)
			return
		}
	}
	for _, table := range []struct {
		tag, size, each elf.DynTag
		typ             elf.SectionType
	}{
		{elf.DT_STRTAB, elf.DT_STRSZ, 0, elf.SHT_STRTAB}, {elf.DT_SYMTAB, 0, 0, elf.SHT_DYNSYM},
		{elf.DT_RELA, elf.DT_RELASZ, elf.DT_RELAENT, elf.SHT_RELA}, {elf.DT_REL, elf.DT_RELSZ, elf.DT_RELENT, elf.SHT_REL},
		{elf.DT_HASH, 0, 0, elf.SHT_HASH}, {elf.DT_GNU_HASH, 0, 0, elf.SHT_GNU_HASH},
		{elf.DT_JMPREL, elf.DT_PLTRELSZ, 0, 0}, {elf.DT_PLTGOT, 0, 0, 0}, {elf.DT_VERSYM, 0, 0, 0}, {elf.DT_VERNEED, 0, 0, 0},
	} {
		at, ok := told[table.tag]
		size, sized := told[table.size]
		if at == 0 && size == 0 && table.tag != elf.DT_STRTAB && sized {
			continue // there is none
		}
		if ok && (!elfTable(file, table.typ, at, size, sized && table.size != 0) || size%max(told[table.each], 1) != 0 || sized && table.tag == elf.DT_STRTAB && size == 0) {
			wrong("with %v of %d bytes at address %#x, where no such section is", table.tag, size, at)
			return
		}
	}
}

// elfTable reports whether a table is where sections are: it starts with one of a
// type, if the type is known, and ends with one, if the size is known. Without
// sections any address in a segment will do.
func elfTable(file *elf.File, typ elf.SectionType, at, size uint64, sized bool) bool {
	if len(file.Sections) == 0 {
		return slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool {
			return p.Type == elf.PT_LOAD && at >= p.Vaddr && at-p.Vaddr <= p.Filesz && size <= p.Filesz-(at-p.Vaddr)
		})
	}
	starts, ends := false, !sized
	for _, sec := range file.Sections {
		if sec.Flags&(elf.SHF_ALLOC|elf.SHF_TLS) != elf.SHF_ALLOC {
			continue
		}
		starts = starts || sec.Addr == at && (typ == 0 || sec.Type == typ)
		ends = ends || sec.Addr+sec.Size == at+size && at+size >= at
	}
	return starts && ends
}
