package integration

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdFormat prints what a binary is: format FILE.
func cmdFormat(ts *testscript.TestScript, _ bool, args []string) {
	fmt.Fprintln(ts.Stdout(), format(ts.MkAbs(args[0]), ts.ReadFile(args[0])))
}

func format(file, data string) string {
	if f, err := elf.Open(file); err == nil {
		defer f.Close()
		return fmt.Sprintf("ELF %v %s %s", f.Machine, linkage(f), symbols(f))
	}
	if f, err := pe.Open(file); err == nil {
		defer f.Close()
		return fmt.Sprintf("PE %#x", f.Machine)
	}
	if f, err := macho.Open(file); err == nil {
		defer f.Close()
		return fmt.Sprintf("Mach-O %v", f.Cpu)
	}
	if strings.HasPrefix(data, "\x00asm") {
		return "WebAssembly"
	}
	return "unknown"
}

func linkage(f *elf.File) string {
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			return "dynamic"
		}
	}
	return "static"
}

func symbols(f *elf.File) string {
	for _, s := range f.Sections {
		if s.Type == elf.SHT_SYMTAB || strings.Contains(s.Name, "debug") {
			return "unstripped"
		}
	}
	return "stripped"
}
