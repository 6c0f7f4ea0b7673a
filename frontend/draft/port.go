package draft

import (
	"go/version"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// port is a GOOS and a GOARCH.
type port struct{ os, arch string }

// ports are those that a spec is drafted for, the most likely first. The first
// one is what a build is for when nobody says anything.
func ports() []port {
	return []port{
		{"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}, {"darwin", "arm64"},
		{"freebsd", "amd64"}, {"wasip1", "wasm"}, {"js", "wasm"},
	}
}

func (p port) String() string { return p.os + "/" + p.arch }

// hasImages reports whether there are images for the system.
func (p port) hasImages() bool { return p.os == "linux" || p.os == "windows" }

// has returns which build tags are satisfied when the Go release of a go line
// compiles, all releases when it is "".
func (p port) has(release string, cgo bool) func(tag string) bool {
	return func(tag string) bool {
		switch tag {
		case p.os, p.arch, "gc":
			return true
		case "unix":
			return p.os != "windows" && p.arch != "wasm"
		case "cgo":
			return cgo
		}
		if !strings.HasPrefix(tag, "go1.") {
			return false
		}
		return release == "" || version.Compare(tag, version.Lang("go"+release)) <= 0
	}
}

// builds reports whether a package has a file that is built.
func builds(p *scan.Package, has func(tag string) bool) bool {
	for i := range p.Files {
		if f := &p.Files[i]; f.Package != "" && f.Match(has) {
			return true
		}
	}
	return false
}
