package size

import (
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"slices"
)

// section is a part of a file that is loaded.
type section struct {
	name string
	// addr is where it is loaded, and size how much of it is in the file.
	addr, size uint64
	code       bool
}

// symbol is a name for some bytes. Without a size it goes on up to the next one.
type symbol struct {
	name       string
	addr, size uint64
}

// image is a file of any format.
type image struct {
	sections []section
	symbols  []symbol
}

// errFormat is the error of a file without a symbol table that can be read.
var errFormat = errors.New("the format is not known")

// Read says what a binary is made of. It is all of one unknown part when the
// format has no symbols that can be read, as that of WebAssembly.
func Read(r io.ReaderAt, name string, length int64) (Binary, error) {
	b := Binary{Name: name, File: length}
	img, err := open(r)
	if errors.Is(err, errFormat) {
		b.Size, b.Rest = length, []Part{{partUnknown, length}}
		return b, nil
	}
	if err != nil {
		return b, fmt.Errorf("read the symbols of %s: %w", name, err)
	}
	if err := img.check(length); err != nil {
		return b, fmt.Errorf("read the symbols of %s: %w", name, err)
	}
	info, err := buildinfo.Read(r)
	if err != nil {
		return b, fmt.Errorf("read the build info of %s: %w", name, err)
	}
	count(&b, img, info)
	return b, nil
}

// open reads sections and symbols.
func open(r io.ReaderAt) (*image, error) {
	magic := make([]byte, 4)
	if _, err := r.ReadAt(magic, 0); err != nil {
		return nil, errFormat
	}
	switch string(magic) {
	case "\x7fELF":
		return openELF(r)
	case "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe", "\xfe\xed\xfa\xcf", "\xfe\xed\xfa\xce":
		return openMacho(r)
	}
	if string(magic[:2]) == "MZ" {
		return openPE(r)
	}
	return nil, errFormat
}

func openELF(r io.ReaderAt) (*image, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	img := &image{}
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_COMPRESSED != 0 && (s.Type == elf.SHT_SYMTAB || s.Type == elf.SHT_STRTAB) {
			// The library would unpack it, to any size.
			return nil, errors.New("they are compressed")
		}
		if s.Flags&elf.SHF_ALLOC != 0 && s.Type != elf.SHT_NOBITS {
			img.sections = append(img.sections, section{s.Name, s.Addr, s.FileSize, s.Flags&elf.SHF_EXECINSTR != 0})
		}
	}
	symbols, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	for _, s := range symbols {
		if t := elf.ST_TYPE(s.Info); s.Size > 0 && (t == elf.STT_FUNC || t == elf.STT_OBJECT || t == elf.STT_NOTYPE) {
			img.symbols = append(img.symbols, symbol{s.Name, s.Value, s.Size})
		}
	}
	return img, nil
}

func openPE(r io.ReaderAt) (*image, error) {
	f, err := pe.NewFile(r)
	if err != nil {
		return nil, err
	}
	const code, discardable = 0x20, 0x2000000
	img := &image{}
	for _, s := range f.Sections {
		if s.Characteristics&discardable == 0 {
			img.sections = append(img.sections, section{s.Name, uint64(s.VirtualAddress), uint64(min(s.Size, s.VirtualSize)), s.Characteristics&code != 0})
		}
	}
	for _, s := range f.Symbols {
		if n := int(s.SectionNumber); n > 0 && n <= len(f.Sections) {
			img.symbols = append(img.symbols, symbol{name: s.Name, addr: uint64(f.Sections[n-1].VirtualAddress) + uint64(s.Value)})
		}
	}
	return img, nil
}

func openMacho(r io.ReaderAt) (*image, error) {
	f, err := macho.NewFile(r)
	if err != nil {
		return nil, err
	}
	const zerofill, pureInstructions = 1, 0x80000000
	img := &image{}
	for _, s := range f.Sections {
		if s.Flags&0xff != zerofill && s.Seg != "__DWARF" {
			img.sections = append(img.sections, section{s.Name, s.Addr, s.Size, s.Flags&pureInstructions != 0})
		}
	}
	if f.Symtab == nil {
		return nil, errors.New("there are none")
	}
	for _, s := range f.Symtab.Syms {
		const debugging = 0xe0
		if s.Type&debugging == 0 && s.Sect > 0 {
			img.symbols = append(img.symbols, symbol{name: s.Name, addr: s.Value})
		}
	}
	return img, nil
}

// check refuses what cannot be in a file of a length, and sorts.
func (img *image) check(length int64) error {
	var sum uint64
	for _, s := range img.sections {
		if s.size > uint64(length) || s.addr+s.size < s.addr {
			return fmt.Errorf("section %q is larger than the file", s.name)
		}
		sum += s.size
	}
	if sum > uint64(length) {
		return errors.New("the sections are larger than the file")
	}
	if len(img.symbols) == 0 {
		return errors.New("there are none")
	}
	slices.SortStableFunc(img.sections, func(a, b section) int { return cmp.Compare(a.addr, b.addr) })
	slices.SortStableFunc(img.symbols, func(a, b symbol) int {
		// Of two at one place the larger one has the bytes.
		return cmp.Or(cmp.Compare(a.addr, b.addr), cmp.Compare(b.size, a.size), cmp.Compare(a.name, b.name))
	})
	return nil
}
