package verify

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"debug/plan9obj"
	"fmt"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// The instruction sets. Width and byte order stand beside them.
const (
	machineX86     = "x86"
	machineX8664   = "x86-64"
	machineARM     = "ARM"
	machineAArch64 = "AArch64"
	machineMIPS    = "MIPS"
	machinePowerPC = "PowerPC"
	machineRISCV   = "RISC-V"
	machineS390    = "S/390"
	machineLoong   = "LoongArch"
	machineWasm    = "WebAssembly"
)

// elfMachine names the machine of an ELF file, "" when it is not known.
func elfMachine(m elf.Machine) string {
	return map[elf.Machine]string{
		elf.EM_386: machineX86, elf.EM_X86_64: machineX8664, elf.EM_ARM: machineARM, elf.EM_AARCH64: machineAArch64,
		elf.EM_MIPS: machineMIPS, elf.EM_PPC64: machinePowerPC, elf.EM_RISCV: machineRISCV, elf.EM_S390: machineS390, elf.EM_LOONGARCH: machineLoong,
	}[m]
}

// machoMachine names the machine of a Mach-O file.
func machoMachine(cpu macho.Cpu) string {
	return map[macho.Cpu]string{
		macho.Cpu386: machineX86, macho.CpuAmd64: machineX8664, macho.CpuArm: machineARM, macho.CpuArm64: machineAArch64,
	}[cpu]
}

// peMachine names the machine of a PE file.
func peMachine(m uint16) string {
	return map[uint16]string{
		pe.IMAGE_FILE_MACHINE_I386: machineX86, pe.IMAGE_FILE_MACHINE_AMD64: machineX8664,
		pe.IMAGE_FILE_MACHINE_ARMNT: machineARM, pe.IMAGE_FILE_MACHINE_ARM64: machineAArch64,
	}[m]
}

// plan9Machine names the machine of a Plan 9 file by its magic number.
func plan9Machine(magic uint32) string {
	return map[uint32]string{plan9obj.Magic386: machineX86, plan9obj.MagicAMD64: machineX8664, plan9obj.MagicARM: machineARM}[magic]
}

// headerOf is what the file for a port starts with.
func headerOf(p plan.Port) Header {
	h := map[string]Header{
		"386":      {Bits: 32, Machine: machineX86},
		"amd64":    {Bits: 64, Machine: machineX8664},
		"arm":      {Bits: 32, Machine: machineARM},
		"arm64":    {Bits: 64, Machine: machineAArch64},
		"loong64":  {Bits: 64, Machine: machineLoong},
		"mips":     {Bits: 32, BigEndian: true, Machine: machineMIPS},
		"mipsle":   {Bits: 32, Machine: machineMIPS},
		"mips64":   {Bits: 64, BigEndian: true, Machine: machineMIPS},
		"mips64le": {Bits: 64, Machine: machineMIPS},
		"ppc64":    {Bits: 64, BigEndian: true, Machine: machinePowerPC},
		"ppc64le":  {Bits: 64, Machine: machinePowerPC},
		"riscv64":  {Bits: 64, Machine: machineRISCV},
		"s390x":    {Bits: 64, BigEndian: true, Machine: machineS390},
		"wasm":     {Bits: 32, Machine: machineWasm},
	}[p.Arch]
	switch p.OS {
	case "windows":
		h.Format = FormatPE
	case "darwin", "ios":
		h.Format = FormatMachO
	case "js", "wasip1":
		h.Format = FormatWasm
	case "plan9":
		h.Format = FormatPlan9
	case "aix":
		h.Format = FormatXCOFF
	default:
		h.Format = FormatELF
	}
	return h
}

// The ABIs that the flags of an ELF file tell apart.
const (
	abiHard = "hard float"
	abiSoft = "soft float"
	abiELF1 = "ELFv1"
	abiELF2 = "ELFv2"
	abiRVC  = "compressed instructions"
)

// elfFlags reads the flags of the machine. Those that no system takes are damage.
func (f *Facts) elfFlags(h *elfHeader) (abi string) {
	v := h.flags
	good := v == 0
	switch f.Machine {
	case machineARM:
		abi = map[uint32]string{0x200: abiSoft, 0x400: abiHard}[v&0x600]
		good = v>>24 == 5 && v&0x600 != 0x600 && v&^0xff000602 == 0 || v == 0
	case machineMIPS:
		if f.Bits == 64 { // N64, from MIPS III on
			good = v>>28 >= 2 && v>>28 != 5 && v>>28 != 7 && v&0xf020 == 0 && v&^0xf0000607 == 0
		} else { // O32, for MIPS32 and its successors
			good = (v>>28 == 5 || v>>28 == 7) && v&0xf000 == 0x1000 && v&^0xf0001607 == 0
		}
	case machinePowerPC:
		abi = map[uint32]string{1: abiELF1, 2: abiELF2}[v]
		good = v <= 2
	case machineRISCV:
		abi = map[uint32]string{0: abiSoft, 4: abiHard}[v&6]
		if v&1 != 0 {
			abi += ", " + abiRVC
		}
		good = v&^0x15 == 0
	case machineLoong:
		abi = map[uint32]string{1: abiSoft, 3: abiHard}[v&7]
		good = (v&7 == 1 || v&7 == 3) && v&^0x47 == 0
	case machineS390:
		good = v <= 1
	}
	if !good {
		f.damage(Problem{Found: fmt.Sprintf("the %s flags %#x", f.Machine, v), Expected: "those that a linker writes", Effect: effectFormat, Help: helpDamaged})
	}
	return abi
}

// abiOf are the ABIs that a port may have. Nil: the format tells nothing of it.
func abiOf(p plan.Port) []string {
	switch p.Arch {
	case "arm":
		// That is how objects of C pass floats. Without one the linker of the go
		// command names none, whatever GOARM is; with one it names that of the object,
		// which may be the soft one for GOARM=7, too. What Go does with floats is in
		// the build info.
		if p.Level == "5" {
			return []string{"", abiSoft}
		}
		return []string{"", abiHard, abiSoft}
	case "ppc64":
		if p.OS == "openbsd" {
			return []string{abiELF2}
		}
		if p.OS == "linux" {
			return []string{"", abiELF1, abiELF2}
		}
	case "ppc64le":
		return []string{"", abiELF2}
	case "riscv64":
		return []string{abiHard, abiHard + ", " + abiRVC}
	case "loong64":
		return []string{abiHard}
	}
	return nil
}
