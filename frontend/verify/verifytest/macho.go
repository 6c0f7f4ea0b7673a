package verifytest

import (
	"crypto/sha256"
	"debug/macho"
	"encoding/binary"
	"slices"
)

// machO is a macOS program of 64 bits.
func (b Binary) machO() []byte {
	order := binary.LittleEndian
	const page = 0x4000
	text := make([]byte, page)
	copy(text[page-64:], code())
	info := b.buildInfo()
	data := padded(info, page)
	name := func(s string) []byte { return padded([]byte(s), 16) }
	section := func(sect, seg string, addr, size, off uint64) []byte {
		return slices.Concat(name(sect), name(seg), words(order, 8, addr, size), words(order, 4, off, 4, 0, 0, 0, 0, 0, 0))
	}
	segment := func(s string, addr, mem, off, file, prot uint64, sections ...[]byte) []byte {
		all := slices.Concat(sections...)
		return slices.Concat(words(order, 4, uint64(macho.LoadCmdSegment64), uint64(72+len(all))), name(s),
			words(order, 8, addr, mem, off, file), words(order, 4, prot, prot, uint64(len(sections)), 0), all)
	}
	const base = 0x100000000
	end := uint64(page + len(data))
	path := func(cmd uint64, at uint64, s string, more ...uint64) []byte {
		body := append(words(order, 4, append([]uint64{at}, more...)...), s...)
		body = padded(append(body, 0), 8)
		return append(words(order, 4, cmd, uint64(8+len(body))), body...)
	}
	edit := machoEdit(b.Port.OS, end)
	const sign = 16 // of the last command, and of its data
	signed := machoSignature(end + uint64(len(edit.data)))
	loader := [][]byte{
		segment("__PAGEZERO", 0, base, 0, 0, 0),
		segment("__TEXT", base, page, 0, page, 5, section("__text", "__TEXT", base+page-64, 64, page-64)),
		segment("__DATA", base+page, uint64(len(data)), page, uint64(len(data)), 3, section("__go_buildinfo", "__DATA", base+page, uint64(len(info)), page)),
		segment("__LINKEDIT", base+end, page, end, uint64(len(edit.data)+len(signed)), 1),
		append(words(order, 4, 0x80000028, 24), words(order, 8, page-64, 0)...),
		path(0xe, 12, "/usr/lib/dyld\x00\x00"),
		path(0xc, 24, "/usr/lib/libSystem.B.dylib", 0, 0, 0),
		edit.commands,
		words(order, 4, 0x1d, sign, end+uint64(len(edit.data)), uint64(len(signed))),
	}
	commands := slices.Concat(loader...)
	cpu, model := uint64(macho.CpuAmd64), uint64(3)
	if b.Port.Arch == "arm64" {
		cpu, model = uint64(macho.CpuArm64), 0
	}
	n := uint64(len(loader) - 1 + edit.n)
	head := words(order, 4, uint64(macho.Magic64), cpu, model, uint64(macho.TypeExec), n, uint64(len(commands)), uint64(macho.FlagPIE|macho.FlagDyldLink), 0)
	copy(text, append(head, commands...))
	out := slices.Concat(text, data, edit.data, signed)
	machoSign(out, end+uint64(len(edit.data)))
	return out
}

// linkedit is what the loader of macOS is told with: tables, and the load commands
// that point to them.
type linkedit struct {
	data, commands []byte
	n              int // how many commands
}

// machoEdit are the tables from a byte of the file on: a list of one address that
// changes, one of a symbol of a library, and the table of that symbol.
func machoEdit(system string, at uint64) linkedit {
	order := binary.LittleEndian
	rebase := padded([]byte{0x11, 0x22, 0, 0x51, 0}, 16)
	bind := padded(append([]byte{0x11, 0x40}, "_exit\x00\x51\x72\x08\x90\x00"...), 16)
	names := padded([]byte("\x00_exit\x00"), 16)
	symbols := slices.Concat(words(order, 4, 1, 0x100_0001), words(order, 8, 0))
	e := linkedit{data: slices.Concat(rebase, bind, symbols, names), n: 4}
	where := func(part []byte, before ...[]byte) []uint64 {
		return []uint64{at + uint64(len(slices.Concat(before...))), uint64(len(part))}
	}
	platform := map[string]uint64{"darwin": 1, "ios": 2}[system]
	info := slices.Concat([]uint64{0x80000022, 48}, where(rebase), where(bind, rebase), make([]uint64, 6))
	table := slices.Concat([]uint64{2, 24}, where(symbols, rebase, bind)[:1], []uint64{1}, where(names, rebase, bind, symbols))
	groups := make([]uint64, 20)
	groups[0], groups[1], groups[7] = 0xb, 80, 1
	for _, command := range [][]uint64{{0x32, 24, platform, 0xc0000, 0xc0000, 0}, info, table, groups} {
		e.commands = append(e.commands, words(order, 4, command...)...)
	}
	return e
}

// machoPages is how much of a file a hash of a signature is about.
const machoPages = 4096

// machoSignature is the signature of a file up to itself, without its hashes.
func machoSignature(end uint64) []byte {
	order := binary.BigEndian
	n := (end + machoPages - 1) / machoPages
	const head, ident = 44, 4
	size := head + ident + n*sha256.Size
	dir := words(order, 4, 0xfade0c02, size, 0x20100, 0x20002, head+ident, head, 0, n, end)
	dir = append(dir, sha256.Size, 2, 0, 12, 0, 0, 0, 0)
	dir = append(dir, "bin\x00"...)
	dir = append(dir, make([]byte, n*sha256.Size)...)
	return append(words(order, 4, 0xfade0cc0, 20+size, 1, 0, 20), dir...)
}

// machoSign writes the hashes of a file into its signature.
func machoSign(file []byte, at uint64) {
	pages, hashes := file[:at], file[at+20+44+4:]
	for page := range slices.Chunk(pages, machoPages) {
		sum := sha256.Sum256(page)
		copy(hashes, sum[:])
		hashes = hashes[sha256.Size:]
	}
}
