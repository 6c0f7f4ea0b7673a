package plan

import (
	"fmt"
	"go/build"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// goCommand runs the go command that compiled the test with variables added to
// an environment that says nothing about ports.
func goCommand(t *testing.T, dir string, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GO") || strings.HasPrefix(v, "GOCACHE=") || strings.HasPrefix(v, "GOROOT=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "GOTOOLCHAIN=local", "GOENV=off", "GOWORK=off", "PWD="+dir)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// allPorts returns every port at each of its levels.
func allPorts() []Port {
	var list []Port
	for _, p := range Ports() {
		if p.Level == "" {
			list = append(list, p)
		}
		for _, level := range levelsOf(p.Arch).known {
			list = append(list, Port{OS: p.OS, Arch: p.Arch, Level: level})
		}
	}
	return list
}

func TestPortsAreThoseOfGo(t *testing.T) {
	out, err := goCommand(t, t.TempDir(), nil, "tool", "dist", "list")
	if err != nil {
		t.Fatalf("go tool dist list: %v\n%s", err, out)
	}
	if diff := cmp.Diff(strings.Fields(out), portNames()); diff != "" {
		t.Errorf("go tool dist list (-) and portNames (+):\n%s", diff)
	}
}

// TestLevelsAreThoseOfGo asks the go command for the default level and for the
// tags of each level.
func TestLevelsAreThoseOfGo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command once for each level")
	}
	dir := t.TempDir()
	seen := map[string]bool{}
	for _, p := range allPorts() {
		if seen[p.Arch+p.Level] {
			continue
		}
		seen[p.Arch+p.Level] = true
		out, err := goCommand(t, dir, p.Env(), "list", "-f", "{{range context.ToolTags}}{{.}} {{end}}", "unsafe")
		if err != nil {
			t.Errorf("%v: the go command refuses it: %s", p, out)
			continue
		}
		want := slices.DeleteFunc(strings.Fields(out), func(tag string) bool { return strings.HasPrefix(tag, "goexperiment.") })
		got := append([]string{}, p.levelTags()...)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: tags of the go command (-) and levelTags (+):\n%s", p, diff)
		}
		if p.Level == "" || p.Level != levelsOf(p.Arch).first {
			continue
		}
		out, err = goCommand(t, dir, p.Env()[:2], "env", p.LevelVar())
		if err != nil || out != p.Level {
			t.Errorf("go env %s for %s/%s: got %q (%v), want %q", p.LevelVar(), p.OS, p.Arch, out, err, p.Level)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, want := range allPorts() {
		p := want.Platform()
		if diff := cmp.Diff(platforms.Normalize(p), p); diff != "" {
			t.Errorf("%v: platform is not normal (-want +got):\n%s", want, diff)
		}
		if first := levelsOf(want.Arch).first; want.Level == first && p.Variant != "" && want.Arch != "arm" {
			t.Errorf("%v: got variant %q, want none", want, p.Variant)
		}
		got, err := PortOf(p)
		if err != nil || got != want {
			t.Errorf("PortOf(%s): got %v, %v, want %v", platforms.Format(p), got, err, want)
		}
		parsed, err := ParsePlatform(platforms.Format(p))
		if err != nil {
			t.Errorf("ParsePlatform(%q): %v", platforms.Format(p), err)
			continue
		}
		if got, err := PortOf(parsed); err != nil || got != want {
			t.Errorf("port of %q: got %v, %v, want %v", platforms.Format(p), got, err, want)
		}
	}
}

func TestParsePlatform(t *testing.T) {
	for _, tt := range []struct {
		in, platform, port string
	}{
		{"linux/amd64", "linux/amd64", "linux/amd64 GOAMD64=v1"},
		{"linux/amd64/v1", "linux/amd64", "linux/amd64 GOAMD64=v1"},
		{"linux/amd64/v3", "linux/amd64/v3", "linux/amd64 GOAMD64=v3"},
		{"linux/x86_64", "linux/amd64", "linux/amd64 GOAMD64=v1"},
		{"Linux/AMD64", "linux/amd64", "linux/amd64 GOAMD64=v1"},
		{"linux/arm", "linux/arm/v7", "linux/arm GOARM=7"},
		{"linux/arm/v5", "linux/arm/v5", "linux/arm GOARM=5"},
		{"linux/arm/6", "linux/arm/v6", "linux/arm GOARM=6"},
		{"linux/arm/v8", "linux/arm/v8", "linux/arm GOARM=7"},
		{"linux/armhf", "linux/arm/v7", "linux/arm GOARM=7"},
		{"linux/armel", "linux/arm/v6", "linux/arm GOARM=6"},
		{"linux/arm64", "linux/arm64", "linux/arm64 GOARM64=v8.0"},
		{"linux/arm64/v8", "linux/arm64", "linux/arm64 GOARM64=v8.0"},
		{"linux/arm64/v8.2", "linux/arm64/v8.2", "linux/arm64 GOARM64=v8.2"},
		{"linux/arm64/v9", "linux/arm64/v9", "linux/arm64 GOARM64=v9.0"},
		{"linux/arm64/v9.5", "linux/arm64/v9.5", "linux/arm64 GOARM64=v9.5"},
		{"linux/aarch64", "linux/arm64", "linux/arm64 GOARM64=v8.0"},
		{"linux/i386", "linux/386", "linux/386 GO386=sse2"},
		{"linux/386/softfloat", "linux/386/softfloat", "linux/386 GO386=softfloat"},
		{"linux/mips64le", "linux/mips64le", "linux/mips64le GOMIPS64=hardfloat"},
		{"linux/mipsle/softfloat", "linux/mipsle/softfloat", "linux/mipsle GOMIPS=softfloat"},
		{"linux/ppc64le/power10", "linux/ppc64le/power10", "linux/ppc64le GOPPC64=power10"},
		{"linux/riscv64", "linux/riscv64", "linux/riscv64 GORISCV64=rva20u64"},
		{"linux/riscv64/rva23u64", "linux/riscv64/rva23u64", "linux/riscv64 GORISCV64=rva23u64"},
		{"linux/s390x", "linux/s390x", "linux/s390x"},
		{"linux/loong64", "linux/loong64", "linux/loong64"},
		{"macos/arm64", "darwin/arm64", "darwin/arm64 GOARM64=v8.0"},
		{"wasip1/wasm", "wasip1/wasm", "wasip1/wasm"},
		{"js/wasm", "js/wasm", "js/wasm"},
		{"windows(10.0.20348)/amd64", "windows(10.0.20348)/amd64", "windows/amd64 GOAMD64=v1"},
	} {
		p, err := ParsePlatform(tt.in)
		if err != nil {
			t.Errorf("ParsePlatform(%q): %v", tt.in, err)
			continue
		}
		if got := platforms.FormatAll(p); got != tt.platform {
			t.Errorf("ParsePlatform(%q): got %q, want %q", tt.in, got, tt.platform)
		}
		if port, err := PortOf(p); err != nil || port.String() != tt.port {
			t.Errorf("port of %q: got %q, %v, want %q", tt.in, port, err, tt.port)
		}
	}
}

func TestParsePlatformErrors(t *testing.T) {
	const linux = "(known: linux/386, linux/amd64, linux/arm, linux/arm64, linux/loong64, linux/mips, linux/mips64, linux/mips64le, linux/mipsle, linux/ppc64, linux/ppc64le, linux/riscv64, linux/s390x)"
	for _, tt := range []struct{ in, want string }{
		{"", `unknown platform "" (expected one such as linux/amd64)`},
		{"linux/amd46", `unknown platform "linux/amd46" (did you mean "linux/amd64"?)`},
		{"linux/amd46/v3", `unknown platform "linux/amd46/v3" (did you mean "linux/amd64"?)`},
		{"lunix/arm64", `unknown platform "lunix/arm64" (did you mean "linux/arm64"?)`},
		{"darwin/386", `unknown platform "darwin/386" (known: darwin/amd64, darwin/arm64)`},
		{"amd64", `unknown platform "amd64" (did you mean "linux/amd64"?)`},
		{"linux", `unknown platform "linux" (did you mean "linux/amd64"?)`},
		{"wasip1", `unknown platform "wasip1" (did you mean "wasip1/wasm"?)`},
		{"macos", `unknown platform "macos" (did you mean "darwin/amd64"?)`},
		{"linux/", `unknown platform "linux/" ` + linux},
		{"linux/amd64/", `unknown platform "linux/amd64/" (did you mean "linux/amd64"?)`},
		{"linux/arm/v7/x", `unknown platform "linux/arm/v7/x" ` + linux},
		{"linux/*", `unknown platform "linux/*" ` + linux},
		{" linux/amd64", `unknown platform " linux/amd64" (did you mean "linux/amd64"?)`},
		{"linux/amd64,linux/arm64", `unknown platform "linux/amd64,linux/arm64" ` + linux},
		{"zos/s390x", `unknown platform "zos/s390x" (expected one such as linux/amd64)`},
		{"foo", `unknown platform "foo" (expected one such as linux/amd64)`},
		{"amd46", `unknown platform "amd46" (did you mean "linux/amd64"?)`},
		{"linux/armv6", `unknown platform "linux/armv6" (did you mean "linux/arm/v6"?)`},
		{"linux/arm-v7", `unknown platform "linux/arm-v7" (did you mean "linux/arm/v7"?)`},
		{"armv7l", `unknown platform "armv7l" (did you mean "linux/arm/v7"?)`},
		{"linux/armv4", `unknown platform "linux/armv4" (did you mean "linux/arm64"?)`},
		{"windws", `unknown platform "windws" (did you mean "windows/amd64"?)`},
		{"linux/vax", `unknown platform "linux/vax" ` + linux},
		{"widnows/arm46", `unknown platform "widnows/arm46" (did you mean "windows/arm64"?)`},
		{"linux/amd64/v9", `unknown variant "v9" of linux/amd64 (known: v1, v2, v3, v4)`},
		{"linux/amd64/3", `unknown variant "3" of linux/amd64 (known: v1, v2, v3, v4)`},
		{"linux/arm/v4", `unknown variant "v4" of linux/arm (known: v5, v6, v7)`},
		{"linux/arm64/v7", `unknown variant "v7" of linux/arm64 (known: v8.0, v8.1, v8.2, v8.3, v8.4, v8.5, v8.6, v8.7, v8.8, v8.9, v9.0, v9.1, v9.2, v9.3, v9.4, v9.5)`},
		{"linux/s390x/z15", `unknown variant "z15" of linux/s390x (it has none)`},
		{"js/wasm/v1", `unknown variant "v1" of js/wasm (it has none)`},
	} {
		p, err := ParsePlatform(tt.in)
		if err == nil {
			t.Errorf("ParsePlatform(%q): got %s, want error %s", tt.in, platforms.Format(p), tt.want)
		} else if err.Error() != tt.want {
			t.Errorf("ParsePlatform(%q): got %s, want %s", tt.in, err, tt.want)
		}
	}
}

func TestPortOfErrors(t *testing.T) {
	for _, tt := range []struct {
		in   ocispecs.Platform
		want string
	}{
		{ocispecs.Platform{}, `unknown platform "" (expected one such as linux/amd64)`},
		{ocispecs.Platform{Architecture: "amd64"}, `unknown platform "amd64" (did you mean "linux/amd64"?)`},
		{ocispecs.Platform{OS: "linux"}, `unknown platform "linux" (did you mean "linux/amd64"?)`},
		{ocispecs.Platform{OS: "linux", Architecture: "amd46"}, `unknown platform "linux/amd46" (did you mean "linux/amd64"?)`},
		{ocispecs.Platform{OS: "unknown", Architecture: "unknown"}, `unknown platform "unknown/unknown" (expected one such as linux/amd64)`},
		{ocispecs.Platform{OS: "linux", Architecture: "amd64", Variant: "v5"}, `unknown variant "v5" of linux/amd64 (known: v1, v2, v3, v4)`},
	} {
		if p, err := PortOf(tt.in); err == nil || err.Error() != tt.want {
			t.Errorf("PortOf(%+v): got %v, %v, want error %s", tt.in, p, err, tt.want)
		}
	}
}

func TestEnv(t *testing.T) {
	for _, tt := range []struct {
		port      Port
		env, name string
	}{
		{Port{"linux", "arm", "6"}, "GOOS=linux GOARCH=arm GOARM=6", "app"},
		{Port{"windows", "amd64", "v3"}, "GOOS=windows GOARCH=amd64 GOAMD64=v3", "app.exe"},
		{Port{"linux", "s390x", ""}, "GOOS=linux GOARCH=s390x", "app"},
		{Port{"js", "wasm", ""}, "GOOS=js GOARCH=wasm", "app"},
	} {
		if got := strings.Join(tt.port.Env(), " "); got != tt.env {
			t.Errorf("%v: got environment %q, want %q", tt.port, got, tt.env)
		}
		if got := "app" + tt.port.Exe(); got != tt.name {
			t.Errorf("%v: got name %q, want %q", tt.port, got, tt.name)
		}
	}
}

// TestTags compares constraints and file names with package go/build, for each
// port at each level.
func TestTags(t *testing.T) {
	const release = "1.24.5"
	constraints := []string{
		"", "unix", "!unix", "linux", "darwin", "solaris", "android", "gc", "gccgo", "cgo",
		"go1.1", "go1.24", "go1.25", "go1.024", "go1.0", "go1.", "go1", "go2.1", "go1.24.5",
		"netgo", "custom", "boringcrypto", "goexperiment.boringcrypto", "goexperiment.jsonv2", "ignore",
		"wasm.satconv", "wasm.signext", "linux && (amd64 || arm64)", "!windows && !plan9", "js || wasip1",
	}
	for _, p := range allPorts() {
		if p.Level != "" {
			constraints = append(constraints, p.Arch+"."+p.Level)
		}
	}
	slices.Sort(constraints)
	constraints = slices.Compact(constraints)
	names := []string{"a.go", "linux.go", "a_test.go", "a_unix.go", "a_linux.v2.go", "_linux.go", "a__linux.go", "amd64_.go", "a_linux_extra.go", "a_hurd.go", "a_sparc64.go"}
	for _, port := range portNames() {
		os, arch, _ := strings.Cut(port, "/")
		names = append(names, "a_"+os+".go", "a_"+arch+".go", "a_"+os+"_"+arch+".go", "a_"+arch+"_"+os+".go", "a_b_"+os+"_"+arch+"_test.go", os+"_"+arch+".go")
	}
	for _, p := range allPorts() {
		for _, cgo := range []bool{false, true} {
			tags := []string{"custom", "boringcrypto"}
			if cgo {
				tags = []string{"goexperiment.jsonv2", "goexperiment.boringcrypto"}
			}
			c := goBuildContext(p, cgo, 24, tags)
			if cgo {
				tags = append(tags, "cgo")
			}
			has := func(tag string) bool { return p.Has(tag, tags, release) }
			for _, expr := range constraints {
				compareMatch(t, c, scan.File{Name: "x.go", Constraint: expr}, has)
			}
			for _, name := range names {
				compareMatch(t, c, scan.File{Name: name}, has)
			}
		}
	}
}

func goBuildContext(p Port, cgo bool, minor int, tags []string) *build.Context {
	c := &build.Context{GOOS: p.OS, GOARCH: p.Arch, Compiler: "gc", CgoEnabled: cgo, BuildTags: tags, ToolTags: p.levelTags()}
	for i := range minor {
		c.ReleaseTags = append(c.ReleaseTags, fmt.Sprintf("go1.%d", i+1))
	}
	return c
}

func compareMatch(t *testing.T, c *build.Context, f scan.File, has func(string) bool) {
	t.Helper()
	src := "package p\n"
	if f.Constraint != "" {
		src = "//go:build " + f.Constraint + "\n\n" + src
	}
	c.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(src)), nil }
	want, err := c.MatchFile("dir", f.Name)
	if err != nil {
		t.Fatalf("go/build on %s with %q: %v", f.Name, f.Constraint, err)
	}
	if got := f.Match(has); got != want {
		t.Errorf("%s/%s %v cgo=%t: %s with %q: got %t, want %t", c.GOOS, c.GOARCH, c.ToolTags, c.CgoEnabled, f.Name, f.Constraint, got, want)
	}
}

func TestHasWithoutRelease(t *testing.T) {
	p := Port{"linux", "amd64", "v1"}
	for tag, want := range map[string]bool{"go1.1": true, "go1.99": true, "go1.x": false} {
		if got := p.Has(tag, nil, ""); got != want {
			t.Errorf("%s: got %t, want %t", tag, got, want)
		}
	}
	if p.Has("go1.1", nil, "tip") {
		t.Errorf("go1.1 of release tip: got true, want false")
	}
	if !p.Has("go1.27", nil, "1.27rc1") {
		t.Errorf("go1.27 of release 1.27rc1: got false, want true")
	}
}

// TestNeedsLinker builds a program without a C linker to be found.
func TestNeedsLinker(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the runtime of several ports")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module m\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"android/amd64", "android/arm64", "ios/amd64", "ios/arm64", "windows/arm64", "wasip1/wasm"} {
		goos, goarch, _ := strings.Cut(name, "/")
		p, err := PortOf(ocispecs.Platform{OS: goos, Architecture: goarch})
		if err != nil {
			t.Fatal(err)
		}
		out, err := goCommand(t, dir, append(p.Env(), "CGO_ENABLED=0", "CC=no-such-compiler"), "build", "-o", dir+"/out/", ".")
		if linked := err == nil; linked == p.NeedsLinker() {
			t.Errorf("%s: got NeedsLinker %t, and go build says %v\n%s", name, p.NeedsLinker(), err, out)
		}
		if _, e := os.Stat(filepath.Join(dir, "out", "m"+p.Exe())); err == nil && e != nil {
			t.Errorf("%s: go build gave the binary another name: %v", name, e)
		}
		os.RemoveAll(filepath.Join(dir, "out"))
	}
}
