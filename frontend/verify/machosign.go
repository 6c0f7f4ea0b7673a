package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// machoSigned checks the signature of a program as far as the load commands go:
// that it is about the file up to itself, and that the hash of the first page is
// that of the file. macOS compares each page when it is first used, and kills the
// process if one differs (xnu, bsd/kern/ubc_subr.c; osfmk/kern/cs_blobs.h). The
// other pages are not read, nor is a signature by another hash.
func (c *machoCommands) machoSigned() {
	wrong := func(what string) {
		c.facts.damage(Problem{Found: "a signature " + what, Expected: "that of the file as it is", Effect: "killed: 9", Help: helpSign})
	}
	at, size := c.signature[0], c.signature[1]
	dir, ok := c.codeDirectory(at, size)
	if !ok {
		wrong("without a code directory")
		return
	}
	word := func(i int) uint64 { return uint64(binary.BigEndian.Uint32(dir[i:])) }
	hashes, pages, end, bits := word(16), word(28), word(32), dir[39]
	const sha256Type = 2
	if dir[37] != sha256Type || dir[36] != sha256.Size {
		return
	}
	if bits < 12 || bits > 16 || end != at || pages != (end+1<<bits-1)>>bits {
		wrong(fmt.Sprintf("of %d pages up to byte %#x", pages, end))
		return
	}
	page, ok := c.source.bytes(0, min(1<<bits, end))
	if hashes+sha256.Size > uint64(len(dir)) || !ok {
		wrong("without hashes")
		return
	}
	if got := sha256.Sum256(page); !bytes.Equal(got[:], dir[hashes:hashes+sha256.Size]) {
		wrong("of another file")
	}
}

// codeDirectory is what a signature says of a file: the first blob of its kind,
// cut behind the first hashes. Numbers are big endian.
func (c *machoCommands) codeDirectory(at, size uint64) ([]byte, bool) {
	const super, directory, head, most = 0xfade0cc0, 0xfade0c02, 44, 16 << 10
	data, ok := c.source.bytes(at, min(size, most))
	if !ok || len(data) < 12 || binary.BigEndian.Uint32(data) != super || uint64(binary.BigEndian.Uint32(data[4:])) > size {
		return nil, false
	}
	entries := data[12:]
	for range min(binary.BigEndian.Uint32(data[8:]), uint32(len(entries)/8)) {
		kind, off := binary.BigEndian.Uint32(entries), uint64(binary.BigEndian.Uint32(entries[4:]))
		entries = entries[8:]
		if kind != 0 || off+head > uint64(len(data)) {
			continue
		}
		dir := data[off:]
		return dir, binary.BigEndian.Uint32(dir) == directory
	}
	return nil, false
}

// helpSign is for programs that macOS kills for their signature.
const helpSign = "sign it with codesign -s -, or do not change it after the build"
