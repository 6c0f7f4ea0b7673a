package main

import (
	"bytes"
	"debug/macho"
	"debug/pe"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// record is what the command says of a file.
type record struct {
	File, Format, Machine, Kind, ABI, Loader string
	Bits                                     int
	Entry                                    uint64
	BigEndian, Symbols, Debug                bool
	Libraries, SearchPath                    []string
	Go                                       struct {
		GoVersion, Path string
		Main            module
		Deps            []module
		Settings        []struct{ Key, Value string }
	}
}

// module is a module of the build info.
type module struct{ Path, Version, Sum string }

// compare asks the others.
func (r *record) compare(t *testing.T) {
	t.Helper()
	want := output(t, ".", nil, "go", "version", "-m", r.File)
	if got := r.goVersion(); got != want {
		t.Errorf("got\n%swant, as go version -m says\n%s", got, want)
	}
	switch r.Format {
	case "ELF":
		r.compareELF(t)
	case "PE":
		r.comparePE(t)
	case "Mach-O":
		r.compareMachO(t)
	default:
		t.Errorf("%s: got format %q, want one of the platforms", r.File, r.Format)
	}
}

// goVersion is the record as go version -m prints it.
func (r *record) goVersion() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\tpath\t%s\n", r.File, r.Go.GoVersion, r.Go.Path)
	fmt.Fprintf(&b, "\tmod\t%s\t%s\t%s\n", r.Go.Main.Path, r.Go.Main.Version, r.Go.Main.Sum)
	for _, m := range r.Go.Deps {
		fmt.Fprintf(&b, "\tdep\t%s\t%s\t%s\n", m.Path, m.Version, m.Sum)
	}
	for _, s := range r.Go.Settings {
		value := s.Value
		if strings.ContainsAny(value, " \t'\"`") {
			value = strconv.Quote(value)
		}
		fmt.Fprintf(&b, "\tbuild\t%s=%s\n", s.Key, value)
	}
	return b.String()
}

// claim is one thing that the command says of a file, and what it should say.
type claim struct {
	what      string
	got, want any
}

// check compares claims.
func (r *record) check(t *testing.T, claims []claim) {
	t.Helper()
	for _, c := range claims {
		if fmt.Sprint(c.got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %s: got %v, want %v", r.File, c.what, c.got, c.want)
		}
	}
}

// compareELF reads what readelf prints.
func (r *record) compareELF(t *testing.T) {
	t.Helper()
	out := output(t, ".", nil, "readelf", "-h", "-l", "-d", "-S", "-W", r.File)
	all := func(pattern string) []string {
		var found []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(out, -1) {
			found = append(found, m[1])
		}
		return found
	}
	field := func(name string) string {
		found := all(`(?m)^\s*` + name + `:\s*(.*?)\s*$`)
		if found == nil {
			t.Fatalf("%s: readelf says nothing of %s:\n%s", r.File, name, out)
		}
		return found[0]
	}
	kind := map[string]string{
		"EXEC (Executable file)": "executable", "DYN (Position-Independent Executable file)": "position-independent executable",
		"DYN (Shared object file)": "shared library",
	}
	machine := map[string]string{
		"Intel 80386": "x86", "Advanced Micro Devices X86-64": "x86-64", "ARM": "ARM", "AArch64": "AArch64", "LoongArch": "LoongArch",
		"MIPS R3000": "MIPS", "PowerPC64": "PowerPC", "RISC-V": "RISC-V", "IBM S/390": "S/390",
	}
	entry, err := strconv.ParseUint(field("Entry point address"), 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	search := all(`\(RUNPATH\).*\[(.*)\]`)
	if search == nil { // which takes the place of the other one
		search = all(`\(RPATH\).*\[(.*)\]`)
	}
	_, flags, _ := strings.Cut(field("Flags"), ", ")
	r.check(t, []claim{
		{"class", fmt.Sprint("ELF", r.Bits), field("Class")},
		{"byte order", r.BigEndian, strings.Contains(field("Data"), "big endian")},
		{"machine", r.Machine, machine[field("Machine")]},
		{"kind", r.Kind, kind[field("Type")]},
		{"entry", r.Entry, entry},
		{"ABI", r.ABI, abiIn(flags)},
		{"loader", r.Loader, strings.Join(all(`Requesting program interpreter: (.*)\]`), " ")},
		{"libraries", r.Libraries, all(`\(NEEDED\).*\[(.*)\]`)},
		{"search path", strings.Join(r.SearchPath, ":"), strings.Join(search, " ")},
		{"symbols", r.Symbols, strings.Contains(out, " .symtab ")},
		{"DWARF", r.Debug, len(all(`( \.z?debug_\w+)`)) > 0},
	})
}

// abiIn is the ABI among the flags as readelf prints them.
func abiIn(flags string) string {
	var abi []string
	for _, known := range [][2]string{
		{"hard-float ABI", "hard float"}, {"soft-float ABI", "soft float"}, {"double-float ABI", "hard float"}, {"DOUBLE-FLOAT", "hard float"},
		{"abiv1", "ELFv1"}, {"abiv2", "ELFv2"}, {"RVC", "compressed instructions"},
	} {
		if strings.Contains(flags, known[0]) {
			abi = append(abi, known[1])
		}
	}
	return strings.Join(abi, ", ")
}

// comparePE asks the library.
func (r *record) comparePE(t *testing.T) {
	t.Helper()
	f, err := pe.Open(r.File)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	imported, err := f.ImportedSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var libraries []string
	for _, s := range imported {
		_, library, _ := strings.Cut(s, ":")
		libraries = append(libraries, library)
	}
	slices.Sort(libraries)
	optional, ok := f.OptionalHeader.(*pe.OptionalHeader64)
	if !ok {
		t.Fatalf("%s: got header %T, want that of 64 bits", r.File, f.OptionalHeader)
	}
	r.check(t, []claim{
		{"machine", r.Machine, map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "x86-64"}[f.Machine]},
		{"kind", r.Kind, map[bool]string{true: "executable"}[f.Characteristics&pe.IMAGE_FILE_EXECUTABLE_IMAGE != 0]},
		{"entry", r.Entry, optional.ImageBase + uint64(optional.AddressOfEntryPoint)},
		{"libraries", slices.Sorted(slices.Values(r.Libraries)), slices.Compact(libraries)},
		{"symbols", r.Symbols, len(f.Symbols) > 0},
		{"DWARF", r.Debug, slices.ContainsFunc(f.Sections, func(s *pe.Section) bool {
			return strings.HasPrefix(s.Name, ".debug_") || strings.HasPrefix(s.Name, ".zdebug_")
		})},
	})
}

// compareMachO asks the library. It does not know the commands for the loader and
// for the place to start.
func (r *record) compareMachO(t *testing.T) {
	t.Helper()
	f, err := macho.Open(r.File)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	const mainCommand, loaderCommand = 0x80000028, 0xe
	loader, entry := "", uint64(0)
	for _, l := range f.Loads {
		switch raw := l.Raw(); f.ByteOrder.Uint32(raw) {
		case mainCommand:
			entry = f.Segment("__TEXT").Addr + f.ByteOrder.Uint64(raw[8:])
		case loaderCommand:
			name, _, _ := bytes.Cut(raw[f.ByteOrder.Uint32(raw[8:]):], []byte{0})
			loader = string(name)
		}
	}
	r.check(t, []claim{
		{"machine", r.Machine, map[macho.Cpu]string{macho.CpuArm64: "AArch64"}[f.Cpu]},
		{"kind", r.Kind, map[bool]string{true: "position-independent executable"}[f.Type == macho.TypeExec && f.Flags&macho.FlagPIE != 0]},
		{"entry", r.Entry, entry},
		{"loader", r.Loader, loader},
		{"libraries", r.Libraries, libraries},
		{"symbols", r.Symbols, f.Dysymtab.Nlocalsym+f.Dysymtab.Nextdefsym > 0},
		{"DWARF", r.Debug, f.Segment("__DWARF") != nil},
	})
}
