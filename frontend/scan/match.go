package scan

import (
	"go/build/constraint"
	"strings"
)

// Main reports whether the package has a file of package main that is built
// when has says which tags are satisfied.
func (p *Package) Main(has func(tag string) bool) bool {
	for i := range p.Files {
		if f := &p.Files[i]; f.Package == "main" && f.Match(has) {
			return true
		}
	}
	return false
}

// Match reports whether the file is built when has says which tags are
// satisfied: GOOS, GOARCH, cgo, unix, release and user tags alike. The file
// name, the constraint and the import of "C" are considered, as go/build does.
// A test file matches as any other.
func (f *File) Match(has func(tag string) bool) bool {
	if !isGo(f.Name) || !matchName(f.Name, has) || f.Cgo && !has("cgo") {
		return false
	}
	if f.Constraint == "" {
		return true
	}
	expr, err := constraint.Parse("//go:build " + f.Constraint)
	return err == nil && expr.Eval(has)
}

// matchName reports whether all tags of a file name are satisfied.
func matchName(name string, has func(tag string) bool) bool {
	for _, tag := range NameTags(name) {
		if !has(tag) {
			return false
		}
	}
	return true
}

// NameTags returns the tags that the _GOOS, _GOARCH and _GOOS_GOARCH endings of
// a file name ask for. A name has an ending only behind its first underscore:
// linux.go is built everywhere.
func NameTags(name string) []string {
	name, _, _ = strings.Cut(name, ".")
	name = strings.TrimSuffix(name, "_test")
	words := strings.Split(name, "_")[1:]
	n := len(words)
	if n == 0 {
		return nil
	}
	last := words[n-1]
	if n > 1 && isArch(last) && isOS(words[n-2]) {
		return words[n-2:]
	}
	if isArch(last) || isOS(last) {
		return words[n-1:]
	}
	return nil
}

// isOS reports whether a file name may end in the name of that system. The go
// command knows systems that are gone and some that never came.
func isOS(name string) bool {
	switch name {
	case "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos",
		"ios", "js", "linux", "nacl", "netbsd", "openbsd", "plan9", "solaris",
		"wasip1", "windows", "zos":
		return true
	}
	return false
}

// isArch is isOS for architectures.
func isArch(name string) bool {
	switch name {
	case "386", "amd64", "amd64p32", "arm", "arm64", "arm64be", "armbe",
		"loong64", "mips", "mips64", "mips64le", "mips64p32", "mips64p32le",
		"mipsle", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390",
		"s390x", "sparc", "sparc64", "wasm":
		return true
	}
	return false
}
