package verify

import (
	"debug/elf"
	"fmt"
	"math/bits"
	"slices"
)

// elfSegments checks what the kernel maps.
func (f *Facts) elfSegments(s *source, h *elfHeader, file *elf.File) {
	var end uint64
	loads := 0
	for i, p := range file.Progs {
		what := fmt.Sprintf("segment %d", i)
		if p.Filesz > 0 && !f.inside(s, what, p.Off, p.Filesz) {
			return
		}
		switch p.Type {
		case elf.PT_PHDR:
			f.odd("size of the program headers in "+what, p.Filesz, uint64(h.phnum)*uint64(h.phentsize))
		case elf.PT_LOAD:
			loads++
			if !f.elfLoad(what, &p.ProgHeader, end) {
				return
			}
			end = p.Vaddr + p.Memsz
		}
	}
	f.elfPlaces(h, file)
	f.elfMemory(file)
	if loads == 0 && h.typ != elf.ET_REL {
		f.damage(Problem{Found: "no segment that is loaded", Effect: effectFormat, Help: helpDamaged})
	}
}

// elfLoad checks one segment that is mapped, behind those that end at an address.
func (f *Facts) elfLoad(what string, p *elf.ProgHeader, end uint64) bool {
	limit := uint64(1) << 47
	if f.Bits == 32 {
		limit = 1 << 32
	}
	wrong := ""
	switch {
	case p.Filesz > p.Memsz:
		wrong = "with more bytes in the file than in memory"
	case p.Memsz > limit || p.Vaddr > limit-p.Memsz:
		wrong = "outside of the address space"
	case p.Vaddr < end:
		wrong = "that overlaps the one before it"
	case p.Align > 1 && bits.OnesCount64(p.Align) != 1:
		wrong = fmt.Sprintf("with the alignment %#x, which is no power of two", p.Align)
	case p.Align > 1 && p.Vaddr%p.Align != p.Off%p.Align:
		wrong = fmt.Sprintf("at byte %#x of the file, which does not fit its address and the alignment %#x", p.Off, p.Align)
	case p.Filesz != p.Memsz && p.Flags&elf.PF_W == 0:
		wrong = "with zeros that nothing can write"
	case uint32(p.Flags)&^7 != 0 || p.Flags&elf.PF_R == 0 || p.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X:
		wrong = fmt.Sprintf("with the rights %#x", uint32(p.Flags))
	default:
		return true
	}
	f.damage(Problem{Found: fmt.Sprintf("%s of %d bytes at address %#x %s", what, p.Memsz, p.Vaddr, wrong), Effect: effectCrash, Help: helpDamaged})
	return false
}

// Limits of what a loader is told. Each library is looked for in each directory
// of an image: programs that are linked with hundreds of options name some 70
// libraries, and a handful of directories.
const (
	maxDynamic    = 4096
	maxLibraries  = 256
	maxSearchPath = 64
)

// elfDynamic reads what the loader reads: the segments, and not the sections,
// which a program may lack. It reports whether the file says that it is a
// position-independent program.
func (f *Facts) elfDynamic(s *source, file *elf.File) (pie bool) {
	for _, p := range file.Progs {
		switch p.Type {
		case elf.PT_INTERP:
			loader, ok := s.text(p.Off, p.Filesz)
			if !ok || loader == "" {
				f.damage(Problem{Found: "a loader without a name", Effect: effectMissing, Help: helpDamaged})
				continue
			}
			f.Loader = loader
		case elf.PT_DYNAMIC:
			entries, ok := f.elfEntries(s, p)
			if !ok {
				f.damage(Problem{Found: "a dynamic segment without an end", Effect: effectLoader, Help: helpDamaged})
			}
			f.elfTold(file, entries)
			f.elfLibraries(s, file, entries)
			pie = pie || slices.ContainsFunc(entries, func(e entry) bool { return e.tag == elf.DT_FLAGS_1 && e.value&flagPIE != 0 })
		}
	}
	return pie
}

// flagPIE is DF_1_PIE of the dynamic flags.
const flagPIE = 0x08000000

// entry is one thing that the loader is told.
type entry struct {
	tag   elf.DynTag
	value uint64
}

// elfEntries reads the dynamic segment. The result is false when it has no end, or
// one before its last entries.
func (f *Facts) elfEntries(s *source, p *elf.Prog) (all []entry, ok bool) {
	order, each := f.order(), uint64(f.Bits)/4
	data, ok := s.bytes(p.Off, min(p.Filesz/each, maxDynamic)*each)
	if !ok {
		return nil, false
	}
	ended := false
	for ; len(data) > 0; data = data[each:] {
		e := entry{elf.DynTag(order.Uint32(data)), uint64(order.Uint32(data[4:]))}
		if f.Bits == 64 {
			e = entry{elf.DynTag(order.Uint64(data)), order.Uint64(data[8:])}
		}
		switch {
		case e.tag == elf.DT_NULL: // linkers leave room behind it
			ended = true
		case ended:
			return all, false
		default:
			all = append(all, e)
		}
	}
	return all, ended
}

// elfLibraries takes the libraries and the search path from the entries.
func (f *Facts) elfLibraries(s *source, file *elf.File, entries []entry) {
	var at, size uint64
	for _, e := range entries {
		switch e.tag {
		case elf.DT_STRTAB:
			at = e.value
		case elf.DT_STRSZ:
			size = e.value
		}
	}
	table, known := uint64(0), false
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD && at >= p.Vaddr && at-p.Vaddr < p.Filesz {
			table, known = p.Off+(at-p.Vaddr), true
		}
	}
	text := func(e entry) (string, bool) {
		if !known || e.value >= size {
			return "", false
		}
		return s.text(table+e.value, size-e.value)
	}
	for _, e := range entries {
		if e.tag != elf.DT_NEEDED {
			continue
		}
		name, ok := text(e)
		if !ok {
			f.damage(Problem{Found: "a library without a name", Effect: "cannot open shared object file", Help: helpDamaged})
			return
		}
		if len(f.Libraries) == maxLibraries {
			f.damage(Problem{Found: fmt.Sprintf("more than %d libraries", maxLibraries), Expected: fmt.Sprintf("at most %d", maxLibraries), Help: "link with -Wl,--as-needed"})
			return
		}
		f.Libraries = append(f.Libraries, name)
	}
	if e, ok := searchEntry(entries); ok {
		path, ok := text(e)
		if !ok {
			f.damage(Problem{Found: "a search path without an end in 4096 bytes", Effect: "cannot open shared object file", Help: helpDamaged})
		}
		f.elfSearchPath(path)
	}
}

// searchEntry finds the search path. A loader takes the last of its kind, and
// DT_RPATH only without DT_RUNPATH.
func searchEntry(entries []entry) (found entry, ok bool) {
	for _, e := range entries {
		if e.tag == elf.DT_RUNPATH || e.tag == elf.DT_RPATH && found.tag != elf.DT_RUNPATH {
			found, ok = e, true
		}
	}
	return found, ok
}

// elfSearchPath takes the directories of a search path, each once.
func (f *Facts) elfSearchPath(path string) {
	for _, dir := range splitPath(path) {
		if slices.Contains(f.SearchPath, dir) {
			continue
		}
		if len(f.SearchPath) == maxSearchPath {
			f.damage(Problem{Found: fmt.Sprintf("a search path of more than %d directories", maxSearchPath), Expected: fmt.Sprintf("at most %d", maxSearchPath), Help: "link with fewer -rpath options"})
			return
		}
		f.SearchPath = append(f.SearchPath, dir)
	}
}
