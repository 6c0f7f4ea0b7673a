package verify_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// maxAllocated is more memory than any file of the fuzzer may take: it is far
// above what headers need, and far below what a file can ask for.
const maxAllocated = 64 << 20

// fuzz reads whatever there is, as a binary of a port.
func fuzz(f *testing.F, ports ...string) {
	want := promiseOf(plan.Port{OS: "linux", Arch: "amd64", Level: "v1"})
	for _, p := range plan.Ports() {
		for _, name := range ports {
			if p.OS+"/"+p.Arch == name {
				want = promiseOf(p)
				f.Add(verifytest.Default(p).Bytes())
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		facts, err := verify.Read(bytes.NewReader(data), int64(len(data)))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > maxAllocated {
			t.Errorf("got %d bytes of memory for %d of a file, want at most %d", n, len(data), maxAllocated)
		}
		if err != nil {
			t.Fatalf("got %v, want facts: nothing fails to read", err)
		}
		for _, problem := range verify.Judge(facts, want) {
			if problem.Found == "" {
				t.Errorf("got a problem with nothing found: %+v", problem)
			}
		}
		if facts.Format != "" {
			verify.Report([]verify.Line{{Facts: facts}})
		}
	})
}

func FuzzELF(f *testing.F) {
	p := plan.Port{OS: "linux", Arch: "amd64", Level: "v1"}
	b := verifytest.Default(p)
	b.Loader, b.Libraries, b.RunPath, b.Symbols = "/lib64/ld-linux-x86-64.so.2", []string{"libc.so.6"}, "$ORIGIN:/lib", true
	f.Add(b.Bytes())
	fuzz(f, "linux/amd64", "linux/386", "linux/mips", "linux/s390x", "freebsd/arm")
}

func FuzzPE(f *testing.F) { fuzz(f, "windows/386", "windows/amd64", "windows/arm64") }

func FuzzMachO(f *testing.F) { fuzz(f, "darwin/amd64", "darwin/arm64") }

func FuzzWasm(f *testing.F) { fuzz(f, "js/wasm", "wasip1/wasm") }

// FuzzOther begins with the headers of the formats that have a test of their own
// with the go command alone.
func FuzzOther(f *testing.F) {
	f.Add(append([]byte("\x00\x00\x8a\x97"), make([]byte, 64)...))
	f.Add(append([]byte("\x00\x00\x01\xeb"), make([]byte, 64)...))
	f.Add(append([]byte("\x01\xf7\x00\x01"), make([]byte, 256)...))
	f.Add([]byte("!<arch>\n"))
	fuzz(f)
}

// broken fails after some bytes.
type broken struct {
	data []byte
	good int
}

var errBroken = errors.New("the wire is cut")

func (b *broken) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > int64(b.good) {
		return 0, errBroken
	}
	return bytes.NewReader(b.data).ReadAt(p, off)
}

// TestReadError checks that a failure to read is not taken for a bad file,
// wherever it happens.
func TestReadError(t *testing.T) {
	for _, p := range plan.Ports() {
		if !known(p) {
			continue
		}
		data := verifytest.Default(p).Bytes()
		for good := 0; good < len(data)/3; good += 64 {
			if _, err := verify.Read(&broken{data, good}, int64(len(data))); !errors.Is(err, errBroken) {
				t.Fatalf("%s: got %v after %d bytes, want %v", p, err, good, errBroken)
			}
		}
		// A file that ends before its size.
		if _, err := verify.Read(bytes.NewReader(data[:100]), int64(len(data))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %v, want %v", p, err, io.ErrUnexpectedEOF)
		}
	}
}
