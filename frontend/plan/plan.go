// Package plan is what will be done: every default taken and every name
// resolved, for each binary on each platform.
//
// Resolve is a function of the spec, the index of the source tree and what the
// client asked for. Equal arguments give equal plans.
//
// Invariant: after Resolve nobody reads the spec, the environment or the
// clock; a plan has no field that still needs a default.
package plan

import (
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// Plan is everything that package llb needs to draw the graph.
type Plan struct {
	// Release is the Go release that compiles: a minor release such as 1.26,
	// or an exact one such as 1.26.3.
	Release string
	// Builder is the image that holds the go command.
	Builder Builder
	// Download is the one step with a network. Nil: nothing must be downloaded.
	Download *Download
	// Rootfs holds the files that scratch lacks.
	Rootfs Rootfs
	// Targets are the binaries to compile, one for each platform, in the order
	// in which the platforms were asked for.
	Targets []Target
	// FilesOnly makes the result the binaries alone, without the image around
	// them.
	FilesOnly bool
	// Warnings are worth telling and stop nothing.
	Warnings []Warning
}

// Builder is the image that holds the go command.
type Builder struct {
	// Ref is the image reference as it was written.
	Ref string
	// Chosen reports whether the user named the image; otherwise Release did.
	Chosen bool
	Pos    spec.Pos
}

// Download is the step that fills the module cache.
type Download struct {
	// Dir is the directory in which the go command runs, from the context's root.
	Dir string
	// Files are the files of the context that decide what is downloaded.
	Files []string
	// Env is what the spec adds to the environment, as NAME=value.
	Env []string
	Pos spec.Pos
}

// Rootfs says which of scratch's missing files are written. The zero value
// writes none.
type Rootfs struct {
	Certs, Tzdata, Passwd, Tmp bool
	Pos                        spec.Pos
}

// IsZero reports whether no file is written.
func (r Rootfs) IsZero() bool { return !r.Certs && !r.Tzdata && !r.Passwd && !r.Tmp }

// Target is one binary for one platform.
type Target struct {
	// Binary is the name of the binary, as go build gives it, without .exe.
	Binary string
	// Main is the main package as an argument of go build, such as ./cmd/server.
	Main string
	// Dir is the directory in which the go command runs, from the context's root.
	Dir string
	// Platform is what the client calls the target.
	Platform ocispecs.Platform
	// Port is what the go command calls it.
	Port Port
	// Env is the environment that decides the binary, as NAME=value.
	Env []string
	// Flags are the flags of go build, without -o and the package.
	Flags []string
	// File is the file name of the binary, with .exe where it belongs.
	File string
	// Path is where the binary stands in the image.
	Path string
	// Image is how the image is run.
	Image Image
	Pos   spec.Pos
}

// Image is the part of the image config that the spec decides.
type Image struct {
	User       string
	Workdir    string
	Entrypoint []string
	Cmd        []string
	// Env holds NAME=value in the order of the spec, after PATH.
	Env []string
	// Expose holds port/protocol.
	Expose []string
	// Volumes holds absolute paths.
	Volumes []string
	// Labels are those of the spec, then those of the client.
	Labels map[string]string
	// Annotations are those of the manifest, in the order of the spec.
	Annotations []spec.Pair
	// Stopsignal is empty for the default of whoever runs the image.
	Stopsignal string
}

// Warning is worth telling and stops nothing.
type Warning struct {
	Pos spec.Pos
	// Rule names the kind of warning, in the manner of BuildKit's lint rules.
	Rule string
	Msg  string
}

// Options is what the client asked for.
type Options struct {
	// Platforms to build. Empty: those of the spec, else BuildPlatform.
	Platforms []ocispecs.Platform
	// BuildPlatform is where the go command runs.
	BuildPlatform ocispecs.Platform
	// Args are the build arguments by name.
	Args map[string]string
	// Labels are added to the image and replace those of the spec.
	Labels map[string]string
	// Target is the value of --target.
	Target string
	// Ignored says that the client withholds go.mod: a .dockerignore excludes it.
	Ignored bool
	// Revision and Source are the values of ${REVISION} and ${SOURCE}.
	Revision, Source string
}
