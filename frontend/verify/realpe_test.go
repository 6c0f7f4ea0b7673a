package verify_test

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/verify"
)

// Who says what of PE.
const (
	formatPE = "Microsoft, PE Format"
	kernelPE = "Microsoft, PE Format; ReactOS, ntoskrnl/mm/section.c PeFmtCreateSection"
	loaderPE = "Microsoft, PE Format; ReactOS, dll/ntdll/ldr/ldrpe.c"
)

// peExceptions are the fields of PE files that may be wrong.
func peExceptions() []exception {
	const format = verify.FormatPE
	samePage := func(_ *realField, was, now uint64) bool { return now == 0 || (now-1)/4096 == (was-1)/4096 }
	return []exception{
		{format, []string{"DOS header", "DOS stub"}, nil, false, "", "it is for a system before Windows", formatPE},
		{format, []string{"TimeDateStamp", "MajorLinkerVersion", "MinorLinkerVersion", "SizeOfCode", "SizeOfInitializedData", "SizeOfUninitializedData", "BaseOfCode", "BaseOfData", "M??orImageVersion"}, nil, false, "", "linkers note what they like", formatPE},
		{format, []string{"PointerToSymbolTable"}, nil, true, "in the file", "there are no symbols", formatPE},
		{format, []string{"Characteristics"}, func(_ *realField, was, now uint64) bool { return now&0x7003 == was&0x7003 && now&0x20 >= was&0x20 }, true, "notes for debuggers, and for old systems", "nothing is done with them", kernelPE},
		{format, []string{"AddressOfEntryPoint"}, inCodeOf, false, "another address of the code", "not seen: no header says which function starts the program", kernelPE},
		{format, []string{"ImageBase"}, func(_ *realField, _, now uint64) bool { return now%(64<<10) == 0 }, true, "a multiple of 64 KiB", "not seen when nothing is relocated: the addresses in the code say for which it was linked", kernelPE},
		{format, []string{"MajorOperatingSystemVersion", "MinorOperatingSystemVersion", "MinorSubsystemVersion"}, nil, false, "", "Windows 10 takes them all", kernelPE},
		{format, []string{"MajorSubsystemVersion"}, nil, true, "3 to 10", "Windows 10 takes all up to its own", kernelPE},
		{format, []string{"Win32VersionValue"}, nil, false, "", "it is what GetVersion tells, which the go runtime does not ask", "Go, runtime/os_windows.go"},
		{format, []string{"CheckSum"}, nil, false, "", "only drivers have one", formatPE},
		{format, []string{"Subsystem"}, nil, true, "2", "a program with a console or without", formatPE},
		{format, []string{"DllCharacteristics"}, nil, true, "", "they harden the process, or tell what it can do", formatPE},
		{format, []string{"SizeOfStackReserve", "SizeOfStackCommit", "SizeOfHeapReserve", "SizeOfHeapCommit"}, nil, true, "up to 1 GiB, of the stack from 64 KiB on", "it tunes the process, and starts it all the same", formatPE},
		{format, []string{"LoaderFlags"}, nil, false, "", "nothing reads it", formatPE},
		{format, []string{"Import directory Size"}, nil, true, "", "the list has an end", loaderPE},
		{format, []string{"IAT directory *"}, nil, true, "", "it is there to make the addresses writable, which they are", loaderPE},
		{format, []string{"import OriginalFirstThunk"}, func(_ *realField, _, now uint64) bool { return now == 0 }, true, "none", "the other list has the same", loaderPE},
		{format, []string{"import ForwarderChain"}, func(_ *realField, _, now uint64) bool { return now == 1<<32-1 }, true, "none", "that is another way to say so", loaderPE},
		{format, []string{".* Name"}, nil, true, "", "names of sections are for tools", formatPE},
		{format, []string{".* PointerTo[RL][ei]*", ".* NumberOf*"}, nil, false, "", "they are of object files", formatPE},
		{format, []string{".* VirtualSize"}, samePage, true, "another one with as many pages", "pages are mapped as a whole, and 0 stands for what the file has", kernelPE},
		{format, []string{".symtab SizeOfRawData"}, smaller, true, "less", "a program with symbols has them there, this one has 4 bytes of zeros", formatPE},
		{format, []string{".* Characteristics"}, func(_ *realField, was, now uint64) bool {
			const execute, write, shared = 0x20000000, 0x80000000, 0x10000000
			return now&shared == 0 && now&(execute|write) != execute|write
		}, true, "no data of all processes, and no code that can be written", "the rights that are needed stay, or nothing needs them", kernelPE},
	}
}

// peDirectories are the names of the data directories, in order.
const peDirectories = "Export Import Resource Exception Certificate BaseReloc Debug Architecture GlobalPtr TLS LoadConfig BoundImport IAT DelayImport CLR Reserved"

// realPE are the fields of a PE file.
func realPE(data []byte) []*realField {
	file, err := pe.NewFile(bytes.NewReader(data))
	if err != nil {
		panic(err)
	}
	l := &realFields{data: data, order: binary.LittleEndian}
	l.names(2, "e_magic")
	for l.off < 60 {
		l.add("DOS header", 2)
	}
	at := int(l.add("e_lfanew", 4).word(data))
	l.add("DOS stub", at-l.off)
	l.names(4, "Signature")
	l.names(2, "Machine", "NumberOfSections")
	l.names(4, "TimeDateStamp", "PointerToSymbolTable", "NumberOfSymbols")
	l.names(2, "SizeOfOptionalHeader", "Characteristics")
	l.peOptional(file)
	for _, sec := range file.Sections {
		name := sec.Name + " "
		l.add(name+"Name", 8)
		l.names(4, name+"VirtualSize", name+"VirtualAddress", name+"SizeOfRawData", name+"PointerToRawData", name+"PointerToRelocations", name+"PointerToLinenumbers")
		l.names(2, name+"NumberOfRelocations", name+"NumberOfLinenumbers")
		l.names(4, name+"Characteristics")
	}
	l.peImports(file)
	return l.all
}

// peOptional adds the optional header.
func (l *realFields) peOptional(file *pe.File) {
	wide := 8
	if _, ok := file.OptionalHeader.(*pe.OptionalHeader32); ok {
		wide = 4
	}
	l.names(2, "Magic")
	l.names(1, "MajorLinkerVersion", "MinorLinkerVersion")
	l.names(4, "SizeOfCode", "SizeOfInitializedData", "SizeOfUninitializedData")
	entry, text := l.add("AddressOfEntryPoint", 4), file.Section(".text")
	entry.low, entry.high = uint64(text.VirtualAddress), uint64(text.VirtualAddress+text.VirtualSize)
	l.names(4, "BaseOfCode")
	if wide == 4 {
		l.names(4, "BaseOfData")
	}
	l.names(wide, "ImageBase")
	l.names(4, "SectionAlignment", "FileAlignment")
	l.names(2, "MajorOperatingSystemVersion", "MinorOperatingSystemVersion", "MajorImageVersion", "MinorImageVersion", "MajorSubsystemVersion", "MinorSubsystemVersion")
	l.names(4, "Win32VersionValue", "SizeOfImage", "SizeOfHeaders", "CheckSum")
	l.names(2, "Subsystem", "DllCharacteristics")
	l.names(wide, "SizeOfStackReserve", "SizeOfStackCommit", "SizeOfHeapReserve", "SizeOfHeapCommit")
	l.names(4, "LoaderFlags", "NumberOfRvaAndSizes")
	for _, name := range strings.Fields(peDirectories) {
		l.names(4, name+" directory VirtualAddress", name+" directory Size")
	}
}

// peImports adds the list of libraries, and its end.
func (l *realFields) peImports(file *pe.File) {
	sec := file.Section(".idata")
	for l.off = int(sec.Offset); ; {
		first := l.add("import OriginalFirstThunk", 4)
		l.names(4, "import TimeDateStamp", "import ForwarderChain")
		name := l.add("import Name", 4)
		l.names(4, "import FirstThunk")
		if first.word(l.data) == 0 && name.word(l.data) == 0 {
			return
		}
	}
}
