package size

import (
	"bytes"
	"debug/buildinfo"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// TestPackageOf checks names as the linker writes them.
func TestPackageOf(t *testing.T) {
	for symbol, want := range map[string]string{
		"main.main":                "main",
		"runtime.mallocgc":         "runtime",
		"net/http.(*Client).Do":    "net/http",
		"net/http.(*Client).Do-fm": "net/http",
		"net/http.init.func1":      "net/http",
		"vendor/golang.org/x/net/idna.(*Profile).ToASCII":      "vendor/golang.org/x/net/idna",
		"gopkg.in/yaml%2ev3.Unmarshal":                         "gopkg.in/yaml.v3",
		"example.com/a%2eb/c.F":                                "example.com/a.b/c",
		"slices.SortFunc[go.shape.[]net/http.Cookie,int]":      "slices",
		"sync/atomic.(*Pointer[net/http.response]).Store":      "sync/atomic",
		"type:.eq.net/http.http2FrameHeader":                   "net/http",
		"type:.hash.example.com/a.B":                           "example.com/a",
		"github.com/go-chi/chi/v5.(*Mux).routeHTTP.deferwrap1": "github.com/go-chi/chi/v5",
		"main..inittask":                                       "main",
		"_rt0_amd64_linux":                                     "",
		"memeqbody":                                            "",
		"go:string.*":                                          "",
		"go:itab.*os.File,io.Reader":                           "",
		"type:*":                                               "",
		"$f64.3ff0000000000000":                                "",
		".text":                                                "",
		"":                                                     "",
	} {
		if got := packageOf(symbol); got != want {
			t.Errorf("%s: got %q, want %q", symbol, got, want)
		}
	}
}

// compiled links a program for a port, with its symbols.
func compiled(t *testing.T, port string) string {
	t.Helper()
	return verifytest.Compile(t, port, "-w", map[string]string{
		"go.mod":       "module example.com/app\n\ngo 1.26.0\n\nrequire example.com/dep.v1 v1.2.3\n\nreplace example.com/dep.v1 => ./dep\n",
		"main.go":      "package main\n\nimport \"example.com/dep.v1/sub\"\n\nfunc main() { println(sub.Last(len(sub.Table)), sub.Buffer.Len()) }\n",
		"dep/go.mod":   "module example.com/dep.v1\n\ngo 1.26.0\n",
		"dep/sub/a.go": dependency,
	})
}

// dependency is a package with all that has a symbol: data that is in the file,
// and some that is not, a function, one of a type, a method and a closure.
const dependency = `package sub

// Table is data.
var Table = [10000]byte{1, 2, 3, 9999: 4}

// Buffer is not in the file.
var Buffer buffer

type buffer [5000]byte

// Len is the length.
//
//go:noinline
func (b *buffer) Len() int { return len(b) }

// Last is what stands before n.
//
//go:noinline
func Last(n int) byte {
	before := func() int { return less(n) }
	return Table[call(before)]
}

//go:noinline
func call(f func() int) int { return f() }

//go:noinline
func less[T int | uint](n T) T { return n - 1 }
`

// TestRead reads binaries of all formats: every byte that is loaded is counted
// once, and that of a module is its own.
func TestRead(t *testing.T) {
	ports := []string{"linux/amd64", "wasip1/wasm"}
	if !testing.Short() {
		ports = append(ports, "windows/amd64", "darwin/arm64")
	}
	for _, port := range ports {
		t.Run(port, func(t *testing.T) {
			data, err := os.ReadFile(compiled(t, port))
			if err != nil {
				t.Fatal(err)
			}
			b, err := Read(bytes.NewReader(data), "app", int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(port, "/wasm") {
				if want := []Part{{partUnknown, int64(len(data))}}; !slices.Equal(b.Rest, want) || b.Size != b.File {
					t.Errorf("got %+v, want %v", b, want)
				}
				return
			}
			checkCounted(t, b, data)
		})
	}
}

func checkCounted(t *testing.T, b Binary, data []byte) {
	t.Helper()
	img, err := open(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	loaded := int64(0)
	for _, s := range img.sections {
		loaded += int64(s.size)
	}
	if b.Size != loaded || b.File != int64(len(data)) {
		t.Errorf("got %d of %d bytes, want %d of %d", b.Size, b.File, loaded, len(data))
	}
	sizes := map[string]int64{}
	for _, m := range b.Modules {
		sum := int64(0)
		for _, p := range m.Packages {
			sum += p.Size
		}
		if sum != m.Size {
			t.Errorf("%s: got %d bytes, want the sum of its packages %d", m.Path, m.Size, sum)
		}
		sizes[m.Path] = m.Size
	}
	if n := sizes["example.com/dep.v1"]; n < 10_000 || n > 10_500 {
		t.Errorf("example.com/dep.v1: got %d bytes, want its table of 10000", n)
	}
	if n := sizes["example.com/app"]; n < 10 || n > 1000 {
		t.Errorf("example.com/app: got %d bytes, want a short function", n)
	}
	if sizes[Std] < b.Size/4 || len(sizes) != 3 {
		t.Errorf("got %v, want std and two modules", sizes)
	}
}

// TestNM compares a package with what go tool nm says of its symbols.
func TestNM(t *testing.T) {
	exe := compiled(t, "linux/amd64")
	out, err := exec.Command("go", "tool", "nm", "-size", "-type", exe).Output()
	if err != nil {
		t.Fatal(err)
	}
	const path = "example.com/dep.v1/sub"
	sizes, want := map[string]int64{}, int64(0)
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line) // address size type name
		if len(f) == 4 && strings.HasPrefix(f[3], path+".") {
			sizes[strings.TrimPrefix(f[3], path+".")] = number(t, f[1])
			want += number(t, f[1])
		}
	}
	for _, name := range []string{"Table", "Buffer", "Last", "Last.func1", "(*buffer).Len", "call"} {
		if sizes[name] == 0 {
			t.Errorf("go tool nm has no %s.%s: got %v", path, name, sizes)
		}
	}
	want -= sizes["Buffer"] // it is not in the file
	data, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Read(bytes.NewReader(data), "app", int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range b.Modules {
		for _, p := range m.Packages {
			if p.Name == path {
				if p.Size != want {
					t.Errorf("got %d bytes of %s, want %d", p.Size, path, want)
				}
				return
			}
		}
	}
	t.Errorf("got %+v, want %d bytes of %s", b.Modules, want, path)
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	var n json.Number
	if err := json.Unmarshal([]byte(s), &n); err != nil {
		t.Fatal(err)
	}
	i, err := n.Int64()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestModuleOf checks to which module a package belongs.
func TestModuleOf(t *testing.T) {
	info := &buildinfo.BuildInfo{
		GoVersion: "go1.26.8", Path: "example.com/app/cmd/server",
		Main: debug.Module{Path: "example.com/app", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "example.com/app/sub", Version: "v1.0.0"},
			{Path: "example.com/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/c", Version: "v2.0.0"}},
			nil,
		},
	}
	for path, want := range map[string]string{
		"main":                    "example.com/app/cmd/server in example.com/app devel",
		"example.com/app/x":       "example.com/app/x in example.com/app devel",
		"example.com/app/sub/x":   "example.com/app/sub/x in example.com/app/sub v1.0.0",
		"example.com/app/subs":    "example.com/app/subs in example.com/app devel",
		"example.com/b":           "example.com/b in example.com/b v2.0.0",
		"net/http":                "net/http in std go1.26.8",
		"vendor/golang.org/x/net": "vendor/golang.org/x/net in std go1.26.8",
	} {
		path, m := moduleOf(path, info)
		if got := path + " in " + m.Path + " " + m.Version; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestCount checks that symbols which overlap, or lie in no section, count once
// or not at all.
func TestCount(t *testing.T) {
	img := &image{
		sections: []section{{".text", 100, 50, true}, {".rodata", 170, 10, false}, {".data", 200, 20, false}},
		symbols: []symbol{
			{"a.outside", 10, 30}, {"a.first", 100, 20}, {"a.inner", 105, 5}, {"b.over", 110, 20}, {"memmove", 140, 100},
			{"c.none", 160, 10}, {"runtime.findfunctab", 170, 3}, {"c.open", 200, 0}, {"d.open", 205, 0}, {"e.beyond", 500, 1},
		},
	}
	if err := img.check(1000); err != nil {
		t.Fatal(err)
	}
	b := Binary{}
	count(&b, img, &buildinfo.BuildInfo{})
	want := Binary{Size: 80, Modules: []Module{
		{Path: Std, Size: 50, Packages: []Part{{"a", 20}, {"d", 15}, {"b", 10}, {"c", 5}}},
	}, Rest: []Part{{partAssembly, 10}, {partCode, 10}, {partStrings, 7}, {partTables, 3}}}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestHostile shows names that would change a terminal or a page: as the linker
// writes them, and as they are.
func TestHostile(t *testing.T) {
	img := &image{sections: []section{{".data", 0, 100, false}}}
	names := []string{"x%1b]0;pwned%07/y.v", "x\x1b]0;raw/y.v", "a%0a%09b/c.v", "a/%e2%80%ae%c2%9b2J.v", "a/%ff.v", "a/<script>.v", "a/\"&'.v"}
	for i, name := range names {
		img.symbols = append(img.symbols, symbol{name, uint64(i) * 10, 10})
	}
	b := Binary{Name: "app"}
	info := &buildinfo.BuildInfo{Main: debug.Module{Path: "a", Version: "v1\x1b[2J"}}
	count(&b, img, info)
	want := []string{`a/"&'`, "a/<script>", `a/\u202e\u009b2J`, "a/\ufffd", `a\n\tb/c`, `x\x1b]0;pwned\a/y`, `x\x1b]0;raw/y`}
	var got []string
	for _, m := range b.Modules {
		for _, p := range m.Packages {
			got = append(got, p.Name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	r := &Report{Platform: "linux/amd64", Binaries: []Binary{b}}
	for name, write := range map[string]func(io.Writer) error{"text": r.WriteText, "JSON": r.WriteJSON, "HTML": r.WriteHTML} {
		var out strings.Builder
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if line = strings.TrimSuffix(line, "\n"); redact.Printable(line) != line {
				t.Errorf("%s: got %q", name, line)
			}
		}
		if name != "text" && strings.Contains(out.String(), "<script") {
			t.Errorf("%s: got a tag of a name:\n%s", name, out.String())
		}
	}
}

// tiny is an ELF file with a section of code, two symbols and their names.
func tiny() []byte {
	var b bytes.Buffer
	put := func(v ...any) {
		for _, x := range v {
			_ = binary.Write(&b, binary.LittleEndian, x)
		}
	}
	const code, symbols, names = 64, 80, 80 + 72
	text := "\x00main.main\x00runtime.main\x00.text\x00.symtab\x00.strtab\x00"
	headers := uint64(names + len(text))
	put([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), uint16(2), uint16(62), uint32(1), uint64(0x1000), uint64(0), headers, uint32(0), uint16(64), uint16(0), uint16(0), uint16(64), uint16(4), uint16(3))
	put(make([]byte, 16), make([]byte, 24))
	put(uint32(1), byte(2), byte(0), uint16(1), uint64(0x1000), uint64(8), uint32(11), byte(2), byte(0), uint16(1), uint64(0x1008), uint64(4))
	put([]byte(text), make([]byte, 64))
	put(uint32(24), uint32(1), uint64(6), uint64(0x1000), uint64(code), uint64(16), uint32(0), uint32(0), uint64(1), uint64(0))
	put(uint32(30), uint32(2), uint64(0), uint64(0), uint64(symbols), uint64(72), uint32(3), uint32(1), uint64(8), uint64(24))
	put(uint32(38), uint32(3), uint64(0), uint64(0), uint64(names), uint64(len(text)), uint32(0), uint32(0), uint64(1), uint64(0))
	return b.Bytes()
}

// FuzzRead counts the bytes of any file. No part is more than the whole.
func FuzzRead(f *testing.F) {
	f.Add(tiny())
	f.Add([]byte("MZ"))
	f.Add([]byte("\xcf\xfa\xed\xfe"))
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := open(bytes.NewReader(data))
		if err != nil || img.check(int64(len(data))) != nil {
			return
		}
		b := Binary{File: int64(len(data))}
		count(&b, img, &buildinfo.BuildInfo{})
		if b.Size > b.File {
			t.Errorf("got %d bytes, want at most %d", b.Size, b.File)
		}
		r := &Report{Binaries: []Binary{b}}
		if err := errors.Join(r.WriteText(io.Discard), r.WriteHTML(io.Discard)); err != nil {
			t.Error(err)
		}
	})
}

// TestTiny checks that the seed of the fuzzer is a file that can be read, and
// what is refused.
func TestTiny(t *testing.T) {
	img, err := open(bytes.NewReader(tiny()))
	if err != nil {
		t.Fatal(err)
	}
	if err := img.check(int64(len(tiny()))); err != nil {
		t.Fatal(err)
	}
	b := Binary{}
	count(&b, img, &buildinfo.BuildInfo{})
	want := []Module{{Path: Std, Size: 12, Packages: []Part{{"main", 8}, {"runtime", 4}}}}
	if diff := cmp.Diff(want, b.Modules); diff != "" || b.Size != 16 || !slices.Equal(b.Rest, []Part{{partCode, 4}}) {
		t.Errorf("-want +got:\n%s\n%+v", diff, b)
	}
	if err := img.check(15); err == nil {
		t.Error("a section larger than the file: got no error")
	}
	img.symbols = nil
	if err := img.check(1 << 20); err == nil {
		t.Error("no symbols: got no error")
	}
}
