package verify_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// read reads the facts of a file in memory.
func read(t *testing.T, data []byte) *verify.Facts {
	t.Helper()
	f, err := verify.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// promiseOf is what a plan says of [verifytest.Default] on scratch.
func promiseOf(p plan.Port) verify.Promise {
	return verify.Promise{
		Port: p, Program: true, Static: p.OS == "linux", Stripped: true, Release: "1.26", Builder: "golang:1.26-alpine",
		Package: "example.com/hello", Settings: append(p.Env(), "CGO_ENABLED=0", "-trimpath=true"),
	}
}

// port is a port by name, at its lowest level.
func port(t *testing.T, name string) plan.Port {
	t.Helper()
	for _, p := range plan.Ports() {
		if p.OS+"/"+p.Arch == name {
			return p
		}
	}
	t.Fatalf("no port %s", name)
	return plan.Port{}
}

// known reports whether verifytest writes the format of a port.
func known(p plan.Port) bool { return p.OS != "plan9" && p.OS != "aix" }

// TestJudgeNothing checks that a binary as it should be is no problem, on every
// port.
func TestJudgeNothing(t *testing.T) {
	for _, p := range plan.Ports() {
		if !known(p) {
			continue
		}
		for _, problem := range verify.Judge(read(t, verifytest.Default(p).Bytes()), promiseOf(p)) {
			t.Errorf("%s: %s", p, problem)
		}
	}
}

// TestJudge checks what is said of binaries that are not as they should be.
func TestJudge(t *testing.T) {
	type (
		binary  = verifytest.Binary
		promise = verify.Promise
	)
	set := func(b *binary, name, value string) {
		b.Settings = slices.DeleteFunc(b.Settings, func(s string) bool { return strings.HasPrefix(s, name+"=") })
		if value != "" {
			b.Settings = append(b.Settings, name+"="+value)
		}
	}
	for _, tt := range []struct {
		name   string
		port   string
		binary func(*binary)
		want   func(*promise)
		text   string // of all problems; empty for none
	}{
		{"another machine", "linux/arm64", func(b *binary) { b.Port.Arch = "amd64" }, nil,
			"found ELF 64-bit little endian x86-64, expected ELF 64-bit little endian AArch64; at run time: exec format error (does the go command of golang:1.26-alpine heed GOOS=linux GOARCH=arm64?)"},
		{"another byte order", "linux/mips64le", func(b *binary) { b.Port.Arch = "mips64" }, nil,
			"found ELF 64-bit big endian MIPS, expected ELF 64-bit little endian MIPS; at run time: exec format error (does the go command of golang:1.26-alpine heed GOOS=linux GOARCH=mips64le?)"},
		{"another width", "linux/amd64", func(b *binary) { b.Port.Arch = "386" }, nil,
			"found ELF 32-bit little endian x86, expected ELF 64-bit little endian x86-64; at run time: exec format error (does the go command of golang:1.26-alpine heed GOOS=linux GOARCH=amd64?)"},
		{"another format", "linux/amd64", func(b *binary) { b.Port.OS = "windows" }, nil,
			"found PE 64-bit little endian x86-64, expected ELF 64-bit little endian x86-64; at run time: exec format error (does the go command of golang:1.26-alpine heed GOOS=linux GOARCH=amd64?)"},
		{"another system", "js/wasm", func(b *binary) { b.Port.OS = "wasip1" }, func(p *promise) { p.Settings = nil },
			"found a program for wasip1, expected js; at run time: exec format error (does the go command of golang:1.26-alpine heed GOOS?)"},
		{"another system with the same format", "freebsd/amd64", func(b *binary) { b.Port.OS = "linux"; set(b, "GOOS", "linux") }, nil,
			"found GOOS=linux, expected GOOS=freebsd; at run time: exec format error (does the go command of golang:1.26-alpine heed it?)"},
		{"level", "linux/amd64", func(b *binary) { set(b, "GOAMD64", "v3") }, nil,
			"found GOAMD64=v3, expected GOAMD64=v1; at run time: illegal instruction on older processors, or slower code on newer ones (does the go command of golang:1.26-alpine heed it?)"},
		{"level with an option", "linux/arm64", func(b *binary) { set(b, "GOARM64", "v8.0,lse") }, nil,
			"found GOARM64=v8.0,lse, expected GOARM64=v8.0; at run time: illegal instruction on older processors, or slower code on newer ones (does the go command of golang:1.26-alpine heed it?)"},
		{"level with an option that is part of it", "linux/arm64", func(b *binary) { set(b, "GOARM64", "v8.1,lse") }, func(p *promise) { p.Settings[2] = "GOARM64=v8.1" }, ""},
		{"the usual floats", "linux/arm", func(b *binary) { set(b, "GOARM", "7,hardfloat") }, nil, ""},
		{"the usual floats of old processors", "linux/arm", func(b *binary) { set(b, "GOARM", "5,softfloat") }, func(p *promise) { p.Settings[2] = "GOARM=5" }, ""},
		{"other floats", "linux/arm", func(b *binary) { set(b, "GOARM", "7,softfloat") }, nil,
			"found GOARM=7,softfloat, expected GOARM=7; at run time: illegal instruction on older processors, or slower code on newer ones (does the go command of golang:1.26-alpine heed it?)"},
		{"level of an older release", "linux/riscv64", func(b *binary) { set(b, "GORISCV64", "") }, nil, ""},
		{"cgo", "linux/amd64", func(b *binary) { set(b, "CGO_ENABLED", "1") }, nil,
			"found CGO_ENABLED=1, expected CGO_ENABLED=0; at run time: it may need a C library: no such file or directory (does the go command of golang:1.26-alpine heed it?)"},
		{"trimpath", "linux/amd64", func(b *binary) { set(b, "-trimpath", "") }, nil,
			"found a build without -trimpath, expected -trimpath=true; at run time: stack traces show folders of the builder, and other machines build other bytes (does the go command of golang:1.26-alpine heed it?)"},
		{"trimpath that nobody asked for", "linux/amd64", nil, func(p *promise) { p.Settings = p.Settings[:1] }, ""},
		{"tags", "linux/amd64", func(b *binary) { set(b, "-tags", "a") }, func(p *promise) { p.Settings = append(p.Settings, "-tags=a,b") },
			"found -tags=a, expected -tags=a,b; at run time: other files of the source are in the program (does the go command of golang:1.26-alpine heed it?)"},
		{"tags that nobody asked for", "linux/amd64", func(b *binary) { set(b, "-tags", "a") }, nil, "found -tags=a, expected a build without -tags; at run time: other files of the source are in the program (does the go command of golang:1.26-alpine add it?)"},
		{"race that nobody asked for", "linux/amd64", func(b *binary) { set(b, "-race", "true") }, nil, "found -race=true, expected a build without -race; at run time: a program for tests, which is slower and needs more memory (does the go command of golang:1.26-alpine add it?)"},
		{"race", "linux/amd64", func(b *binary) { set(b, "-race", "true") }, func(p *promise) { p.Settings = append(p.Settings, "-race=true") }, ""},
		{"tags of GOFIPS140", "linux/amd64", func(b *binary) { set(b, "-tags", "fips140v1.0") }, func(p *promise) { p.Frozen = true }, ""},
		{"tags beside those of GOFIPS140", "linux/amd64", func(b *binary) { set(b, "-tags", "a,fips140v1.0") }, func(p *promise) { p.Frozen, p.Settings = true, append(p.Settings, "-tags=a") }, ""},
		{"tags of GOFIPS140 that are asked for", "linux/amd64", func(b *binary) { set(b, "-tags", "fips140v1.0") }, func(p *promise) { p.Frozen, p.Settings = true, append(p.Settings, "-tags=fips140v1.0") }, ""},
		{"more tags than those of GOFIPS140", "linux/amd64", func(b *binary) { set(b, "-tags", "a,fips140v1.0") }, func(p *promise) { p.Frozen = true },
			"found -tags=a, expected a build without -tags; at run time: other files of the source are in the program (does the go command of golang:1.26-alpine add it?)"},
		{"tags of GOFIPS140 that nobody asked for", "linux/amd64", func(b *binary) { set(b, "-tags", "fips140v1.0") }, nil,
			"found -tags=fips140v1.0, expected a build without -tags; at run time: other files of the source are in the program (does the go command of golang:1.26-alpine add it?)"},
		{"tags in another order", "linux/amd64", func(b *binary) { set(b, "-tags", "b,a") }, func(p *promise) { p.Settings = append(p.Settings, "-tags=a,b,a") }, ""},
		{"loader", "linux/amd64", func(b *binary) { b.Loader = "/lib64/ld-linux-x86-64.so.2" }, nil,
			"found a program that /lib64/ld-linux-x86-64.so.2 loads, expected a static program, since scratch has neither loader nor libraries; at run time: no such file or directory (choose an image.from that has them, or find out what makes the go command of golang:1.26-alpine link dynamically)"},
		{"libraries", "linux/arm", func(b *binary) { b.Loader = "/lib/ld.so"; b.Libraries = []string{"libc.so.6", "libm.so.6"} }, nil,
			"found a program that /lib/ld.so loads, with libc.so.6, libm.so.6, expected a static program, since scratch has neither loader nor libraries; at run time: no such file or directory (choose an image.from that has them, or find out what makes the go command of golang:1.26-alpine link dynamically)"},
		{"libraries where nothing is promised", "linux/amd64", func(b *binary) { b.Loader = "/lib/ld.so"; b.Libraries = []string{"libc.so.6"} }, func(p *promise) { p.Static = false }, ""},
		{"symbols", "linux/amd64", func(b *binary) { b.Symbols = true }, nil,
			"found DWARF, expected a stripped binary (-ldflags=-s -w) (does the go command of golang:1.26-alpine heed -ldflags? strip: false says that this is meant)"},
		{"symbols that are meant", "linux/amd64", func(b *binary) { b.Symbols = true }, func(p *promise) { p.Stripped = false }, ""},
		{"release", "linux/amd64", func(b *binary) { b.Release = "go1.25.3" }, nil,
			"found go1.25.3, expected go1.26; at run time: what differs between the releases (which release does golang:1.26-alpine hold?)"},
		{"patch of a release", "linux/amd64", func(b *binary) { b.Release = "go1.26.1" }, func(p *promise) { p.Release = "1.26.2" },
			"found go1.26.1, expected go1.26.2; at run time: what differs between the releases (which release does golang:1.26-alpine hold?)"},
		{"release of a vendor with an experiment", "linux/amd64", func(b *binary) { b.Release = "go1.26.2-fips X:jsonv2" }, func(p *promise) { p.Release = "1.26.2" }, ""},
		{"candidate", "linux/amd64", func(b *binary) { b.Release = "go1.27rc1" }, func(p *promise) { p.Release = "1.27rc1" }, ""},
		{"release that nobody knows", "linux/amd64", func(b *binary) { b.Release = "go1.25.3" }, func(p *promise) { p.Release = "" }, ""},
		{"package", "linux/amd64", func(b *binary) { b.Path = "example.com/other" }, nil,
			"found the program example.com/other, expected example.com/hello; at run time: another program starts (does the go command of golang:1.26-alpine build the package that it is given?)"},
		{"module", "linux/amd64", func(b *binary) {
			b.Deps = []string{"example.com/a@v1.0.0", "example.com/b@v1.2.0", "example.com/c@v1.0.0"}
		},
			func(p *promise) { p.Versions = []string{"example.com/a@v1.0.0", "example.com/b@v1.1.0"} },
			"found example.com/b v1.2.0, expected v1.1.0, as go.mod says; at run time: another version of the module (does the go command of golang:1.26-alpine change go.mod?)"},
		{"no build info", "linux/amd64", func(b *binary) { b.Release = "" }, nil,
			"found no build info, expected that of the go command (is the go of golang:1.26-alpine the go command?)"},
		{"no build info before it was written", "linux/amd64", func(b *binary) { b.Release = "" }, func(p *promise) { p.Release = "1.12" }, ""},
		{"a library", "linux/amd64", func(b *binary) { b.Loader = "/lib/ld.so" }, func(p *promise) { p.Program, p.Static = false, false }, ""},
		{"control characters", "linux/amd64", func(b *binary) { b.Path = "a\x1b[2Jb" }, nil,
			"found the program a\ufffd[2Jb, expected example.com/hello; at run time: another program starts (does the go command of golang:1.26-alpine build the package that it is given?)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := port(t, tt.port)
			b, want := verifytest.Default(p), promiseOf(p)
			if tt.binary != nil {
				tt.binary(&b)
			}
			if tt.want != nil {
				tt.want(&want)
			}
			var got []string
			for _, problem := range verify.Judge(read(t, b.Bytes()), want) {
				got = append(got, problem.String())
			}
			if text := strings.Join(got, "\n"); text != tt.text {
				t.Errorf("got  %s\nwant %s", text, tt.text)
			}
		})
	}
}

// TestJudgeOther checks what is said of files that are no programs.
func TestJudgeOther(t *testing.T) {
	for _, tt := range []struct{ name, data, text string }{
		{"empty", "", "found an empty file, expected ELF 64-bit little endian x86-64; at run time: exec format error"},
		{"script", "#!/bin/sh\nexit 0\n", "found 17 bytes that are no program, expected ELF 64-bit little endian x86-64; at run time: exec format error"},
		{"archive", "!<arch>\n", "found archive, expected ELF 64-bit little endian x86-64; at run time: exec format error"},
		{"start of a header", "\x7fELF", "found ELF, expected ELF 64-bit little endian x86-64; at run time: exec format error"},
	} {
		got := verify.Judge(read(t, []byte(tt.data)), promiseOf(port(t, "linux/amd64")))
		if len(got) != 1 || !strings.HasPrefix(got[0].String(), tt.text+" (") {
			t.Errorf("%s: got %v, want %s", tt.name, got, tt.text)
		}
	}
	archive := promiseOf(port(t, "linux/amd64"))
	archive.Program, archive.Static = false, false
	if got := verify.Judge(read(t, []byte("!<arch>\n")), archive); len(got) > 0 {
		t.Errorf("an archive that was asked for: got %v, want nothing", got)
	}
}

// TestTruncated cuts binaries off at every byte, with -short at some: each is
// stopped.
func TestTruncated(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 31
	}
	for _, p := range plan.Ports() {
		if !known(p) {
			continue
		}
		data := verifytest.Default(p).Bytes()
		for n := 0; n < len(data); n += step {
			if got := verify.Judge(read(t, data[:n]), promiseOf(p)); len(got) == 0 {
				t.Fatalf("%s: got nothing for the first %d of %d bytes, want a problem", p, n, len(data))
			}
		}
	}
}

// TestPromiseOf takes what the go command is told with its flags and with GOFLAGS.
func TestPromiseOf(t *testing.T) {
	p := port(t, "linux/amd64")
	for _, tt := range []struct {
		env, flags []string
		want       string
	}{
		{nil, []string{"-trimpath", "-tags=a,b", "-buildmode=pie"}, "-trimpath=true -tags=a,b -buildmode=pie"},
		{[]string{"GOFLAGS=-tags=a -race", "GOOS=linux", "HOME=/"}, []string{"-tags=b", "-buildmode=default"}, "GOOS=linux -race=true -tags=b"},
		{[]string{"GOFLAGS=-cover=false -coverpkg=./..."}, []string{"-trimpath=false", "-race=false"}, "-cover=true"},
		{[]string{"GOFLAGS=-cover"}, nil, "-cover=true"},
	} {
		got := verify.PromiseOf(&plan.Plan{}, &plan.Target{Port: p}, &plan.Binary{Env: tt.env, Flags: tt.flags}).Settings
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%q %q: got %q, want %q", tt.env, tt.flags, text, tt.want)
		}
	}
}
