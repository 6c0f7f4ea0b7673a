// Package verifytest writes binaries for tests: small ones that no machine runs,
// with the headers, the tables and the build info that those of the go command
// have.
package verifytest

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// Binary is what a file should hold.
type Binary struct {
	Port plan.Port
	// Release is the Go release, such as go1.26.0. Empty: there is no build info.
	Release string
	// Path is the main package.
	Path string
	// Deps are modules, as path@version.
	Deps []string
	// Settings are those of the go command, as NAME=value.
	Settings []string
	// Loader and Libraries make an ELF file a dynamic one.
	Loader    string
	Libraries []string
	// RunPath is where its libraries are looked for. RPaths say the same in the
	// old way, one after the other.
	RunPath string
	RPaths  []string
	// Symbols adds a symbol table to an ELF file.
	Symbols bool
}

// Default is a binary as the go command builds it for a port, stripped and
// without cgo.
func Default(p plan.Port) Binary {
	return Binary{
		Port: p, Release: "go1.26.0", Path: "example.com/hello",
		Settings: append([]string{"-buildmode=exe", "-compiler=gc", "-trimpath=true", "CGO_ENABLED=0"}, p.Env()...),
	}
}

// Bytes is the file.
func (b Binary) Bytes() []byte {
	switch b.Port.OS {
	case "windows":
		return b.pe()
	case "darwin", "ios":
		return b.machO()
	case "js", "wasip1":
		return b.wasm()
	}
	return b.elf()
}

// The marks around the module information.
const (
	infoStart = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"
	infoEnd   = "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
)

// modinfo is the module information with its marks.
func (b Binary) modinfo() string {
	var s strings.Builder
	s.WriteString(infoStart)
	s.WriteString("path\t" + b.Path + "\nmod\t" + b.Path + "\t(devel)\t\n")
	for _, d := range b.Deps {
		path, version, _ := strings.Cut(d, "@")
		s.WriteString("dep\t" + path + "\t" + version + "\th1:7DJs9kTRZJWn2b7oTUcTGYGcY0yu8vJc7oIvJXJ3Xw0=\n")
	}
	for _, e := range b.Settings {
		s.WriteString("build\t" + e + "\n")
	}
	s.WriteString(infoEnd)
	return s.String()
}

// buildInfo is the section .go.buildinfo (debug/buildinfo).
func (b Binary) buildInfo() []byte {
	if b.Release == "" {
		return make([]byte, 64)
	}
	data := append([]byte("\xff Go buildinf:"), 8, 2)
	data = append(data, make([]byte, 16)...)
	for _, text := range []string{b.Release, b.modinfo()} {
		data = binary.AppendUvarint(data, uint64(len(text)))
		data = append(data, text...)
	}
	return data
}

// code is what no test runs.
func code() []byte { return bytes.Repeat([]byte{0xcc}, 64) }

// words appends numbers of some bytes each.
func words(order binary.ByteOrder, size int, values ...uint64) []byte {
	var data []byte
	for _, v := range values {
		word := make([]byte, 8)
		order.PutUint64(word, v)
		if order == binary.ByteOrder(binary.BigEndian) {
			word = word[8-size:]
		}
		data = append(data, word[:size]...)
	}
	return data
}

// padded is data up to a multiple of n.
func padded(data []byte, n int) []byte {
	return append(slices.Clone(data), make([]byte, (n-len(data)%n)%n)...)
}

// wasm is a WebAssembly module.
func (b Binary) wasm() []byte {
	module, function := "wasi_snapshot_preview1", "_start"
	if b.Port.OS == "js" {
		module, function = "gojs", "run"
	}
	name := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, body ...[]byte) {
		data := slices.Concat(body...)
		out = append(append(out, id), binary.AppendUvarint(nil, uint64(len(data)))...)
		out = append(out, data...)
	}
	section(1, []byte{1, 0x60, 0, 0})
	section(2, []byte{1}, name(module), name("proc_exit"), []byte{0, 0})
	section(3, []byte{1, 0})
	section(5, []byte{1, 0, 1})
	section(7, []byte{1}, name(function), []byte{0, 1})
	section(10, []byte{1, 2, 0, 0x0b})
	info := []byte(b.modinfo())
	section(11, []byte{2}, []byte{0, 0x41, 0, 0x0b, 3, 1, 2, 3}, []byte{0, 0x41, 64, 0x0b}, binary.AppendUvarint(nil, uint64(len(info))), info)
	if b.Release != "" {
		section(0, name("producers"), []byte{1}, name("language"), []byte{1}, name("Go"), name(b.Release))
	}
	return out
}
