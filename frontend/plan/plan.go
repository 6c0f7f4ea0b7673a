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
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// Plan is everything that package llb needs to draw the graph.
type Plan struct {
	// Release is the Go release that compiles: a minor release such as 1.26,
	// or an exact one such as 1.26.3.
	Release string `json:"release"`
	// Builder is the image that holds the go command.
	Builder Builder `json:"builder"`
	// Layered says that the go command can take objects from several places.
	Layered bool `json:"layered,omitempty"`
	// Generate are the commands that run before the source tree is read.
	Generate []Command `json:"generate,omitempty"`
	// Targets are what is built, one for each platform, in the order in which
	// the platforms were asked for. With Options.Every they are those of all
	// binaries, one binary after the other.
	Targets []Target `json:"targets,omitempty"`
	// All are the targets of all binaries, as with Options.Every, whatever is
	// built. Nil: for tests and for sizes nobody looked at them.
	All []Target `json:"-"`
	// FilesOnly makes the result the binaries alone, without the image around
	// them.
	FilesOnly bool `json:"filesOnly,omitempty"`
	// Sizes makes the result what the binaries are made of, byte by byte, in
	// place of them.
	Sizes bool `json:"sizes,omitempty"`
	// Vuln makes the result what is known to be vulnerable in the binaries. Nil:
	// it is something else.
	Vuln *Vuln `json:"vuln,omitempty"`
	// Names are what --target can name, the default first.
	Names []Name `json:"names,omitempty"`
	// Warnings are worth telling and stop nothing.
	Warnings []Warning `json:"warnings,omitempty"`
}

// Name is a value of --target.
type Name struct {
	Name string `json:"name"`
	// Main is the main package, "" for a target that is no image.
	Main string `json:"main,omitempty"`
	// From is the image below the binary.
	From    string   `json:"from,omitempty"`
	Default bool     `json:"default,omitempty"`
	Pos     spec.Pos `json:"pos,omitzero"`
}

// Builder is the image that holds the go command.
type Builder struct {
	// Ref is the image reference as it was written.
	Ref string `json:"ref"`
	// Chosen reports whether the user named the image; otherwise Release did.
	Chosen bool `json:"chosen,omitempty"`
	// Release is that of the go command in the image, minor or exact, "" when it
	// is not known: the user named an image and no release.
	Release string   `json:"release,omitempty"`
	Pos     spec.Pos `json:"pos,omitzero"`
}

// Download is the step that fills the module cache.
type Download struct {
	// Dir is the directory in which the go command runs, from the context's root.
	Dir string `json:"dir"`
	// Files are the files of the context that decide what is downloaded.
	Files []string `json:"files,omitempty"`
	// Env is what the spec adds to the environment, as NAME=value.
	Env []string `json:"env,omitempty"`
	// Netrc and SSH are the ids of a secret and of an ssh agent, which are used
	// when the client passes them.
	Netrc string   `json:"netrc"`
	SSH   string   `json:"ssh"`
	Pos   spec.Pos `json:"pos,omitzero"`
}

// Modules is the step that fills a module cache with the packages that a binary
// reaches on all platforms, and no others.
type Modules struct {
	// Download says from what, and how.
	Download *Download `json:"download"`
	// Back says that modules are likely to import packages of the tree, so that it
	// has to be found out which before the compile. Without it they still may, and
	// the compile fails then.
	Back bool `json:"back,omitempty"`
	// Wants are sorted.
	Wants []Want `json:"wants"`
}

// Want is what the source of a binary imports from other modules.
type Want struct {
	// Env and Flags decide which files of a package are read.
	Env   []string `json:"env,omitempty"`
	Flags []string `json:"flags,omitempty"`
	// Imports are sorted.
	Imports []string `json:"imports"`
}

// Objects are the packages that are compiled before a binary, so that an edit of
// its source leaves them alone.
type Objects struct {
	// Flags are those of go build that decide them.
	Flags []string `json:"flags,omitempty"`
	// Std are the packages of the standard library that are compiled by
	// themselves, with all that they import.
	Std []string `json:"std,omitempty"`
	// Imports are those of other modules.
	Imports []string `json:"imports,omitempty"`
	// Files are the files of the context that this reads: those of modules, and
	// vendored source.
	Files []string `json:"files,omitempty"`
	// Strata are packages of the tree, each compiled with the ones before it at
	// hand.
	Strata []Stratum `json:"strata,omitempty"`
}

// Stratum is packages of the tree that are compiled by themselves, for a build
// elsewhere to find them in a cache.
type Stratum struct {
	// Imports are their import paths, in the order of their directories.
	Imports []string `json:"imports"`
	// Files are the files of the context that this reads, and those before it.
	Files []string `json:"files"`
}

// Vuln is how the vulnerabilities of binaries are looked up.
type Vuln struct {
	// Database is the URL of a vulnerability database, for when the client passes
	// none as a named context.
	Database string `json:"database"`
	// Fail makes a finding an error.
	Fail bool `json:"fail,omitempty"`
	// Download says how modules are had: govulncheck is one.
	Download *Download `json:"download"`
}

// Command runs in the builder image before the source tree is read.
type Command struct {
	Args []string `json:"args,omitempty"`
	// Dir is the directory in which it runs, from the context's root.
	Dir    string   `json:"dir"`
	DirPos spec.Pos `json:"dirPos,omitzero"`
	// Env is what its environment has beside that of every go command.
	Env []string `json:"env,omitempty"`
	// Network gives the command what the builder can reach.
	Network bool `json:"network,omitempty"`
	// Download fills the module cache that the command reads. Nil: it has none.
	Download *Download `json:"download,omitempty"`
	Pos      spec.Pos  `json:"pos,omitzero"`
}

// Rootfs says which of scratch's missing files are written. The zero value
// writes none.
type Rootfs struct {
	Certs  bool     `json:"certs,omitempty"`
	Tzdata bool     `json:"tzdata,omitempty"`
	Passwd bool     `json:"passwd,omitempty"`
	Tmp    bool     `json:"tmp,omitempty"`
	Pos    spec.Pos `json:"pos,omitzero"`
}

// IsZero reports whether no file is written.
func (r Rootfs) IsZero() bool { return !r.Certs && !r.Tzdata && !r.Passwd && !r.Tmp }

// Target is what is built for one platform.
type Target struct {
	// Name is how --target names it.
	Name string `json:"name"`
	// Platform is what the client calls the target.
	Platform ocispecs.Platform `json:"platform"`
	// Port is what the go command calls it.
	Port Port `json:"port"`
	// Binaries are compiled. In an image the first one is run.
	Binaries []Binary `json:"binaries,omitempty"`
	// Test is run in place of a compile. Nil: the target is no test.
	Test *Test `json:"test,omitempty"`
	// Base is the image below the binary, "" for scratch.
	Base    string   `json:"base,omitempty"`
	BasePos spec.Pos `json:"basePos,omitzero"`
	// Rootfs holds the files that scratch lacks.
	Rootfs Rootfs `json:"rootfs,omitzero"`
	// Files are put beside the binary.
	Files []File `json:"files,omitempty"`
	// Image is how the image is run.
	Image Image `json:"image,omitzero"`
	// Revision and Source are what the target is built from, "" when nobody knows
	// or the spec says not to tell.
	Revision string   `json:"revision,omitempty"`
	Source   string   `json:"source,omitempty"`
	Pos      spec.Pos `json:"pos,omitzero"`
}

// Binary is a program for one platform.
type Binary struct {
	// Name is the name of the binary, as go build gives it, without .exe.
	Name string `json:"name"`
	// Main is the main package as an argument of go build, such as ./cmd/server.
	Main string `json:"main,omitempty"`
	// Package is the import path of the main package.
	Package string `json:"package,omitempty"`
	// Dir is the directory in which the go command runs, from the context's root.
	Dir string `json:"dir"`
	// Env is the environment that decides the binary, as NAME=value.
	Env []string `json:"env,omitempty"`
	// Flags are the flags of go build, without -o and the package.
	Flags []string `json:"flags,omitempty"`
	// SymbolFlags are those that keep the symbol table, for who looks into the
	// binary. Only the link differs. They are set where they are needed.
	SymbolFlags []string `json:"symbolFlags,omitempty"`
	// Stripped says that Flags leave out the symbol table and DWARF.
	Stripped bool `json:"stripped,omitempty"`
	// Versions are the module versions that go.mod requires, as path@version. Nil:
	// go.mod does not decide them alone. They are many, and no news to anyone who
	// reads a plan.
	Versions []string `json:"-"`
	// File is the file name of the binary, with .exe where it belongs.
	File string `json:"file"`
	// Path is where the binary stands in the image.
	Path string `json:"path"`
	// Files are the files of the context that the compile reads, sorted. Nil: it
	// is not known, and the compile gets the whole context.
	Files []string `json:"files,omitempty"`
	// Modules fills a module cache with what the binary reaches. Nil: nothing must
	// be downloaded, or Files are not known.
	Modules *Modules `json:"modules,omitempty"`
	// Objects are compiled before the binary. Nil: it is compiled in one step.
	Objects *Objects `json:"objects,omitempty"`
	// Download fills the module cache, once for all binaries of a module or of a
	// workspace, when Files are not known. Nil: nothing must be downloaded.
	Download *Download `json:"download,omitempty"`
	// Profile is the file of the context that Flags or GOFLAGS name for
	// profile-guided optimization, "" for none.
	Profile    string   `json:"profile,omitempty"`
	ProfilePos spec.Pos `json:"profilePos,omitzero"`
	Pos        spec.Pos `json:"pos,omitzero"`
}

// Test is what go test runs, on the build platform.
type Test struct {
	// Dir is the directory in which the go command runs, from the context's root.
	Dir string `json:"dir"`
	// Env is the environment that decides the test, as NAME=value.
	Env []string `json:"env,omitempty"`
	// Args are the arguments of go test.
	Args []string `json:"args,omitempty"`
	// Download fills the module cache. Nil: nothing must be downloaded.
	Download *Download `json:"download,omitempty"`
}

// File is something to put into an image.
type File struct {
	// Context is the named context that Path is in, "" for the build context.
	Context string `json:"context,omitempty"`
	// Path is rooted and may hold wildcards.
	Path string `json:"path"`
	// URL is where the file is, in place of a context, and Checksum its digest.
	URL      string `json:"url,omitempty"`
	Checksum string `json:"checksum,omitempty"`
	// To is where it stands in the image; with a / at the end, the directory.
	To string `json:"to"`
	// Mode is what the permissions are set to, -1 to keep them.
	Mode int `json:"mode"`
	// UID and GID own the file.
	UID int      `json:"uid"`
	GID int      `json:"gid"`
	Pos spec.Pos `json:"pos,omitzero"`
}

// Image is the part of the image config that the spec decides. On a base image
// what is empty here is that of the base.
type Image struct {
	// User is never empty on scratch, except for Windows.
	User string `json:"user,omitempty"`
	// UserUnknown says that User has a name that only the image can know: of a
	// base, or of a passwd file among Files.
	UserUnknown bool     `json:"userUnknown,omitempty"`
	UserPos     spec.Pos `json:"userPos,omitzero"`
	// Workdir is never empty on scratch.
	Workdir    string   `json:"workdir,omitempty"`
	Entrypoint []string `json:"entrypoint,omitempty"`
	Cmd        []string `json:"cmd,omitempty"`
	// Env holds NAME=value in the order of the spec, on scratch after PATH.
	Env []string `json:"env,omitempty"`
	// Expose holds port/protocol.
	Expose []string `json:"expose,omitempty"`
	// Volumes holds absolute paths.
	Volumes []string `json:"volumes,omitempty"`
	// Labels are those of the build, of the spec and of the client; the last
	// one of a name wins.
	Labels map[string]string `json:"labels,omitempty"`
	// Told says that labels and annotations tell what the image was made from.
	Told bool `json:"told,omitempty"`
	// Annotations are those of the manifest, in the order of the spec.
	Annotations []Annotation `json:"annotations,omitempty"`
	// Stopsignal is empty for the default of whoever runs the image.
	Stopsignal string `json:"stopsignal,omitempty"`
	// Healthcheck is nil when the spec has none.
	Healthcheck *Healthcheck `json:"healthcheck,omitempty"`
}

// Annotation is an annotation of a manifest.
type Annotation struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Healthcheck is how a runtime finds out whether the binary works. A zero
// duration and zero retries stand for the runtime's default.
type Healthcheck struct {
	// Test is the command and its arguments.
	Test          []string      `json:"test,omitempty"`
	Interval      time.Duration `json:"interval,omitzero"`
	Timeout       time.Duration `json:"timeout,omitzero"`
	StartPeriod   time.Duration `json:"startPeriod,omitzero"`
	StartInterval time.Duration `json:"startInterval,omitzero"`
	Retries       int           `json:"retries"`
}

// Warning is worth telling and stops nothing.
type Warning struct {
	Pos spec.Pos `json:"pos,omitzero"`
	// Rule names the kind of warning, in the manner of BuildKit's lint rules.
	Rule string `json:"rule"`
	Msg  string `json:"msg"`
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
	// Every makes the targets those of all binaries, whatever Target says: for
	// looking at a spec instead of building it.
	Every bool
	// Sizes asks what the binaries are made of: all, or the one that Target names.
	Sizes bool
	// Prepared is what [Prepare] said, when its commands ran. They are those of the
	// plan: run anew they would cost their time again. Nil: none ran.
	Prepared *Plan
	// Back are import paths that other modules import of the tree, by binary.
	Back map[string][]string
	// Imports says that the client imports a cache, so that there is one to fill.
	Imports bool
	// Ignored reports whether the client withholds a file of that name: a
	// .dockerignore excludes it. Nil: it withholds nothing.
	Ignored func(name string) bool
	// IgnorePatterns are those of the .dockerignore.
	IgnorePatterns []string
	// Revision and Source are the values of ${REVISION} and ${SOURCE}.
	Revision, Source string
}
