package verifytest

import (
	"debug/pe"
	"encoding/binary"
)

// pePage is how sections of a Windows program are aligned.
const pePage = 0x1000

// pePart is a section of a Windows program.
type pePart struct {
	name  string
	data  []byte // with what fills it up
	size  int    // of what is used of it
	flags uint64
}

// peParts are the sections: code, data, imports, and the one address that changes
// when the program is moved.
func (b Binary) peParts(word int, base uint64) []pePart {
	order := binary.LittleEndian
	kind := map[int]uint64{4: 3, 8: 10}[word] // of a change of an address
	info := padded(append(b.buildInfo(), make([]byte, 8)...), 512)
	moved := uint64(2*pePage + len(info) - word)
	copy(info[len(info)-word:], words(order, word, base+pePage))

	imports := uint64(2*pePage + len(padded(info, pePage)))
	const names, addresses, library, function = 40, 56, 72, 96
	idata := words(order, 4, imports+names, 0, 0, imports+library, imports+addresses, 0, 0, 0, 0, 0)
	for range 2 {
		idata = append(idata, padded(words(order, word, imports+function, 0), 16)...)
	}
	idata = append(padded(append(idata, "kernel32.dll"...), function), "\x00\x00ExitProcess"...)
	reloc := append(words(order, 4, moved&^(pePage-1), 12), words(order, 2, kind<<12|moved&(pePage-1), 0)...)
	return []pePart{
		{".text", padded(code(), 512), 512, 0x60000020},
		{".data", info, len(info), 0xc0000040},
		{".idata", padded(idata, 512), 512, 0x40000040},
		{".reloc", padded(reloc, 512), len(reloc), 0x42000040},
	}
}

// pe is a Windows program.
func (b Binary) pe() []byte {
	order := binary.LittleEndian
	wide := b.Port.Arch != "386"
	const headers = 0x400
	word, base := 8, uint64(0x140000000)
	if !wide {
		word, base = 4, 0x400000
	}
	parts := b.peParts(word, base)
	size, magic, large := uint64(binary.Size(pe.OptionalHeader32{})), uint64(0x10b), uint64(0x100)
	if wide {
		size, magic, large = uint64(binary.Size(pe.OptionalHeader64{})), 0x20b, 0x20
	}
	out := append([]byte("MZ"), make([]byte, 58)...)
	out = append(out, words(order, 4, 128)...)
	out = append(padded(out, 128), "PE\x00\x00"...)
	cpu := map[string]uint64{"386": pe.IMAGE_FILE_MACHINE_I386, "amd64": pe.IMAGE_FILE_MACHINE_AMD64, "arm64": pe.IMAGE_FILE_MACHINE_ARM64}[b.Port.Arch]
	out = append(out, words(order, 2, cpu, uint64(len(parts)))...)
	out = append(out, words(order, 4, 0, 0, 0)...)
	out = append(out, words(order, 2, size, 0x2|large)...)
	out = append(out, words(order, 2, magic, 3)...)
	out = append(out, words(order, 4, 512, 512, 0, pePage, pePage)...)
	if !wide {
		out = append(out, words(order, 4, 2*pePage)...)
	}
	out = append(out, words(order, word, base)...)
	imageSize, at := uint64(pePage), map[string]uint64{}
	for _, p := range parts {
		at[p.name] = imageSize
		imageSize += uint64(len(padded(p.data, pePage)))
	}
	out = append(out, words(order, 4, pePage, 512)...)
	out = append(out, words(order, 2, 6, 1, 1, 0, 6, 1)...)
	out = append(out, words(order, 4, 0, imageSize, headers, 0)...)
	out = append(out, words(order, 2, 3, 0x8160)...)
	out = append(out, words(order, word, 0x200000, 0x1000, 0x100000, 0x1000)...)
	out = append(out, words(order, 4, 0, 16, 0, 0, at[".idata"], 40, 0, 0, 0, 0, 0, 0, at[".reloc"], uint64(parts[3].size))...)
	out = append(out, make([]byte, 10*8)...)
	off := uint64(headers)
	for _, p := range parts {
		out = append(out, padded([]byte(p.name), 8)...)
		out = append(out, words(order, 4, uint64(p.size), at[p.name], uint64(len(p.data)), off, 0, 0, 0, p.flags)...)
		off += uint64(len(p.data))
	}
	out = padded(out, headers)
	for _, p := range parts {
		out = append(out, p.data...)
	}
	return out
}
