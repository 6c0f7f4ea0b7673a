package plan

import (
	"go/version"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Port is what the go command is told about a platform. The zero value is no
// port.
type Port struct {
	// OS and Arch are GOOS and GOARCH.
	OS   string `json:"os"`
	Arch string `json:"arch"`
	// Level is the microarchitecture level: the value of the variable that
	// LevelVar names, "" when the architecture has none.
	Level string `json:"level,omitempty"`
}

// Ports returns all ports of the go command, sorted, each at its lowest level:
// what runs on every machine of the platform.
func Ports() []Port {
	var list []Port
	for _, name := range portNames() {
		os, arch, _ := strings.Cut(name, "/")
		list = append(list, Port{OS: os, Arch: arch, Level: levelsOf(arch).level("")})
	}
	return list
}

// PortOf returns the port of a platform, normalized as containerd does. The
// version and features of the operating system are not the go command's
// concern. The error names what is unknown and what was likely meant.
func PortOf(p ocispecs.Platform) (Port, error) {
	name := platforms.Format(p)
	if p.OS == "" || p.Architecture == "" {
		name = p.OS + p.Architecture // Format says "unknown"
	}
	return portOf(p, name)
}

// ParsePlatform returns the platform that s names, os/arch or os/arch/variant,
// normalized as containerd does. It has a port. The error names what is unknown
// and what was likely meant.
func ParsePlatform(s string) (ocispecs.Platform, error) {
	if !strings.Contains(s, "/") {
		return ocispecs.Platform{}, unknownPlatform(s, s)
	}
	p, err := platforms.Parse(s)
	if err != nil {
		// The error is about syntax, which tells users less than the name does.
		return ocispecs.Platform{}, unknownPlatform(s, s)
	}
	if _, err := portOf(p, s); err != nil {
		return ocispecs.Platform{}, err
	}
	return platforms.Normalize(p), nil
}

// portOf is PortOf for a platform that was written as name.
func portOf(p ocispecs.Platform, name string) (Port, error) {
	if p.OS == "" || p.Architecture == "" {
		return Port{}, unknownPlatform(name, name) // not for containerd to guess
	}
	p = platforms.Normalize(p)
	port := p.OS + "/" + p.Architecture
	if !slices.Contains(portNames(), port) {
		return Port{}, unknownPlatform(name, port)
	}
	levels := levelsOf(p.Architecture)
	level := levels.level(p.Variant)
	if level == "" && p.Variant != "" {
		return Port{}, unknownVariant(p, levels)
	}
	return Port{OS: p.OS, Arch: p.Architecture, Level: level}, nil
}

// Platform returns the platform of the port in the normal form of containerd,
// which leaves out some variants that are the default.
func (p Port) Platform() ocispecs.Platform {
	l := levelsOf(p.Arch)
	variant := p.Level
	if variant != "" {
		variant = l.prefix + variant
	}
	if p.Level == l.first {
		variant = ""
	}
	return platforms.Normalize(ocispecs.Platform{OS: p.OS, Architecture: p.Arch, Variant: variant})
}

// String returns GOOS/GOARCH, and the level behind it when there is one.
func (p Port) String() string {
	s := p.OS + "/" + p.Arch
	if p.Level != "" {
		s += " " + p.LevelVar() + "=" + p.Level
	}
	return s
}

// Env returns GOOS, GOARCH and the variable of the level as NAME=value. The
// level is always given: the default of a go command is a setting of its own.
func (p Port) Env() []string {
	env := []string{"GOOS=" + p.OS, "GOARCH=" + p.Arch}
	if p.Level != "" {
		env = append(env, p.LevelVar()+"="+p.Level)
	}
	return env
}

// LevelVar returns the name of the environment variable of the level, such as
// GOARM, "" when the architecture has none.
func (p Port) LevelVar() string { return levelsOf(p.Arch).env }

// Exe returns what the go command adds to the names of executables: ".exe" or
// nothing, for wasm too.
func (p Port) Exe() string {
	if p.OS == "windows" {
		return ".exe"
	}
	return ""
}

// NeedsLinker reports whether executables need a C linker even without cgo.
func (p Port) NeedsLinker() bool {
	return p.OS == "ios" || p.OS == "android" && p.Arch != "arm64"
}

// Has reports whether a build tag is satisfied, as go/build decides for the gc
// compiler. Of the toolchain's own tags only those are known that the port has;
// tags holds what else is satisfied: the tags of the user, cgo when that is
// enabled, experiments under their full name (goexperiment.jsonv2). release is
// the Go release that compiles, such as 1.26.3; when it is empty, the tags of
// all releases are satisfied.
func (p Port) Has(tag string, tags []string, release string) bool {
	switch tag {
	case p.OS, p.Arch, "gc":
		return true
	case "boringcrypto":
		tag = "goexperiment.boringcrypto" // its name before it was an experiment
	}
	return p.isKindOf(tag) ||
		hasRelease(release, tag) ||
		slices.Contains(tags, tag) ||
		slices.Contains(p.levelTags(), tag)
}

// isKindOf reports whether tag names a system that the port's is a kind of.
func (p Port) isKindOf(tag string) bool {
	switch tag {
	case "linux":
		return p.OS == "android"
	case "darwin":
		return p.OS == "ios"
	case "solaris":
		return p.OS == "illumos"
	case "unix":
		switch p.OS {
		case "js", "plan9", "wasip1", "windows":
			return false
		}
		return true
	}
	return false
}

// hasRelease reports whether tag is that of a release, such as go1.26, or of one
// before it.
func hasRelease(release, tag string) bool {
	minor, ok := strings.CutPrefix(tag, "go1.")
	if !ok {
		return false
	}
	n, err := strconv.Atoi(minor)
	if err != nil || n < 1 || strconv.Itoa(n) != minor {
		return false
	}
	if release == "" {
		return true
	}
	lang := version.Lang("go" + release)
	return lang != "" && version.Compare(tag, lang) <= 0
}

// levels are the microarchitecture levels of an architecture. The zero value
// has none.
type levels struct {
	env    string   // the variable
	first  string   // the level of a platform without a variant
	known  []string // from the least to the most demanding, except for floats
	prefix string   // what a variant has before the level
}

// level returns the level of a normalized variant, "" when it is not known.
func (l levels) level(variant string) string {
	switch {
	case variant == "":
		return l.first
	case l.env == "GOARM" && variant == "v8":
		return "7" // an ARMv8 processor in 32-bit mode: the go command knows no more
	case l.env == "GOARM64" && variant == "v9":
		return "v9.0"
	}
	level, ok := strings.CutPrefix(variant, l.prefix)
	if !ok || !slices.Contains(l.known, level) {
		return ""
	}
	return level
}

// levelsOf returns the levels of an architecture. The first level is the go
// command's own default, which keeps a binary running everywhere; for arm it
// is what container platforms mean by a missing variant.
func levelsOf(arch string) levels {
	floats := []string{"hardfloat", "softfloat"}
	switch arch {
	case "386":
		return levels{env: "GO386", first: "sse2", known: []string{"sse2", "softfloat"}}
	case "amd64":
		return levels{env: "GOAMD64", first: "v1", known: []string{"v1", "v2", "v3", "v4"}}
	case "arm":
		return levels{env: "GOARM", first: "7", known: []string{"5", "6", "7"}, prefix: "v"}
	case "arm64":
		return levels{env: "GOARM64", first: "v8.0", known: []string{
			"v8.0", "v8.1", "v8.2", "v8.3", "v8.4", "v8.5", "v8.6", "v8.7", "v8.8", "v8.9",
			"v9.0", "v9.1", "v9.2", "v9.3", "v9.4", "v9.5",
		}}
	case "mips", "mipsle":
		return levels{env: "GOMIPS", first: "hardfloat", known: floats}
	case "mips64", "mips64le":
		return levels{env: "GOMIPS64", first: "hardfloat", known: floats}
	case "ppc64", "ppc64le":
		return levels{env: "GOPPC64", first: "power8", known: []string{"power8", "power9", "power10"}}
	case "riscv64":
		return levels{env: "GORISCV64", first: "rva20u64", known: []string{"rva20u64", "rva22u64", "rva23u64"}}
	}
	return levels{}
}

// levelTags returns the build tags of the port's level and of those it
// includes.
func (p Port) levelTags() []string {
	switch p.Arch {
	case "wasm":
		return []string{"wasm.satconv", "wasm.signext"} // part of every wasm since
	case "386", "mips", "mipsle", "mips64", "mips64le":
		return []string{p.Arch + "." + p.Level} // one or the other, not a ladder
	}
	known := levelsOf(p.Arch).known
	n := 1 + slices.Index(known, p.Level)
	included := known[:n]
	if p.Arch == "arm64" && n > 10 {
		// v9.0 grew out of v8.5, not v8.9, and so on.
		included = slices.Concat(known[:min(n-5, 10)], known[10:n])
	}
	var tags []string
	for _, level := range included {
		tags = append(tags, p.Arch+"."+level)
	}
	return tags
}

// portNames returns GOOS/GOARCH of all ports, sorted, as go tool dist list
// prints them.
func portNames() []string {
	return []string{
		"aix/ppc64",
		"android/386",
		"android/amd64",
		"android/arm",
		"android/arm64",
		"darwin/amd64",
		"darwin/arm64",
		"dragonfly/amd64",
		"freebsd/386",
		"freebsd/amd64",
		"freebsd/arm",
		"freebsd/arm64",
		"illumos/amd64",
		"ios/amd64",
		"ios/arm64",
		"js/wasm",
		"linux/386",
		"linux/amd64",
		"linux/arm",
		"linux/arm64",
		"linux/loong64",
		"linux/mips",
		"linux/mips64",
		"linux/mips64le",
		"linux/mipsle",
		"linux/ppc64",
		"linux/ppc64le",
		"linux/riscv64",
		"linux/s390x",
		"netbsd/386",
		"netbsd/amd64",
		"netbsd/arm",
		"netbsd/arm64",
		"openbsd/386",
		"openbsd/amd64",
		"openbsd/arm",
		"openbsd/arm64",
		"openbsd/ppc64",
		"openbsd/riscv64",
		"plan9/386",
		"plan9/amd64",
		"plan9/arm",
		"solaris/amd64",
		"wasip1/wasm",
		"windows/386",
		"windows/amd64",
		"windows/arm64",
	}
}
