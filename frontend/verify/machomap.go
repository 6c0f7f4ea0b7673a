package verify

import (
	"debug/macho"
	"fmt"
	"slices"
)

// layout reports whether the segments are there that the kernel and the loader
// look for. Of 64-bit ARM the first 4 GiB are nothing.
func (c *machoCommands) layout(file *macho.File) bool {
	if file.Segment("__LINKEDIT") == nil || file.Segment("__TEXT") == nil {
		return false
	}
	least := uint64(4096)
	if c.facts.Machine == machineAArch64 {
		least = 4 << 30
	}
	return c.facts.Bits == 32 || slices.ContainsFunc(file.Loads, func(load macho.Load) bool {
		l, ok := load.(*macho.Segment)
		return ok && l.Addr == 0 && l.Memsz >= least && l.Filesz == 0 && l.Prot == 0
	})
}

// segment checks one segment that is mapped, behind those that end at an address
// and a byte of the file.
func (c *machoCommands) segment(l *macho.Segment, end, next uint64) bool {
	f := c.facts
	if l.Filesz > 0 && !f.inside(c.source, "segment "+l.Name, l.Offset, l.Filesz) {
		return false
	}
	page := uint64(4096)
	if f.Machine == machineAArch64 {
		page = 16 << 10
	}
	const executes, writes, known = 4, 2, 0x15 // flags of segments that are nothing but read
	switch {
	case f.Kind == KindObject, l.Memsz == 0 && l.Prot == 0: // not mapped: the second is for debuggers
		return true
	case l.Addr < end, l.Addr > 1<<63, l.Memsz > 1<<47, l.Filesz > l.Memsz, l.Addr%page != 0, l.Filesz > 0 && (l.Offset%page != 0 || l.Offset < next),
		l.Prot > 7, l.Maxprot > 7, l.Prot&^l.Maxprot != 0, l.Prot&(executes|writes) == executes|writes, l.Flag&^known != 0,
		l.Filesz > 0 && l.Prot&1 == 0, l.Name == "__DATA" && l.Prot&2 == 0:
		f.damage(Problem{
			Found:  fmt.Sprintf("segment %s of %d bytes (%d in the file) at address %#x and byte %#x, with rights %#x of %#x", l.Name, l.Memsz, l.Filesz, l.Addr, l.Offset, l.Prot, l.Maxprot),
			Effect: effectMachO, Help: helpDamaged,
		})
		return false
	}
	return true
}

// machoCovered reports whether the segment of a section holds it.
func machoCovered(file *macho.File, sec *macho.Section) bool {
	if sec.Size == 0 || sec.Seg == "__DWARF" { // which is not mapped
		return true
	}
	for _, load := range file.Loads {
		l, ok := load.(*macho.Segment)
		if !ok || sec.Addr < l.Addr || sec.Size > l.Memsz || sec.Addr-l.Addr > l.Memsz-sec.Size {
			continue
		}
		const zeros = 1
		return sec.Flags&0xff == zeros ||
			uint64(sec.Offset)-l.Offset == sec.Addr-l.Addr && sec.Addr-l.Addr+sec.Size <= l.Filesz
	}
	return false
}

// machoRun reports whether a section with functions that are called before main
// has the name that compilers give it.
func machoRun(sec *macho.Section) bool {
	name, is := map[uint32]string{0x9: "__mod_init_func", 0xa: "__mod_term_func", 0x16: "__init_offsets"}[sec.Flags&0xff]
	return !is || sec.Name == name
}
