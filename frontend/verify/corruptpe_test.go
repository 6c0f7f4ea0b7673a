package verify_test

import "encoding/binary"

// peFields are the fields of a PE file of verifytest: sections of code, of data,
// of imports and of relocations.
func peFields(data []byte) []field {
	l := &layout{order: binary.LittleEndian}
	l.add("magic", 2)
	l.add("DOS header", 58, harmless(notRead, nil))
	at := int(l.order.Uint32(data[l.off:]))
	l.add("lfanew", 4)
	l.off = at
	l.add("signature", 4)
	l.add("machine", 2)
	l.add("sections", 2)
	l.add("time", 4, harmless(byLinker, nil))
	l.add("symbol table", 4, harmless("there are no symbols", nil))
	l.add("symbols", 4)
	l.add("size of the optional header", 2)
	wide := l.order.Uint16(data[l.off+2:]) == 0x20b
	must := uint64(0x2) // it is a program
	if wide {
		must |= 0x20 // which may use all addresses
	}
	l.add("characteristics", 2, harmless("notes for debuggers, and for old systems", func(_, now uint64) bool {
		const other = 0x7000 // libraries, systems and single processors
		return now&(must|other) == must
	}))
	l.peOptional(wide)
	l.peSection("code ", 0x60000000, true)
	l.peSection("data ", 0xc0000040, false)
	l.peSection("imports ", 0x40000000, true)
	l.peHeader("relocations ", nil, harmless("it is read before the program starts", nil))
	return l.fields
}

// peOptional adds the optional header.
func (l *layout) peOptional(wide bool) {
	l.add("optional magic", 2)
	l.add("linker and sizes", 14, harmless(byLinker, nil))
	l.add("entry", 4, unseen(inCode, within(0x1000, 0x1200)))
	l.add("base of code", 4, harmless(byLinker, nil))
	word := 8
	if !wide {
		word = 4
		l.add("base of data", 4, harmless(byLinker, nil))
	}
	l.add("image base", word)
	l.add("section alignment", 4)
	l.add("file alignment", 4)
	l.add("system and image version", 8, harmless(byLinker, nil))
	l.add("subsystem version", 4, harmless("Windows 10 takes all up to its own", func(_, now uint64) bool {
		major, minor := now&0xffff, now>>16
		return major >= 3 && major < 10 || major == 10 && minor == 0
	}))
	l.add("version to tell", 4, harmless("the go runtime does not ask for it", nil))
	l.add("size of the image", 4)
	l.add("size of the headers", 4)
	l.add("checksum", 4, harmless("only drivers have one", nil))
	l.add("subsystem", 2, harmless("with or without a console", oneOf(2)))
	l.add("DLL characteristics", 2, harmless(tuning, func(_, now uint64) bool {
		const other = 0x309f // signed files, containers and drivers
		return now&other == 0
	}))
	for _, name := range []string{"stack", "stack at once", "heap", "heap at once"} {
		l.add(name, word, harmless(tuning, within(0, 1<<30+1)))
	}
	l.add("loader flags", 4, harmless(notRead, nil))
	l.add("directories", 4)
	l.add("exports", 8)
	l.add("imports", 4)
	l.add("size of the imports", 4, harmless("the list of them has an end", nil))
	l.add("other directories", 3*8)
	l.add("relocations", 8)
	l.add("other directories", 10*8)
}

// peSection adds a section header. The section needs some rights and flags, and
// may be without a size in memory if nothing else says it.
func (l *layout) peSection(name string, needs uint64, maybeZero bool) {
	memory := harmless(moreZero+", and 0 stands for what the file has", func(was, now uint64) bool {
		return now > was || maybeZero && now == 0
	})
	rights := harmless(moreRead, func(_, now uint64) bool { return now&needs == needs })
	l.peHeader(name, []change{memory}, rights)
}

// peHeader adds a section header.
func (l *layout) peHeader(name string, memory []change, rights change) {
	l.add(name+"name", 8, harmless(notRead, nil))
	l.add(name+"memory", 4, memory...)
	l.add(name+"address", 4)
	l.add(name+"size", 4)
	l.add(name+"offset", 4)
	l.add(name+"relocations", 12, harmless(notRead, nil))
	l.add(name+"rights", 4, rights)
}
