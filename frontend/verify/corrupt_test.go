package verify_test

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// field is a field of a header or of a table.
type field struct {
	name      string
	off, size int
	// unseen says why some changes of the field may pass. Empty: none may.
	unseen string
}

// TestCorrupt flips each bit of each header field, and sets each byte to 0 and
// 255: either that is a problem, or the field says why it need not be one.
func TestCorrupt(t *testing.T) {
	for _, tt := range []struct {
		port   string
		fields func([]byte) []field
	}{
		{"linux/amd64", elfFields},
		{"linux/arm", elfFields},
		{"linux/mips", elfFields},
		{"linux/riscv64", elfFields},
		{"linux/s390x", elfFields},
		{"freebsd/amd64", elfFields},
		{"windows/386", peFields},
		{"windows/amd64", peFields},
		{"darwin/amd64", machoFields},
		{"darwin/arm64", machoFields},
		{"js/wasm", wasmFields},
		{"wasip1/wasm", wasmFields},
	} {
		t.Run(tt.port, func(t *testing.T) {
			t.Parallel()
			p := port(t, tt.port)
			data := verifytest.Default(p).Bytes()
			corrupt(t, data, tt.fields(data), promiseOf(p))
		})
	}
}

// corrupt changes the fields of a file one bit or byte at a time.
func corrupt(t *testing.T, data []byte, fields []field, want verify.Promise) {
	t.Helper()
	passed := map[string]bool{} // reasons that were needed
	for _, f := range fields {
		for at := f.off; at < f.off+f.size; at++ {
			for _, v := range values(data[at]) {
				changed := slices.Clone(data)
				changed[at] = v
				if len(verify.Judge(read(t, changed), want)) > 0 {
					continue
				}
				if passed[f.unseen] = true; f.unseen == "" {
					t.Errorf("%s: byte %d changed from %#02x to %#02x: got nothing, want a problem", f.name, at-f.off, data[at], v)
				}
			}
		}
	}
}

// values are other values of a byte: each bit flipped, none and all set.
func values(b byte) []byte {
	all := []byte{0, 0xff}
	for i := range 8 {
		all = append(all, b^1<<i)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(v byte) bool { return v == b })
}

// Why a field may change unseen.
const (
	notRead  = "nothing reads it when a program starts"
	inCode   = "any address of the code may be an entry point"
	moreZero = "a larger one only adds zeros"
	noABI    = "systems do not look at the bit, and a static program has no library that could differ"
	moreRead = "rights that a program does not need"
	byLinker = "linkers note what they like"
	tuning   = "it tunes the process, and starts it all the same"
)

// fields lays out fields one after the other: name and size, or a pad without a
// name.
type layout struct {
	fields []field
	off    int
}

// add adds a field. A reason may follow.
func (l *layout) add(name string, size int, unseen ...string) {
	f := field{name: name, off: l.off, size: size}
	if len(unseen) > 0 {
		f.unseen = unseen[0]
	}
	l.fields, l.off = append(l.fields, f), l.off+size
}

// elfFields are the fields of an ELF file of verifytest.
func elfFields(data []byte) []field {
	wide, is64 := 4, data[elf.EI_CLASS] == byte(elf.ELFCLASS64)
	if is64 {
		wide = 8
	}
	l := &layout{}
	for _, name := range []string{"magic 0", "magic 1", "magic 2", "magic 3", "class", "data", "ident version", "system"} {
		l.add(name, 1)
	}
	machine := elf.Machine(order(data).Uint16(data[18:]))
	unseen := map[elf.Machine]string{elf.EM_ARM: noABI, elf.EM_MIPS: noABI, elf.EM_RISCV: noABI, elf.EM_S390: noABI}[machine]
	l.add("ABI version", 1, map[bool]string{true: notRead}[machine == elf.EM_MIPS])
	l.add("padding", 7)
	l.add("type", 2)
	l.add("machine", 2)
	l.add("version", 4)
	l.add("entry", wide, inCode)
	l.add("phoff", wide)
	l.add("shoff", wide)
	l.add("flags", 4, unseen)
	for _, name := range []string{"ehsize", "phentsize", "phnum", "shentsize", "shnum"} {
		// A stack that is executable, and the last section, are missed by nobody.
		l.add(name, 2, map[string]string{"phnum": notRead}[name])
	}
	l.add("shstrndx", 2)
	phnum, shnum := 3, int(order(data).Uint16(data[l.off-4:]))
	for i := range phnum {
		load, name := i < 2, fmt.Sprintf("segment %d ", i)
		why := func(load bool, reason string) string {
			if load {
				return reason
			}
			return notRead
		}
		isLoad := why(load, "")
		l.add(name+"type", 4, isLoad)
		if is64 {
			l.add(name+"flags", 4, why(load, moreRead))
		}
		l.add(name+"off", wide, isLoad)
		l.add(name+"vaddr", wide, isLoad)
		l.add(name+"paddr", wide, notRead)
		l.add(name+"filesz", wide, why(load, moreZero))
		l.add(name+"memsz", wide, why(load, moreZero))
		if !is64 {
			l.add(name+"flags", 4, why(load, moreRead))
		}
		l.add(name+"align", wide, why(load, "a smaller one holds as well"))
	}
	at := int(order(data).Uint32(data[32+4*map[bool]int{true: 2 + 1}[is64 && data[elf.EI_DATA] == 2]:]))
	if is64 {
		at = int(order(data).Uint64(data[40:]))
	}
	return append(l.fields, field{"sections", at, shnum * map[bool]int{true: 64, false: 40}[is64], notRead})
}

func order(data []byte) binary.ByteOrder {
	if data[elf.EI_DATA] == byte(elf.ELFDATA2MSB) {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// peFields are the fields of a PE file of verifytest.
func peFields(data []byte) []field {
	at := int(binary.LittleEndian.Uint32(data[60:]))
	l := &layout{}
	l.add("magic", 2)
	l.add("DOS header", 58, notRead)
	l.add("lfanew", 4)
	l.off = at
	l.add("signature", 4)
	l.add("machine", 2)
	l.add("sections", 2)
	l.add("time", 4, byLinker)
	l.add("symbol table", 4, "without symbols nothing is there")
	l.add("symbols", 4)
	l.add("size of the optional header", 2)
	l.add("characteristics", 2, tuning)
	wide := data[l.off+1] == 2
	word := 4
	l.add("optional magic", 2)
	l.add("linker and sizes", 14, byLinker)
	l.add("entry", 4, inCode)
	l.add("base of code", 4, byLinker)
	if wide {
		word = 8
	} else {
		l.add("base of data", 4, byLinker)
	}
	l.add("image base", word, "any other will do")
	l.add("section alignment", 4, "a larger one holds as well")
	l.add("file alignment", 4, "a smaller one holds as well")
	l.add("system and image version", 8, byLinker)
	l.add("subsystem version", 4, "an older one will do")
	l.add("reserved", 4, notRead)
	l.add("size of the image", 4)
	l.add("size of the headers", 4, "a larger one within the page adds zeros")
	l.add("checksum", 4, "only drivers have one")
	l.add("subsystem", 2, "with or without a console")
	l.add("DLL characteristics", 2, tuning)
	l.add("stack and heap", 4*word, tuning)
	l.add("loader flags", 4, notRead)
	l.add("directories", 4)
	l.add("exports", 8, "nobody links to a program")
	l.add("imports", 4)
	l.add("size of the imports", 4, notRead)
	l.add("other directories", 14*8, "not used by Go, and empty")
	for i := range 3 {
		name := fmt.Sprintf("section %d ", i)
		l.add(name+"name", 8, notRead)
		l.add(name+"memory", 4, moreZero)
		l.add(name+"address", 4)
		l.add(name+"size", 4, "a part that is not needed may be missing")
		l.add(name+"offset", 4, "what the section holds is not looked at")
		l.add(name+"relocations", 12, notRead)
		l.add(name+"rights", 4, "what is written to is not known")
	}
	return l.fields
}

// machoFields are the fields of a Mach-O file of verifytest.
func machoFields(data []byte) []field {
	l := &layout{}
	for _, name := range []string{"magic", "processor"} {
		l.add(name, 4)
	}
	l.add("model", 4, "a feature of the processor, or another model of 64-bit ARM")
	for _, name := range []string{"type", "commands", "size of the commands"} {
		l.add(name, 4)
	}
	l.add("flags", 4, tuning)
	l.add("reserved", 4)
	n := int(binary.LittleEndian.Uint32(data[16:]))
	for i := range n {
		cmd, size := binary.LittleEndian.Uint32(data[l.off:]), int(binary.LittleEndian.Uint32(data[l.off+4:]))
		name := fmt.Sprintf("command %d ", i)
		l.add(name+"kind", 4, "a command that is not known is passed over")
		l.add(name+"size", 4)
		end := l.off - 8 + size
		switch cmd {
		case 0x19:
			l.add(name+"name", 16, notRead)
			l.add(name+"address", 8, "the first and the last segment hold nothing that is looked at")
			l.add(name+"memory", 8, moreZero)
			l.add(name+"offset", 8, "the first and the last segment hold nothing that is looked at")
			l.add(name+"file", 8, "the last segment may lack what is not looked at")
			l.add(name+"rights", 8, moreRead)
			l.add(name+"sections", 8, notRead)
		case 0x80000028:
			l.add(name+"entry", 8, inCode)
		}
		l.add(name+"rest", end-l.off, notRead)
	}
	return l.fields
}

// wasmFields are the header of a WebAssembly module, and those of its sections.
func wasmFields(data []byte) []field {
	l := &layout{}
	l.add("magic", 4)
	l.add("version", 4)
	for l.off < len(data) {
		name := fmt.Sprintf("section %d ", data[l.off])
		custom := map[bool]string{true: "a section of tools, which runtimes pass over"}[data[l.off] == 0]
		size, n := binary.Uvarint(data[l.off+1:])
		end := l.off + 1 + n + int(size)
		l.add(name+"id", 1, "a known section may become one of tools: runtimes check that what is used is there")
		l.add(name+"size", n, custom)
		l.off = end
	}
	return l.fields
}

// TestSegments changes what is mapped of a file that has no sections to compare
// it with, as one that sstrip has made.
func TestSegments(t *testing.T) {
	p := port(t, "linux/amd64")
	for _, tt := range []struct {
		name  string
		off   int // in the second program header
		value uint64
		want  string
	}{
		{"as it is", 0, uint64(elf.PT_LOAD) | 6<<32, ""},
		{"overlap", 16, 0x400000, "that overlaps the one before it"},
		{"alignment", 16, 0x402010, "which does not fit its address and the alignment 0x1000"},
		{"no alignment", 48, 0x1001, "which is no power of two"},
		{"more in the file", 40, 1, "with more bytes in the file than in memory"},
		{"nowhere", 16, 1 << 47, "outside of the address space"},
		{"no rights", 0, uint64(elf.PT_LOAD), "with the rights 0x0"},
		{"behind the end", 32, 1 << 20, "expected all of it in the file"},
	} {
		data := verifytest.Default(p).Bytes()
		clear(data[40:48]) // the section table
		clear(data[58:64])
		binary.LittleEndian.PutUint64(data[64+56+tt.off:], tt.value)
		var got []string
		for _, problem := range read(t, data).Damage {
			got = append(got, problem.String())
		}
		if text := strings.Join(got, "\n"); (text == "") != (tt.want == "") || !strings.Contains(text, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, text, tt.want)
		}
	}
}
