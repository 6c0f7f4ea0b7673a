package verify_test

import (
	"encoding/binary"
	"strings"
	"testing"
)

// wasmSection is a part of a WebAssembly module.
func wasmSection(id byte, body string) string {
	return string(binary.AppendUvarint([]byte{id}, uint64(len(body)))) + body
}

// wasmText is a name as WebAssembly has it.
func wasmText(s string) string {
	return string(binary.AppendUvarint(nil, uint64(len(s)))) + s
}

// TestWasmInfo looks for the build info among the data: wherever it stands, and
// not where there is none or a part of one.
func TestWasmInfo(t *testing.T) {
	const (
		magic    = "\x00asm\x01\x00\x00\x00"
		start    = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"
		end      = "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
		modules  = start + "path\texample.com/app\nmod\texample.com/app\t(devel)\t\n" + end
		customID = 0
		dataID   = 11
		part     = 256 << 10 // what is read at a time
	)
	data := func(memory string) string { // one segment at address 0
		return wasmSection(dataID, "\x01\x00\x41\x00\x0b"+wasmText(memory))
	}
	producers := wasmSection(customID, wasmText("producers")+"\x01"+wasmText("language")+"\x01"+wasmText("Go")+wasmText("go1.26.0"))
	for _, before := range []int{0, 65519, 65520, 65530, 65535, 131000, part - 17, part - 16, part - 15, part - 1, part, part + 1, 2*part - 8} {
		facts := read(t, []byte(magic+data(strings.Repeat("\x00", before)+modules+"more")+producers))
		if facts.Go == nil || facts.Go.Main.Path != "example.com/app" || facts.Go.GoVersion != "go1.26.0" {
			t.Errorf("after %d bytes: got %+v, want example.com/app of go1.26.0", before, facts.Go)
		}
	}
	whole := magic + data(strings.Repeat("\x00", 100_000)+modules) + producers
	for name, text := range map[string]string{
		"no data":    magic + producers,
		"no end":     magic + data(start+"path\texample.com/app\n"+strings.Repeat("x", 100)),
		"cut":        whole[:50_000],
		"no modules": magic + data(strings.Repeat("x", 2*part)),
		"no module":  magic + data(start+"mod\ta\n"+end),
		"no length":  magic + "\x0b\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		if info := read(t, []byte(text)).Go; info != nil && info.Path != "" {
			t.Errorf("%s: got %+v, want no modules", name, info)
		}
	}
}

// TestWasmLimits checks that of a module with very many parts only some are looked
// at, and that what names them is not kept.
func TestWasmLimits(t *testing.T) {
	const magic = "\x00asm\x01\x00\x00\x00"
	entries := func(id byte, n int, entry string) string {
		return magic + wasmSection(id, string(binary.AppendUvarint(nil, uint64(n)))+strings.Repeat(entry, n))
	}
	const importID, exportID, dataID = 2, 7, 11
	imported, exported, part := "\x01a\x01b\x00\x00", "\x01a\x00\x00", "\x00\x41\x00\x0b\x00"
	for _, tt := range []struct {
		name, data string
		few        string // how many may be there
		want       string
	}{
		{"sections", magic + strings.Repeat(wasmSection(0, "\x01x"), 1025), magic + strings.Repeat(wasmSection(0, "\x01x"), 1024), "more than 1024 sections"},
		{"imports", entries(importID, 100_001, imported), entries(importID, 100_000, imported), "section 2 at byte 12, which cannot be read"},
		{"exports", entries(exportID, 100_001, exported), entries(exportID, 100_000, exported), "section 7 at byte 12, which cannot be read"},
		{"data", entries(dataID, 100_001, part), entries(dataID, 100_000, part), "section 11 at byte 12, which cannot be read"},
	} {
		if got := lines(read(t, []byte(tt.data)).Damage); !strings.HasPrefix(got, "found "+tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if got := lines(read(t, []byte(tt.few)).Damage); !strings.HasPrefix(got, "found a WebAssembly module without section 1;") {
			t.Errorf("%s: got %q for as many as there may be, want nothing of them", tt.name, got)
		}
	}
}
