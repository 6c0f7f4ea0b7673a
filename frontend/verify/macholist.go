package verify

import (
	"bufio"
	"debug/macho"
	"encoding/binary"
	"io"
	"slices"
)

// machoText is the operand of an opcode that is a text.
const machoText = -1

// machoList is how the opcodes of a list of addresses are read: the high half of
// a byte is one, the low half a small operand (cctools, include/mach-o/loader.h,
// REBASE_OPCODE_* and BIND_OPCODE_*).
type machoList struct {
	operands map[byte]int // how many numbers follow
	first    []byte       // with which of them a list starts
	segment  byte         // which of them says where the next addresses are
}

// rebaseList reads the addresses that change when a program is moved.
func rebaseList() machoList {
	return machoList{map[byte]int{0: 0, 1: 0, 2: 1, 3: 1, 4: 0, 5: 0, 6: 1, 7: 1, 8: 2}, []byte{1}, 2}
}

// bindList reads the addresses that are those of symbols of libraries.
func bindList() machoList {
	return machoList{map[byte]int{0: 0, 1: 0, 2: 1, 3: 0, 4: machoText, 5: 0, 6: 1, 7: 1, 8: 1, 9: 0, 10: 1, 11: 0, 12: 2}, []byte{1, 2, 3, 4, 5}, 7}
}

// reaches reports whether a list ends with the opcode that says so, and names
// segments that can be written.
func (l machoList) reaches(s *source, part *machoPart, segments []*macho.Segment) bool {
	r := bufio.NewReaderSize(io.NewSectionReader(s, int64(part.off), int64(part.size)), 64<<10)
	done := part.size == 0
	for start := true; ; start = false {
		b, err := r.ReadByte()
		if err != nil {
			return done
		}
		opcode, small := b>>4, int(b&0xf)
		n, ok := l.operands[opcode]
		if !ok || done && b != 0 || start && !slices.Contains(l.first, opcode) {
			return false
		}
		done = b == 0
		if n == machoText {
			_, err = r.ReadBytes(0)
		}
		number := uint64(0)
		for range n {
			if err == nil {
				number, err = binary.ReadUvarint(r)
			}
		}
		const write = 2
		if err != nil || opcode == l.segment && (small >= len(segments) || segments[small].Prot&write == 0 || number >= segments[small].Memsz) {
			return false
		}
	}
}
