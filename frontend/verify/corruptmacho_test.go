package verify_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// machoFields are the fields of a Mach-O file of verifytest.
func machoFields(data []byte) []field {
	l := &layout{order: binary.LittleEndian}
	l.add("magic", 4)
	arm := data[l.off] == 0xc
	l.add("processor", 4)
	if arm {
		l.add("model", 4, harmless("the same to all systems", oneOf(1, 0x80000000)))
	} else {
		l.add("model", 4, harmless("the same to all systems", oneOf(0x80000003)))
	}
	l.add("type", 4)
	n := int(l.order.Uint32(data[l.off:]))
	l.add("commands", 4)
	l.add("size of the commands", 4)
	const anywhere = 0x200000 // which 64-bit ARM wants
	l.add("flags", 4, unseen("some are for the loader, which takes programs of many linkers", func(_, now uint64) bool { return !arm || now&anywhere != 0 }))
	l.add("reserved", 4)
	for i := range n {
		name := fmt.Sprintf("command %d ", i)
		cmd, end := l.order.Uint32(data[l.off:]), l.off+int(l.order.Uint32(data[l.off+4:]))
		switch cmd {
		case 0x19:
			l.machoSegment(string(bytes.TrimRight(data[l.off+8:l.off+24], "\x00")), end)
		case 0x80000028:
			l.add(name+"kind", 4)
			l.add(name+"size", 4)
			l.add(name+"entry", 8, unseen(inCode, within(32, 0x4000)))
			l.add(name+"stack", 8, harmless(tuning, within(0, 1<<30+1)))
		case 0xe, 0xc:
			l.machoName(name, data, end)
		case 0x1d:
			l.machoSignature(arm)
		case 0x32:
			l.machoCommand(name, harmless("old programs do not say for which system they are", nil))
			l.add(name+"platform", 4)
			l.add(name+"releases", 8, unseen("systems differ in their releases", nil))
			l.add(name+"tools", 4)
		case 0x80000022:
			l.machoCommand(name, harmless("all loaders know it", oneOf(0x22)))
			for _, list := range []string{"rebase ", "bind "} {
				l.add(name+list+"offset", 4)
				l.add(name+list+"size", 4)
			}
			l.machoEmpty(name, "weak", "lazy", "exports")
		case 0x2:
			l.machoCommand(name)
			for _, field := range []string{"offset", "symbols", "names"} {
				l.add(name+field, 4)
			}
			l.add(name+"size of names", 4)
		case 0xb:
			l.machoCommand(name)
			l.machoEmpty(name, "local", "defined")
			l.add(name+"first undefined", 4)
			l.add(name+"undefined", 4)
			l.machoEmpty(name, "contents", "modules", "references", "indirect", "external", "relocations")
		}
	}
	return l.fields
}

// machoSegment adds a segment and its sections.
func (l *layout) machoSegment(name string, end int) {
	none, last := name == "__PAGEZERO", name == "__LINKEDIT"
	when := func(is bool, c change) []change {
		if is {
			return []change{c}
		}
		return nil
	}
	l.add(name+" kind", 4)
	l.add(name+" size", 4)
	used := len(name) + 1
	l.add(name+" name", used, when(name == "__DATA", harmless("nobody looks for a segment of that name", nil))...)
	l.add(name+" name's padding", 16-used, harmless(notRead, nil))
	l.add(name+" address", 8, when(last, harmless("it is found by its address", larger))...)
	l.add(name+" memory", 8, when(last, harmless(moreZero, larger))...)
	l.add(name+" offset", 8, when(none, harmless("it has nothing in the file", nil))...)
	l.add(name+" file", 8)
	l.add(name+" rights", 8, harmless(moreRead, func(was, now uint64) bool {
		most, first := now&0xffffffff, now>>32
		return most <= 7 && first&^most == 0 && keeps(was>>32, first)
	}))
	l.add(name+" sections", 8, harmless(notRead, nil))
	if l.off < end {
		l.add(name+" section headers", end-l.off, harmless(notRead, nil))
	}
}

// machoName adds a command with a name: that of the loader, or a library, of
// which the versions stand before it.
func (l *layout) machoName(name string, data []byte, end int) {
	at := l.off + int(l.order.Uint32(data[l.off+8:]))
	text := at + bytes.IndexByte(data[at:], 0) + 1
	l.add(name+"kind", 4)
	l.add(name+"size", 4)
	l.add(name+"offset", 4)
	if l.off < at {
		l.add(name+"versions", at-l.off, unseen("systems differ in the versions that they have", nil))
	}
	l.add(name+"name", text-at)
	if l.off < end {
		l.add(name+"padding", end-l.off, harmless(notRead, nil))
	}
}

// machoSignature adds the signature, which Intel can do without.
func (l *layout) machoSignature(arm bool) {
	var may []change
	if !arm {
		may = append(may, harmless("Intel takes programs without a signature", nil))
	}
	l.add("signature kind", 4, may...)
	l.add("signature size", 4)
	l.add("signature offset", 4)
	l.add("signature bytes", 4)
}

// wasmFields are the header of a WebAssembly module, and those of its sections.
func wasmFields(data []byte) []field {
	l := &layout{order: binary.LittleEndian}
	l.add("magic", 4)
	l.add("version", 4)
	for l.off < len(data) {
		name := fmt.Sprintf("section %d ", data[l.off])
		size, n := binary.Uvarint(data[l.off+1:])
		end := l.off + 1 + n + int(size)
		l.add(name+"id", 1)
		for i := range n { // a byte each: it is no number of the others' kind
			l.add(fmt.Sprintf("%ssize %d", name, i), 1)
		}
		l.off = end
	}
	return l.fields
}

// machoCommand adds the kind and the size of a command.
func (l *layout) machoCommand(name string, may ...change) {
	l.add(name+"kind", 4, may...)
	l.add(name+"size", 4)
}

// machoEmpty adds tables without entries: where each would be, and how many it has.
func (l *layout) machoEmpty(name string, tables ...string) {
	for _, table := range tables {
		l.add(name+table+" offset", 4, harmless("it has no entries", nil))
		l.add(name+table+" entries", 4)
	}
}
