// Package spec is what the user wrote: the Gopherfile as plain data, decoded
// from YAML with the position of every value.
//
// The doc comments of [Spec] and the structs below it are the manual of the
// language. A field that is not set has its zero value; the defaults are taken
// by package plan. A value may hold ${NAME}, which plan expands.
//
// Invariant: Parse reads nothing but its argument. The package knows no files,
// no BuildKit and no default.
package spec

//go:generate go run ../../hack/docgen spec.go ../../docs/spec.md

// Spec is a Gopherfile. All keys are optional.
type Spec struct {
	// Go is the Go release that compiles, such as 1.26 or 1.26.3. Without it
	// the toolchain line of go.mod decides, then its go line.
	Go string `yaml:"go"`
	// Builder is the image that holds the go command, such as
	// golang:1.26-alpine. It needs no shell.
	Builder string `yaml:"builder"`
	// Main is the main package: a directory of the context (./cmd/server) or an
	// import path of its module. Without it the only main package is taken.
	Main string `yaml:"main"`
	// Platforms are built when the client asks for none, such as linux/amd64 or
	// linux/arm/v7.
	Platforms []string `yaml:"platforms"`
	// Args declares the build arguments and their defaults. An argument without
	// a default must be given by the client.
	Args []Arg `yaml:"args"`
	// Build is how the go command is called.
	Build Build `yaml:"build"`
	// Image is what the image holds and how it is run.
	Image Image `yaml:"image"`

	file string
	data []byte
	pos  map[any]Pos
	keys map[any]Pos
}

// Arg is a declared build argument.
type Arg struct {
	// Name is how ${NAME} and --build-arg name it.
	Name string `yaml:",key"`
	// Default is its value when the client gives none. Nil: the client must.
	Default *string `yaml:",value"`
}

// Pair is an entry of a mapping, in the order in which it was written.
type Pair struct {
	Name  string `yaml:",key"`
	Value string `yaml:",value"`
}

// Build is how the go command is called.
type Build struct {
	// Tags are the build tags.
	Tags []string `yaml:"tags"`
	// Ldflags are arguments for the linker, as go build -ldflags takes them.
	Ldflags []string `yaml:"ldflags"`
	// Gcflags are arguments for the compiler, as go build -gcflags takes them;
	// an item that starts with a pattern (all=-N) starts a new flag.
	Gcflags []string `yaml:"gcflags"`
	// Asmflags are arguments for the assembler, written as Gcflags are.
	Asmflags []string `yaml:"asmflags"`
	// Env is added to the environment of the go command. What the platform
	// decides (GOOS, GOARCH, GOARM and so on) cannot be set here.
	Env []Pair `yaml:"env"`
	// Trimpath removes file system paths from the binary. On by default.
	Trimpath *bool `yaml:"trimpath"`
	// Strip leaves out the symbol table and debug information. On by default.
	Strip *bool `yaml:"strip"`
}

// Image is what the image holds and how it is run.
type Image struct {
	// User runs the binary: a name of the image's passwd file or a number,
	// optionally with :group. 65532:65532 by default.
	User string `yaml:"user"`
	// Workdir is the directory in which the binary starts. / by default.
	Workdir string `yaml:"workdir"`
	// Entrypoint is the command that the image runs. The binary by default.
	Entrypoint []string `yaml:"entrypoint"`
	// Cmd holds the default arguments of the entrypoint.
	Cmd []string `yaml:"cmd"`
	// Env is the environment of the binary. PATH has a default.
	Env []Pair `yaml:"env"`
	// Expose lists ports, such as 8080, 53/udp or 9000-9010.
	Expose []string `yaml:"expose"`
	// Volumes lists directories of the image that hold data of the user.
	Volumes []string `yaml:"volumes"`
	// Labels are the labels of the image config.
	Labels []Pair `yaml:"labels"`
	// Annotations are those of the image's manifest.
	Annotations []Pair `yaml:"annotations"`
	// Stopsignal ends the binary, such as SIGTERM, the default, or 15.
	Stopsignal string `yaml:"stopsignal"`
	// Certs puts the builder image's CA certificates into the image. On by
	// default.
	Certs *bool `yaml:"certs"`
	// Tzdata puts the time zones of the builder image into the image. On by
	// default.
	Tzdata *bool `yaml:"tzdata"`
	// Passwd writes passwd and group files with root, nobody and nonroot, and
	// their home directories. On by default.
	Passwd *bool `yaml:"passwd"`
	// Tmp makes /tmp, writable for everybody. On by default.
	Tmp *bool `yaml:"tmp"`
}

// File returns the name that the spec was parsed under.
func (s *Spec) File() string { return s.file }

// Pos returns where the value of a field was written. The field is named by
// its address, such as &s.Main, &s.Build.Tags[0] or &s.Args[1].Name. It
// returns the zero Pos when the field was not written.
func (s *Spec) Pos(field any) Pos { return s.pos[field] }

// At returns the place of the first field that was written: the place of its
// key for a mapping, of its value otherwise. Without any it is the start of
// the file.
func (s *Spec) At(fields ...any) Pos {
	for _, f := range fields {
		switch f.(type) {
		case *Build, *Image, *[]Arg, *[]Pair, *[]string:
			if p, ok := s.keys[f]; ok {
				return p
			}
		}
		if p, ok := s.pos[f]; ok {
			return p
		}
	}
	return Pos{Line: 1, Column: 1}
}
