package verify_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// TestSize checks that no file looks empty that is not.
func TestSize(t *testing.T) {
	for size, want := range map[int64]string{
		0: "0.0 kB", 65: "0.1 kB", 40_000: "40.0 kB", 99_949: "99.9 kB", 100_000: "0.1 MB", 1_650_000: "1.6 MB", 2e9: "2000.0 MB",
	} {
		f := &verify.Facts{Size: size}
		var page strings.Builder
		if err := f.WritePage(&page, "x"); err != nil {
			t.Fatal(err)
		}
		if got := page.String(); got != "x: no program, "+want+"\n" {
			t.Errorf("%d bytes: got page %q, want %s", size, got, want)
		}
		if got := verify.Report([]verify.Line{{Name: "x", Facts: f}}); !strings.HasPrefix(got, "x  "+want+"  ") {
			t.Errorf("%d bytes: got report %q, want %s", size, got, want)
		}
	}
}

// TestPlan9Header checks that the order of bytes is that of the machine: the
// header has one of its own.
func TestPlan9Header(t *testing.T) {
	for magic, want := range map[uint32]string{
		0x1eb: "Plan 9 32-bit little endian x86", 0x647: "Plan 9 32-bit little endian ARM", 0x8a97: "Plan 9 64-bit little endian x86-64",
	} {
		head := make([]byte, 1000)
		binary.BigEndian.PutUint32(head, magic)
		f, err := verify.Read(bytes.NewReader(head), int64(len(head)))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.String(); got != want {
			t.Errorf("%#x: got %q, want %q", magic, got, want)
		}
	}
}

// TestPlan9Info reads the build info of programs whose data is at any byte of the
// file: its place in the data is what the linker aligns.
func TestPlan9Info(t *testing.T) {
	file := verifytest.Default(port(t, "linux/arm")).Bytes()
	data := file[bytes.Index(file, []byte("\xff Go buildinf:")):]
	for text := range uint32(33) {
		head := []byte{0, 0, 6, 0x47}
		for _, word := range []uint32{text, uint32(len(data)), 0, 0, 0x1020, 0, 0} {
			head = binary.BigEndian.AppendUint32(head, word)
		}
		f := read(t, append(append(head, make([]byte, text)...), data...))
		if got := f.Setting("GOARCH"); got != "arm" {
			t.Errorf("behind %d bytes of code: got GOARCH %q, want arm", text, got)
		}
	}
}
