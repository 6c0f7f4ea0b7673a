package verify

import (
	"debug/macho"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Limits of the load commands of a Mach-O file.
const (
	maxCommands     = 1024
	maxCommandBytes = 1 << 20
)

// The load commands that the library does not name. A loader may pass over one
// that it does not know, without the bit loadRequired.
const (
	loadDylinker     = 0xe
	loadSignature    = 0x1d
	loadSplitInfo    = 0x1e
	loadDyldInfo     = 0x22
	loadStarts       = 0x26 // of functions
	loadDataInCode   = 0x29
	loadHints        = 0x2e // for the linker
	loadBuildVersion = 0x32

	loadRequired  = 0x80000000
	loadWeakDylib = loadRequired | 0x18
	loadRpath     = loadRequired | 0x1c
	loadReexport  = loadRequired | 0x1f
	loadUpward    = loadRequired | 0x23
	loadMain      = loadRequired | 0x28
	loadExports   = loadRequired | 0x33
	loadFixups    = loadRequired | 0x34
)

// What loads a program on macOS, and the library that it asks the system with.
const (
	machoLoader = "/usr/lib/dyld"
	machoSystem = "/usr/lib/libSystem.B.dylib"
)

// effectMachO is what macOS says of a file that it cannot load.
const effectMachO = "bad executable (or other load failure)"

// readMachO reads a macOS program.
func (f *Facts) readMachO(s *source) {
	f.Format, f.System = FormatMachO, "darwin"
	magic, _ := s.bytes(0, 4)
	f.BigEndian = magic[0] == 0xfe
	order, start := f.order(), uint64(28)
	f.Bits = 32
	if order.Uint32(magic) == macho.Magic64 {
		f.Bits, start = 64, 32
	}
	head, ok := s.bytes(0, start)
	if !ok {
		f.truncated("a Mach-O header", 0, start)
		return
	}
	word := func(i int) uint32 { return order.Uint32(head[4*i:]) }
	if f.Machine = machoMachine(macho.Cpu(word(1))); f.Machine == "" {
		f.Machine = fmt.Sprintf("machine %#x", word(1))
	}
	f.machoKind(word(2), macho.Type(word(3)), word(6))
	if f.Bits == 64 {
		f.odd("reserved field", uint64(word(7)), 0)
	}
	n, size := word(4), word(5)
	if n > maxCommands || size > maxCommandBytes {
		f.damage(Problem{Found: fmt.Sprintf("%d load commands of %d bytes", n, size), Expected: fmt.Sprintf("at most %d of %d", maxCommands, maxCommandBytes), Effect: effectMachO, Help: helpDamaged})
		return
	}
	commands, ok := s.bytes(start, uint64(size))
	if !ok {
		f.truncated("the load commands", start, uint64(size))
		return
	}
	c := &machoCommands{facts: f, source: s, order: order, start: start, end: start + uint64(size)}
	if !c.read(commands, n) {
		return
	}
	patched := s.with(c.patches...)
	file, err := macho.NewFile(patched)
	if err != nil {
		f.damage(Problem{Found: "load commands that cannot be read: " + err.Error(), Effect: effectMachO, Help: helpDamaged})
		return
	}
	f.readGo(patched)
	c.check(file)
}

// machoKind checks the type, the model of the processor and the flags.
func (f *Facts) machoKind(model uint32, typ macho.Type, flags uint32) {
	switch typ {
	case macho.TypeExec:
		f.Kind = KindExecutable
		if flags&macho.FlagPIE != 0 {
			f.Kind = KindPIE
		}
	case macho.TypeDylib, macho.TypeBundle:
		f.Kind = KindLibrary
	case macho.TypeObj:
		f.Kind = KindObject
	default:
		f.damage(Problem{Found: fmt.Sprintf("Mach-O type %d", uint32(typ)), Expected: "that of a program", Effect: effectMachO, Help: helpDamaged})
	}
	const feature = 0x80000000 // of the processor, which old systems look at
	model &^= feature
	want := map[string]uint32{machineX86: 3, machineX8664: 3}[f.Machine]
	// 8 is Haswell, and 1 the first model of 64-bit ARM. The second one is for
	// programs of the system alone.
	if model != want && (f.Machine != machineX8664 || model != 8) && (f.Machine != machineAArch64 || model != 1) {
		f.damage(Problem{Found: fmt.Sprintf("model %d of the processor", model), Expected: fmt.Sprint(want), Effect: "Bad CPU type in executable", Help: helpDamaged})
	}
}

// machoCommands are the load commands on their way.
type machoCommands struct {
	facts      *Facts
	source     *source
	order      binary.ByteOrder
	start, end uint64
	patches    []patch
	main       *uint64 // where the program starts, in the file
	stack      uint64  // of its first thread
	thread     *uint64 // the address where an initial thread starts
	signed     bool
	signature  [2]uint64 // where it is, and its size
	linkedit   machoLinkedit
}

// read looks at the commands one by one. The result is false when they cannot be
// read.
func (c *machoCommands) read(commands []byte, n uint32) bool {
	f, at := c.facts, c.start
	for range n {
		if len(commands) < 8 {
			f.damage(Problem{Found: fmt.Sprintf("fewer load commands than %d", n), Effect: effectMachO, Help: helpDamaged})
			return false
		}
		cmd, size := c.order.Uint32(commands), c.order.Uint32(commands[4:])
		if size < 8 || uint64(size) > uint64(len(commands)) || size%uint32(f.Bits/8) != 0 {
			f.damage(Problem{Found: fmt.Sprintf("a load command of %d bytes at byte %d", size, at), Effect: effectMachO, Help: helpDamaged})
			return false
		}
		if !c.command(macho.LoadCmd(cmd), commands[:size], at) {
			return false
		}
		commands, at = commands[size:], at+uint64(size)
	}
	f.odd("bytes behind the load commands:", uint64(len(commands)), 0)
	return len(commands) == 0
}

// command looks at one command. The library reads all symbols and relocations;
// it is shown none.
func (c *machoCommands) command(cmd macho.LoadCmd, data []byte, at uint64) bool {
	f := c.facts
	word := func(i int) uint64 { return uint64(c.order.Uint32(data[4*i:])) }
	switch cmd {
	case macho.LoadCmdSymtab, macho.LoadCmdDysymtab:
		c.patches = append(c.patches, patch{int64(at), []byte{0xff, 0xff, 0xff, 0x7f}})
	case loadDylinker:
		if name, ok := c.text(data); ok {
			f.Loader = name
		}
	case loadWeakDylib, loadReexport, loadUpward:
		if name, ok := c.text(data); ok {
			f.Libraries = append(f.Libraries, name)
		}
	case loadMain:
		if len(data) >= 24 {
			entry := c.order.Uint64(data[8:])
			c.main, c.stack = &entry, c.order.Uint64(data[16:])
		}
	case macho.LoadCmdUnixThread:
		c.initial(data)
	case loadSignature:
		if len(data) >= 16 {
			if word(3) == 0 {
				f.damage(Problem{Found: "a signature of 0 bytes", Effect: effectMachO, Help: helpDamaged})
			}
			c.signed, c.signature = true, [2]uint64{word(2), word(3)}
		}
	case macho.LoadCmdSegment, macho.LoadCmdSegment64:
		if !c.relocations(cmd, data, at) {
			f.damage(Problem{Found: fmt.Sprintf("a segment with other sections than fit its %d bytes", len(data)), Effect: effectMachO, Help: helpDamaged})
			return false
		}
	case loadBuildVersion:
		c.platform(data)
	case loadRpath, loadDyldInfo, loadDyldInfo | loadRequired, loadExports, loadFixups:
	default:
		if cmd&loadRequired != 0 {
			f.damage(Problem{Found: fmt.Sprintf("load command %#x, which must be known", uint32(cmd)), Effect: effectMachO, Help: helpDamaged})
		}
	}
	return c.linkedit.command(f, c.order, cmd, data)
}

// initial reads the registers of an initial thread, of which those of Intel with
// 64 bits are known: where it starts, and that the stack is for the system to find.
func (c *machoCommands) initial(data []byte) {
	f, entry := c.facts, uint64(0)
	c.thread = &entry
	const state, words, sp, ip = 4, 42, 7, 16
	if f.Machine != machineX8664 {
		return
	}
	if len(data) != 16+4*words || c.order.Uint32(data[8:]) != state || c.order.Uint32(data[12:]) != words || c.order.Uint64(data[16+8*sp:]) != 0 {
		f.damage(Problem{Found: "an initial thread with other registers", Effect: effectMachO, Help: helpDamaged})
		return
	}
	entry = c.order.Uint64(data[16+8*ip:])
}

// platform reads for which system a program is.
func (c *machoCommands) platform(data []byte) {
	const macOS, iOS, simulator = 1, 2, 7
	f := c.facts
	if len(data) < 24 || uint64(c.order.Uint32(data[20:]))*8 != uint64(len(data)-24) {
		f.damage(Problem{Found: fmt.Sprintf("a build version of %d bytes", len(data)), Effect: effectMachO, Help: helpDamaged})
		return
	}
	switch p := c.order.Uint32(data[8:]); p {
	case macOS:
	case iOS, simulator:
		f.System = "ios"
	default:
		f.damage(Problem{Found: fmt.Sprintf("platform %d", p), Expected: fmt.Sprint(macOS), Effect: effectMachO, Help: helpDamaged})
	}
}

// text is the one that a command names by its offset, in the word behind the head.
func (c *machoCommands) text(data []byte) (string, bool) {
	if len(data) < 12 {
		return "", false
	}
	at := c.order.Uint32(data[8:])
	if uint64(at) >= uint64(len(data)) {
		return "", false
	}
	text, _, ok := strings.Cut(string(data[at:]), "\x00")
	return text, ok
}

// relocations hides those of the sections of a segment. The result is false when
// it has not as many sections as it says.
func (c *machoCommands) relocations(cmd macho.LoadCmd, data []byte, at uint64) bool {
	head, each, field := 56, 68, 52
	if cmd == macho.LoadCmdSegment64 {
		head, each, field = 72, 80, 60
	}
	for i := head; i+each <= len(data); i += each {
		c.patches = append(c.patches, patch{int64(at) + int64(i+field), make([]byte, 4)})
	}
	return len(data) >= head && uint64(c.order.Uint32(data[head-8:]))*uint64(each) == uint64(len(data)-head)
}

// check looks at what macOS maps.
func (c *machoCommands) check(file *macho.File) {
	f, loads, code := c.facts, 0, false
	var end, next uint64 // of what was mapped, and of what of the file
	for _, load := range file.Loads {
		switch l := load.(type) {
		case *macho.Dylib:
			f.Libraries = append(f.Libraries, l.Name)
		case *macho.Rpath:
			f.SearchPath = append(f.SearchPath, l.Path)
		case *macho.Segment:
			loads++
			if !c.segment(l, end, next) {
				return
			}
			end = max(end, l.Addr+l.Memsz)
			if l.Filesz > 0 {
				next = l.Offset + l.Filesz
			}
			const execute = 4
			started := c.main != nil && *c.main >= max(l.Offset, c.end) && *c.main-l.Offset < l.Filesz
			if started {
				f.Entry = l.Addr + (*c.main - l.Offset)
			}
			thread := c.thread != nil && (*c.thread == 0 || *c.thread-l.Addr < l.Memsz)
			if thread {
				f.Entry = *c.thread
			}
			code = code || l.Prot&execute != 0 && (thread || started)
		}
	}
	for _, sec := range file.Sections {
		const zeros = 1
		if sec.Flags&0xff != zeros && sec.Size > 0 && !f.inside(c.source, "section "+sec.Name, uint64(sec.Offset), sec.Size) {
			return
		}
		if strings.HasPrefix(sec.Name, "__debug_") || strings.HasPrefix(sec.Name, "__zdebug_") {
			f.Debug = true
		}
		if !machoRun(sec) {
			f.damage(Problem{Found: fmt.Sprintf("section %s of kind %#x", sec.Name, sec.Flags), Expected: "no functions to call", Effect: effectCrash, Help: helpDamaged})
			return
		}
		if !machoCovered(file, sec) {
			f.damage(Problem{Found: fmt.Sprintf("section %s at address %#x, which no segment loads as it is", sec.Name, sec.Addr), Effect: effectCrash, Help: helpDamaged})
			return
		}
	}
	if c.linkedit.check(f, c.source, file); len(f.Damage) > 0 {
		return
	}
	if f.Kind == KindExecutable || f.Kind == KindPIE {
		c.program(file, loads > 0 && code)
	}
}

// program checks what macOS wants of a program. One that starts with a thread,
// as they did long ago, has no loader.
func (c *machoCommands) program(file *macho.File, code bool) {
	f := c.facts
	const most = 1 << 30
	switch {
	case !code:
		f.damage(Problem{Found: "no entry point in the code", Effect: effectMachO, Help: helpDamaged})
	case (c.main != nil || f.Dynamic()) && !c.layout(file):
		f.damage(Problem{Found: "other segments", Expected: "__TEXT, __LINKEDIT, and one without rights at address 0", Effect: effectMachO, Help: helpDamaged})
	case c.stack > most:
		f.damage(Problem{Found: fmt.Sprintf("a stack of %d bytes", c.stack), Expected: fmt.Sprintf("at most %d", most), Effect: effectMachO, Help: helpDamaged})
	case f.Machine == machineAArch64 && f.Kind != KindPIE:
		f.damage(Problem{Found: "a program for one address", Expected: KindPIE, Effect: effectMachO, Help: helpDamaged})
	case (c.main != nil || f.Dynamic()) && (f.Loader != machoLoader || !slices.Contains(f.Libraries, machoSystem)):
		f.damage(Problem{
			Found:    fmt.Sprintf("the loader %q and the libraries %s", f.Loader, strings.Join(f.Libraries, ", ")),
			Expected: machoLoader + " and " + machoSystem, Effect: effectMachO, Help: helpDamaged,
		})
	case f.Machine == machineAArch64 && !c.signed:
		f.damage(Problem{Found: "no signature", Expected: "one, if only of the linker", Effect: "killed: 9", Help: helpSign})
	case c.signed:
		c.machoSigned()
	}
}
