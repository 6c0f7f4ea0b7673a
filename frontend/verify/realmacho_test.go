package verify_test

import (
	"bytes"
	"crypto/sha256"
	"debug/macho"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gopherfile/gopherfile/frontend/verify"
)

// Who says what of Mach-O.
const (
	formatMachO = "cctools, include/mach-o/loader.h"
	kernelMachO = "xnu, bsd/kern/mach_loader.c"
	loaderMachO = "dyld, common/MachOFile.cpp and MachOLoaded.cpp"
)

// machoExceptions are the fields of Mach-O files that may be wrong.
func machoExceptions() []exception {
	const format = verify.FormatMachO
	larger := func(_ *realField, was, now uint64) bool { return now > was }
	return []exception{
		{format, []string{"cpusubtype"}, nil, true, "", "the same to all systems", kernelMachO},
		{format, []string{"flags"}, nil, true, "", "not seen: some are for the loader, which takes programs of many linkers", loaderMachO},
		{format, []string{"__PAGEZERO fileoff"}, nil, true, "", "it has nothing in the file", kernelMachO},
		{format, []string{"__PAGEZERO segname", "__DATA segname", "__DATA_CONST segname"}, nil, true, "", "nobody looks for a segment of that name", loaderMachO},
		{format, []string{"__TEXT segname", "__LINKEDIT segname"}, nil, true, "behind the name", "the name ends with a zero", kernelMachO},
		{format, []string{"__* maxprot"}, nil, true, "more than at first", "rights that a program does not need", kernelMachO},
		{format, []string{"__[TDLP]* flags"}, nil, true, "", "it is about fixed libraries and relocations, of which there are none", formatMachO},
		{format, []string{"__PAGEZERO vmsize"}, smaller, true, "less, but the least that systems want", "it only keeps addresses from being used", kernelMachO},
		{format, []string{"__DATA filesize", "__TEXT filesize"}, nil, true, "in the same pages", "pages are mapped as a whole, and what is in no section is zeros", kernelMachO},
		{format, []string{"LC_DYLD_INFO_ONLY cmd"}, func(_ *realField, _, now uint64) bool { return now == 0x22 }, false, "the one that need not be known", "all loaders know it", loaderMachO},
		{format, []string{"LC_DYLD_INFO_ONLY *_size", "LC_SYMTAB strsize"}, smaller, true, "less padding", "the list ends before", loaderMachO},
		{format, []string{"__LINKEDIT vmaddr", "__LINKEDIT vmsize", "__DATA vmsize", "__DATA_CONST vmsize"}, larger, true, "larger", "it is found by its address, and a larger one adds zeros", kernelMachO},
		{format, []string{"__* segname", "__* sectname", "__* align", "__* reloff", "__* nreloc", "__* reserved?", "__* flags", "__* size", "__* addr", "__* offset"}, nil, true, "", "sections are for tools, but for those with pointers to symbols and with functions to call", loaderMachO},
		{format, []string{"LC_BUILD_VERSION minos", "LC_BUILD_VERSION sdk", "LC_LOAD_DYLIB *version"}, nil, true, "", "not seen: systems differ in the versions that they have", loaderMachO},
		{format, []string{"LC_LOAD_DYLIB timestamp"}, nil, false, "", "nothing reads it", loaderMachO},
		{format, []string{"LC_BUILD_VERSION cmd", "LC_UUID cmd"}, nil, true, "without the bit that it must be known", "not seen: programs before Go 1.24 have no LC_UUID, older ones no LC_BUILD_VERSION, and only some systems want them", loaderMachO},
		{format, []string{"LC_UUID rest"}, nil, false, "", "any number will do", loaderMachO},
		{format, []string{"LC_LOAD_* rest"}, nil, false, "", "it stands behind the name", loaderMachO},
		{format, []string{"LC_MAIN stacksize"}, nil, true, "up to 1 GiB", "it tunes the process, and starts it all the same", kernelMachO},
		{format, []string{"LC_MAIN entryoff", "LC_UNIXTHREAD register"}, nil, true, "another address of the code, or a register without a meaning", "not seen: no header says which function starts the program; other registers are for it to set", kernelMachO},
		{format, []string{"LC_DYSYMTAB *"}, nil, true, "", "it is about a table without entries", formatMachO},
		{format, []string{"LC_DYLD_INFO_ONLY *_off"}, nil, true, "", "it is about a table without entries", formatMachO},
	}
}

// machoCommands are the names of the load commands, and those of their fields of
// four bytes. What follows is bytes.
func machoCommands() map[uint32][]string {
	return map[uint32][]string{
		0x2:        {"LC_SYMTAB", "symoff", "nsyms", "stroff", "strsize"},
		0x5:        {"LC_UNIXTHREAD", "flavor", "count"},
		0xb:        {"LC_DYSYMTAB", "ilocalsym", "nlocalsym", "iextdefsym", "nextdefsym", "iundefsym", "nundefsym", "tocoff", "ntoc", "modtaboff", "nmodtab", "extrefsymoff", "nextrefsyms", "indirectsymoff", "nindirectsyms", "extreloff", "nextrel", "locreloff", "nlocrel"},
		0xc:        {"LC_LOAD_DYLIB", "name", "timestamp", "current_version", "compatibility_version"},
		0xe:        {"LC_LOAD_DYLINKER", "name"},
		0x1b:       {"LC_UUID"},
		0x1d:       {"LC_CODE_SIGNATURE", "dataoff", "datasize"},
		0x32:       {"LC_BUILD_VERSION", "platform", "minos", "sdk", "ntools"},
		0x80000022: {"LC_DYLD_INFO_ONLY", "rebase_off", "rebase_size", "bind_off", "bind_size", "weak_bind_off", "weak_bind_size", "lazy_bind_off", "lazy_bind_size", "export_off", "export_size"},
		0x80000028: {"LC_MAIN"},
	}
}

// realMachO are the fields of a Mach-O file of 64 bits.
func realMachO(data []byte) []*realField {
	file, err := macho.NewFile(bytes.NewReader(data))
	if err != nil {
		panic(err)
	}
	l := &realFields{data: data, order: binary.LittleEndian}
	l.names(4, "magic", "cputype", "cpusubtype", "filetype", "ncmds", "sizeofcmds", "flags", "reserved")
	text := file.Section("__text")
	for range file.Loads {
		start := l.off
		cmd := uint32(l.add("cmd", 4).word(data))
		end := start + int(l.add("cmdsize", 4).word(data))
		if cmd == uint32(macho.LoadCmdSegment64) {
			l.machoSegment()
			continue
		}
		fields, ok := machoCommands()[cmd]
		if !ok {
			panic(fmt.Sprintf("load command %#x", cmd))
		}
		name := fields[0] + " "
		l.all[len(l.all)-2].name, l.all[len(l.all)-1].name = name+"cmd", name+"cmdsize"
		for _, field := range fields[1:] {
			l.add(name+field, 4)
		}
		switch fields[0] {
		case "LC_MAIN":
			entry := l.add(name+"entryoff", 8)
			entry.low, entry.high = uint64(text.Offset), uint64(text.Offset)+text.Size
			l.add(name+"stacksize", 8)
		case "LC_UNIXTHREAD":
			for range 21 {
				register := l.add(name+"register", 8)
				register.low, register.high = text.Addr, text.Addr+text.Size
			}
		case "LC_LOAD_DYLIB", "LC_LOAD_DYLINKER":
			used := bytes.IndexByte(data[l.off:], 0) + 1
			for range used {
				l.add(name+"text", 1)
			}
		}
		for l.off < end {
			l.add(name+"rest", 1)
		}
	}
	return l.all
}

// machoSegment adds a segment and its sections.
func (l *realFields) machoSegment() {
	name := string(bytes.TrimRight(l.data[l.off:l.off+16], "\x00")) + " "
	l.all[len(l.all)-2].name, l.all[len(l.all)-1].name = name+"cmd", name+"cmdsize"
	l.add(name+"segname", 16)
	l.names(8, name+"vmaddr", name+"vmsize", name+"fileoff", name+"filesize")
	l.names(4, name+"maxprot", name+"initprot")
	n := l.add(name+"nsects", 4).word(l.data)
	l.add(name+"flags", 4)
	for range n {
		name := string(bytes.TrimRight(l.data[l.off:l.off+16], "\x00")) + " "
		l.add(name+"sectname", 16)
		l.add(name+"segname", 16)
		l.names(8, name+"addr", name+"size")
		l.names(4, name+"offset", name+"align", name+"reloff", name+"nreloc", name+"flags", name+"reserved1", name+"reserved2", name+"reserved3")
	}
}

// signMachO makes the signature of a program fit each change of its load commands.
func signMachO(data []byte) func(*changed) {
	all := realMachO(data)
	i := slices.IndexFunc(all, func(f *realField) bool { return f.name == "LC_CODE_SIGNATURE dataoff" })
	if i < 0 {
		return func(*changed) {}
	}
	at := int(all[i].word(data))
	at += int(binary.BigEndian.Uint32(data[at+16:])) // of the code directory
	hashes, page := at+int(binary.BigEndian.Uint32(data[at+16:])), make([]byte, 1<<data[at+39])
	return func(c *changed) {
		if _, err := c.ReadAt(page, 0); err != nil {
			panic(err)
		}
		sum := sha256.Sum256(page)
		c.patches[hashes] = sum[:]
	}
}
