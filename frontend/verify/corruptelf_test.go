package verify_test

import (
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// elfFields are the fields of an ELF file of verifytest: a segment of code, one
// of data, and one that says that the stack is not executed.
func elfFields(data []byte) []field {
	l := &layout{order: binary.LittleEndian}
	if data[elf.EI_DATA] == byte(elf.ELFDATA2MSB) {
		l.order = binary.BigEndian
	}
	wide, is64 := 4, data[elf.EI_CLASS] == byte(elf.ELFCLASS64)
	if is64 {
		wide = 8
	}
	machine := elf.Machine(l.order.Uint16(data[18:]))
	for _, name := range []string{"magic 0", "magic 1", "magic 2", "magic 3", "class", "data", "ident version", "system"} {
		l.add(name, 1)
	}
	var version []change
	if machine == elf.EM_MIPS {
		version = []change{harmless(notRead, nil)}
	}
	l.add("ABI version", 1, version...)
	l.add("padding", 7)
	l.add("type", 2)
	l.add("machine", 2)
	l.add("version", 4)
	l.add("entry", wide, unseen(inCode, within(0x401000, 0x401040))) // .text
	l.add("phoff", wide)
	shoff := int(l.order.Uint32(data[l.off:]))
	if is64 {
		shoff = int(l.order.Uint64(data[l.off:]))
	}
	l.add("shoff", wide)
	l.add("flags", 4, elfFlags(machine, is64)...)
	l.add("ehsize", 2)
	l.add("phentsize", 2)
	l.add("phnum", 2, harmless("the last segment starts nothing, and behind it are zeros", func(was, now uint64) bool { return now >= was-1 }))
	l.add("shentsize", 2)
	shnum := int(l.order.Uint16(data[l.off:]))
	l.add("shnum", 2)
	l.add("shstrndx", 2)
	l.elfLoad("code ", is64, wide)
	l.elfLoad("data ", is64, wide)
	l.elfStack(is64, wide)
	l.off = shoff
	l.add("sections", shnum*map[bool]int{true: 64, false: 40}[is64], harmless(notRead, nil))
	return l.fields
}

// elfFlags are the flags that may change.
func elfFlags(machine elf.Machine, is64 bool) []change {
	switch {
	case machine == elf.EM_ARM:
		return []change{harmless(noABI, oneOf(0x5000000, 0x5000202, 0x5000402))}
	case machine == elf.EM_MIPS && is64:
		return []change{
			harmless(noABI, oneOf(0x20000000, 0x20000005, 0x20000006)),
			unseen(otherCPU, oneOf(0x20000204, 0x20000404, 0x30000004, 0x60000004, 0xa0000004)),
		}
	case machine == elf.EM_MIPS:
		return []change{
			harmless(noABI, oneOf(0x50001000, 0x50001005, 0x50001006)),
			unseen(otherCPU, oneOf(0x50001204, 0x50001404, 0x70001004)),
		}
	case machine == elf.EM_PPC64:
		return []change{harmless(noABI, zero)}
	case machine == elf.EM_RISCV:
		return []change{unseen(otherCPU, oneOf(0x5, 0x14))}
	case machine == elf.EM_S390:
		return []change{harmless(noABI, zero)}
	case machine == elf.EM_LOONGARCH:
		return []change{harmless(noABI, oneOf(0x3))}
	}
	return nil
}

// elfLoad adds the program header of a segment that is mapped.
func (l *layout) elfLoad(name string, is64 bool, wide int) {
	// What is written is not executed, and the other way round.
	rights := func() { l.add(name+"rights", 4) }
	var memory []change
	if name == "data " {
		memory = append(memory, harmless(moreZero, larger))
	}
	l.add(name+"type", 4)
	if is64 {
		rights()
	}
	l.add(name+"off", wide)
	l.add(name+"vaddr", wide)
	l.add(name+"paddr", wide, harmless(notRead, nil))
	l.add(name+"filesz", wide)
	l.add(name+"memsz", wide, memory...)
	if !is64 {
		rights()
	}
	l.add(name+"align", wide, harmless("without one, each address will do", zero))
}

// elfStack adds the program header that is about the stack.
func (l *layout) elfStack(is64 bool, wide int) {
	const runs = "the stack can be executed, or cannot: no Go program does"
	l.add("stack type", 4, harmless(runs, nil))
	if is64 {
		l.add("stack rights", 4, harmless(runs, nil))
	}
	for _, name := range []string{"off", "vaddr", "paddr", "filesz", "memsz"} {
		l.add("stack "+name, wide, harmless(notRead, nil))
	}
	if !is64 {
		l.add("stack rights", 4, harmless(runs, nil))
	}
	l.add("stack align", wide, harmless(notRead, nil))
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
		{"no right to read", 0, uint64(elf.PT_LOAD) | 2<<32, "with the rights 0x2"},
		{"no rights", 0, uint64(elf.PT_LOAD), "with zeros that nothing can write"},
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
