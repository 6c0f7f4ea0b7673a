// Package verify reads a binary back and says what it is, and what of that is
// not as it was promised: a program that would fail at run time is found before
// it ships.
//
// [Read] takes the facts from a file: format, machine, linking, sections, build
// info. [Judge] compares them with a [Promise], and [Loadable] looks for what a
// dynamic program needs in the image around it. Reading knows no plan, judging
// reads nothing.
//
// Invariants: of a file no more is read than headers, tables and build info; how
// much that is, and the memory for it, is bounded, whatever the file holds. No
// file makes it panic.
package verify

import (
	"debug/buildinfo"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

// Facts are what a file says of itself.
type Facts struct {
	// Size is the length of the file.
	Size int64 `json:"size"`
	// Header is the kind of file, and the machine that it is for. The zero value:
	// it is nothing that is known here.
	Header
	// Kind is what the format calls it: one of the constants, "" when it does not
	// say.
	Kind string `json:"kind,omitempty"`
	// ABI is what the flags of the format say beyond the machine, such as
	// "hard float", "" for nothing.
	ABI string `json:"abi,omitempty"`
	// System is the operating system as far as the format knows it, "" when it
	// does not.
	System string `json:"system,omitempty"`
	// Entry is the address where the program starts, 0 when the format does not say.
	Entry uint64 `json:"entry,omitempty"`
	// Loader starts the program, "" when the system does it alone.
	Loader string `json:"loader,omitempty"`
	// Libraries are loaded with the program, in the file's order.
	Libraries []string `json:"libraries,omitempty"`
	// SearchPath are directories in which they are looked for first.
	SearchPath []string `json:"searchPath,omitempty"`
	// Symbols and Debug say that there is a symbol table, and DWARF.
	Symbols bool `json:"symbols"`
	Debug   bool `json:"debug"`
	// Damage is what is wrong with the file itself, whatever it is for.
	Damage []Problem `json:"damage,omitempty"`
	// Go is what the go command wrote into the file. Nil: it wrote nothing.
	Go *debug.BuildInfo `json:"go,omitempty"`
}

// Header is the part of a file that decides whether a machine takes it at all.
type Header struct {
	// Format is the name of the file format, such as ELF.
	Format string `json:"format,omitempty"`
	// Bits are those of an address: 32 or 64.
	Bits int `json:"bits,omitempty"`
	// BigEndian says that the high byte of a number comes first, for the machine.
	BigEndian bool `json:"bigEndian,omitempty"`
	// Machine is the instruction set, such as x86-64.
	Machine string `json:"machine,omitempty"`
}

// The formats.
const (
	FormatELF     = "ELF"
	FormatPE      = "PE"
	FormatMachO   = "Mach-O"
	FormatFat     = "universal Mach-O"
	FormatWasm    = "WebAssembly"
	FormatPlan9   = "Plan 9"
	FormatXCOFF   = "XCOFF"
	FormatArchive = "archive"
)

// The kinds of files.
const (
	KindExecutable = "executable"
	KindPIE        = "position-independent executable"
	KindLibrary    = "shared library"
	KindObject     = "object"
)

// String describes the header in one line.
func (h Header) String() string {
	switch {
	case h.Format == "":
		return "no program"
	case h.Machine == "" || h.Format == h.Machine:
		return h.Format
	}
	order := "little endian"
	if h.BigEndian {
		order = "big endian"
	}
	return fmt.Sprintf("%s %d-bit %s %s", h.Format, h.Bits, order, h.Machine)
}

// Dynamic reports whether the program needs a loader or libraries.
func (f *Facts) Dynamic() bool { return f.Loader != "" || len(f.Libraries) > 0 }

// Setting is a build setting of the go command, "" when there is none.
func (f *Facts) Setting(name string) string {
	if f.Go != nil {
		for _, s := range f.Go.Settings {
			if s.Key == name {
				return s.Value
			}
		}
	}
	return ""
}

// Problem is something about a binary that is not as it should be.
type Problem struct {
	// Found is what the file holds, and Expected what it should. Expected may be
	// empty.
	Found    string `json:"found"`
	Expected string `json:"expected,omitempty"`
	// Effect is what it looks like at run time. It may be empty.
	Effect string `json:"effect,omitempty"`
	// Help is what to change. It may be empty.
	Help string `json:"help,omitempty"`
}

// String writes the problem in one line.
func (p Problem) String() string {
	s := "found " + p.Found
	if p.Expected != "" {
		s += ", expected " + p.Expected
	}
	if p.Effect != "" {
		s += "; at run time: " + p.Effect
	}
	if p.Help != "" {
		s += " (" + p.Help + ")"
	}
	return printable(s)
}

// The effects that are seen most.
const (
	effectFormat  = "exec format error"
	effectMissing = "no such file or directory"
	effectCrash   = "killed by a signal, such as a bus error"
)

// Read reads the facts of a file of that size. An error is one of reading; a
// file that is no program, or a broken one, is a fact.
func Read(r io.ReaderAt, size int64) (*Facts, error) {
	s := &source{r: r, size: size, reading: &reading{left: maxRead}}
	f := &Facts{Size: size}
	f.read(s)
	if s.err != nil {
		return nil, s.err
	}
	return f, nil
}

// read finds out the format.
func (f *Facts) read(s *source) {
	var head [8]byte
	n, err := s.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return
	}
	magic := head[:n]
	switch {
	case hasPrefix(magic, "\x7fELF"):
		f.readELF(s)
	case hasPrefix(magic, "MZ"):
		f.readPE(s)
	case hasPrefix(magic, "\xfe\xed\xfa\xce"), hasPrefix(magic, "\xfe\xed\xfa\xcf"),
		hasPrefix(magic, "\xce\xfa\xed\xfe"), hasPrefix(magic, "\xcf\xfa\xed\xfe"):
		f.readMachO(s)
	case hasPrefix(magic, "\xca\xfe\xba\xbe"):
		f.Format = FormatFat
	case hasPrefix(magic, "\x00asm"):
		f.readWasm(s)
	case hasPrefix(magic, "!<arch>\n"):
		f.Format = FormatArchive
	case hasPrefix(magic, "\x01\xf7"), hasPrefix(magic, "\x01\xdf"):
		f.readXCOFF(s)
	case n >= 4 && plan9Machine(binary.BigEndian.Uint32(magic)) != "":
		f.readPlan9(s)
	}
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// damage adds something that is wrong with the file itself.
func (f *Facts) damage(p Problem) { f.Damage = append(f.Damage, p) }

// readGo reads what the go command wrote. No build info is no damage: other
// compilers write none.
func (f *Facts) readGo(r io.ReaderAt) {
	if info, err := buildinfo.Read(r); err == nil {
		f.Go = info
	}
}
