// Package spec is what the user wrote: the Gopherfile as plain data, decoded
// from YAML with the position of every value.
//
// The doc comments of [Spec] and the structs below it are the manual of the
// language: docs/spec.md, the JSON schema and what an editor shows are made of
// them. A field that is not set has its zero value; the defaults are taken by
// package plan, and named in the tag default for readers. A value may hold
// ${NAME}, which plan expands. The tag also lists what other tools call a key,
// for errors to name ours.
//
// Invariant: Parse reads nothing but its argument. The package knows no files,
// no BuildKit and no default.
package spec

//go:generate go run ../../hack/docgen spec.go ../../docs/spec.md schema.json

// Spec is a Gopherfile. All keys are optional.
type Spec struct {
	// Go is the Go release that compiles. Without it the toolchain line of
	// go.mod decides, then its go line.
	Go string `yaml:"go" also:"golang|go_version|goversion|toolchain" examples:"1.26|1.26.3" pattern:"[0-9]+\\.[0-9]+(\\.[0-9]+|rc[0-9]+|beta[0-9]+)?"`
	// Builder is the image that holds the go command. It needs no shell. By
	// default it is golang:<release>-alpine; where modules.private or
	// modules.ssh is written golang:<release>, which has git and ssh.
	Builder string `yaml:"builder" examples:"golang:1.26-alpine|golang:1.26-trixie"`
	// Main is the main package: a directory of the context or an import path of
	// its module. Without it the only main package is taken, or the one in the
	// module's root.
	Main string `yaml:"main" examples:"./cmd/server|example.com/app/cmd/server"`
	// Binaries names several binaries: each has a main package, or keys of its
	// own. Each is a target of its name. The names binaries, cover, debug,
	// modules, size, test, vet and vuln are taken: --target binaries exports all
	// binaries as files, --target size what they are made of, --target vuln what
	// in them is known to be vulnerable, and --target test runs the tests.
	Binaries []Binary `yaml:"binaries" keys:"[A-Za-z0-9_][A-Za-z0-9_.-]*"`
	// Platforms are built when the client asks for none. By default it is the
	// platform of the builder.
	Platforms []string `yaml:"platforms" also:"goos|goarch|os|arch|targetos|targetarch" examples:"linux/amd64|linux/arm/v7|windows/amd64" pattern:"[^/ ]+/[^/ ]+(/[^/ ]+)?"`
	// Args declares the build arguments and their defaults. An argument without
	// a default must be given by the client.
	Args []Arg `yaml:"args" also:"build_args|arguments|variables|vars" keys:"[A-Za-z_][A-Za-z0-9_]*"`
	// Build is how the go command is called.
	Build Build `yaml:"build"`
	// Image is what the image holds and how it is run.
	Image Image `yaml:"image"`
	// Modules is how modules are downloaded.
	Modules Modules `yaml:"modules"`
	// Generate lists commands that run in the builder image, in the context's
	// root, before the source tree is read. What they write is compiled.
	Generate []Command `yaml:"generate" also:"prebuild|hooks"`
	// Test holds the arguments of go test for --target test: packages and flags.
	// Flags alone are for all packages. What a test writes into /out is the
	// result.
	Test []string `yaml:"test" default:"./..." examples:"./...|-short|-coverprofile=/out/cover.out"`

	file string
	data []byte
	pos  map[any]Pos
	keys map[any]Pos
	// places are those of pos and keys, sorted, and lines where lines start.
	places []Pos
	lines  []int
	// merged counts the entries of binaries that were merged with the spec's.
	merged int
}

// Binary is one of several binaries. Its build and image are laid over those
// of the spec: texts and lists replace, mappings merge.
type Binary struct {
	// Name is the name of the binary and of its target: letters, digits, _, - and
	// dots, at most 100 of them.
	Name string `yaml:",key"`
	// Main is the main package, as the key main of the spec has it.
	Main string `yaml:"main,short" examples:"./cmd/server"`
	// Build is laid over the build of the spec.
	Build Build `yaml:"build"`
	// Image is laid over the image of the spec.
	Image Image `yaml:"image"`

	build *Build
	image *Image
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
	Tags []string `yaml:"tags" also:"build_tags|buildtags" examples:"netgo|sqlite"`
	// Ldflags are arguments for the linker, as go build -ldflags takes them.
	Ldflags []string `yaml:"ldflags" also:"linker_flags" examples:"-X main.version=${VERSION}"`
	// Gcflags are arguments for the compiler, as go build -gcflags takes them;
	// an item that starts with a pattern (all=-N) starts a new flag.
	Gcflags []string `yaml:"gcflags" also:"compiler_flags" examples:"all=-N -l"`
	// Asmflags are arguments for the assembler, written as gcflags are.
	Asmflags []string `yaml:"asmflags" examples:"all=-D=DEBUG"`
	// Env is added to the environment of go build, and that of the spec also to
	// go test. The download of modules gets the variables that are about modules,
	// such as GOPROXY, and GOFLAGS; the commands of generate get none. What the
	// platform decides (GOOS, GOARCH, GOARM and so on) cannot be set here. GOWORK:
	// off makes all steps ignore go.work.
	Env []Pair `yaml:"env" also:"environment" examples:"GOEXPERIMENT: jsonv2" keys:"[A-Za-z_][A-Za-z0-9_]*"`
	// Buildmode is the kind of binary, as go build -buildmode takes it.
	Buildmode string `yaml:"buildmode" default:"exe" enum:"default|exe|pie"`
	// Pgo is the profile for profile-guided optimization: a file of the context,
	// auto (default.pgo in the main package's directory) or off.
	Pgo string `yaml:"pgo" also:"profile" default:"auto" examples:"auto|off|profiles/cpu.pgo"`
	// Stamp says what carries the revision: labels (of the image), none, or the
	// names of string variables, which the linker sets, as well as the labels.
	// A variable makes every commit link again. With none the image has no label
	// for the revision, the source, the time and the base image.
	Stamp []string `yaml:"stamp" default:"labels" examples:"labels|none|main.revision"`
	// Trimpath removes file system paths from the binary.
	Trimpath *bool `yaml:"trimpath" default:"true"`
	// Strip leaves out the symbol table and debug information.
	Strip *bool `yaml:"strip" default:"true"`
}

// Image is what the image holds and how it is run.
type Image struct {
	// From is the image below the binary: scratch, or an image reference. What
	// its config says holds where this spec says nothing.
	From string `yaml:"from" also:"base|base_image|baseimage" default:"scratch" examples:"scratch|gcr.io/distroless/static-debian12:nonroot"`
	// User runs the binary: a name of the image's passwd file or a number,
	// optionally with :group. On a base image that names a user, root as well,
	// that is the default. For Windows there is no other default.
	User string `yaml:"user" also:"uid|run_as" default:"65532:65532" examples:"nonroot|1000:1000|root"`
	// Workdir is the directory in which the binary starts. One that is not there is
	// made, and the user's.
	Workdir string `yaml:"workdir" also:"working_dir|working_directory|cwd" default:"/" examples:"/data"`
	// Entrypoint is the command that the image runs: the binary by default.
	Entrypoint []string `yaml:"entrypoint" examples:"/server|serve"`
	// Cmd holds the default arguments of the entrypoint.
	Cmd []string `yaml:"cmd" also:"command" examples:"-listen=:8080"`
	// Env is the environment of the binary. PATH has a default.
	Env []Pair `yaml:"env" also:"environment" examples:"GOMEMLIMIT: 400MiB" keys:"[^=]+"`
	// Expose lists ports, ranges of ports, or ports with a protocol.
	Expose []string `yaml:"expose" also:"ports|port" examples:"8080|53/udp|9000-9010" pattern:"[0-9]+(-[0-9]+)?(/[A-Za-z]+)?"`
	// Volumes lists directories of the image that hold data. Those that are not
	// there are made, and the user's, so that the binary can write to them.
	Volumes []string `yaml:"volumes" also:"mounts" examples:"/data"`
	// Labels are the labels of the image config.
	Labels []Pair `yaml:"labels" examples:"org.opencontainers.image.licenses: Apache-2.0"`
	// Annotations are those of the image's manifest.
	Annotations []Pair `yaml:"annotations" examples:"org.opencontainers.image.description: A server"`
	// Stopsignal ends the binary.
	Stopsignal string `yaml:"stopsignal" examples:"SIGTERM|SIGINT|15" pattern:"SIG[A-Z0-9]+([+-][0-9]+)?|[1-9][0-9]?"`
	// Healthcheck is how a runtime finds out whether the binary works. Image
	// formats other than Docker's know none.
	Healthcheck Healthcheck `yaml:"healthcheck"`
	// Files are put into the image beside the binary.
	Files []File `yaml:"files" also:"copy|assets"`
	// With names other binaries of this spec to put beside this one.
	With []string `yaml:"with" examples:"migrate"`
	// Certs puts the builder image's CA certificates into an image for Linux. The
	// default is true on scratch and false on a base image.
	Certs *bool `yaml:"certs" also:"ca_certs|ca_certificates|certificates" default:"true"`
	// Tzdata puts the time zones of the builder image into an image for Linux. The
	// default is true on scratch and false on a base image.
	Tzdata *bool `yaml:"tzdata" also:"timezones|timezone|zoneinfo" default:"true"`
	// Passwd writes passwd and group files with root, nobody and nonroot, and
	// their home directories, into an image for Linux. The default is true on
	// scratch and false on a base image.
	Passwd *bool `yaml:"passwd" default:"true"`
	// Tmp makes /tmp, writable for everybody, in an image for Linux. The default
	// is true on scratch and false on a base image.
	Tmp *bool `yaml:"tmp" default:"true"`
}

// Healthcheck is how a runtime finds out whether the binary works. Durations
// are written as Go writes them, such as 30s.
type Healthcheck struct {
	// Test is the command: a program of the image and its arguments. There is no
	// shell. A binary of this spec that is in the image may be given by its name,
	// any other program by its absolute path.
	Test []string `yaml:"test,short" also:"cmd|command" examples:"server|-health"`
	// Interval is the time between two checks.
	Interval string `yaml:"interval" default:"30s" examples:"10s" pattern:"0|([0-9]*\\.?[0-9]+(ns|us|µs|ms|s|m|h))+"`
	// Timeout is the time that a check may take.
	Timeout string `yaml:"timeout" default:"30s" examples:"3s" pattern:"0|([0-9]*\\.?[0-9]+(ns|us|µs|ms|s|m|h))+"`
	// StartPeriod is the time in which a failure does not count.
	StartPeriod string `yaml:"start_period" default:"0s" examples:"5s" pattern:"0|([0-9]*\\.?[0-9]+(ns|us|µs|ms|s|m|h))+"`
	// StartInterval is the time between two checks in the start period.
	StartInterval string `yaml:"start_interval" default:"5s" examples:"1s" pattern:"0|([0-9]*\\.?[0-9]+(ns|us|µs|ms|s|m|h))+"`
	// Retries is how many failures in a row make the container unhealthy.
	Retries string `yaml:"retries" also:"retry" default:"3" examples:"3" pattern:"[1-9][0-9]*"`
}

// File is something to put into the image.
type File struct {
	// From is a path of the context, which may hold wildcards, context:NAME/path
	// for a path of a named context, or the URL of a file. Of a directory the
	// content is copied, as COPY does in a Dockerfile.
	From string `yaml:"from,required" also:"src|source" examples:"config/*.yaml|context:assets/dist|https://example.com/data.bin"`
	// To is where it stands in the image. With a / at the end it is a directory
	// to put the file into, which several files need.
	To string `yaml:"to,required" also:"dst|dest|destination|target" examples:"/etc/app/|/etc/app/config.yaml" pattern:"/.*"`
	// Mode sets the permissions of what is copied, in octal. In a directory that
	// is copied, those who get the right to read a directory also get the right
	// to enter it: 0644 makes directories 0755. Without the key permissions stay
	// as they are.
	Mode string `yaml:"mode" also:"chmod|permissions" examples:"0644|0755" pattern:"0?[0-7]{3,4}"`
	// Owner owns the files: root, nobody, nonroot or a number, optionally with
	// :group.
	Owner string `yaml:"owner" also:"chown|user" default:"0:0" examples:"nonroot|65532:65532"`
	// Checksum is the digest of the file behind a URL. A URL needs one.
	Checksum string `yaml:"checksum" also:"sha256|digest|hash" examples:"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" pattern:"sha256:[0-9a-f]{64}"`
}

// Modules is how modules are downloaded. Secrets are seen by the download
// alone.
type Modules struct {
	// Private lists patterns of module paths, as GOPRIVATE has them: such
	// modules are not looked up in the checksum database, and not asked for at a
	// proxy unless the key proxy names one.
	Private []string `yaml:"private" also:"goprivate" examples:"git.example.com/team|*.corp.example.com"`
	// Proxy is the module proxy, as GOPROXY has it.
	Proxy string `yaml:"proxy" also:"goproxy" examples:"https://proxy.example.com,direct"`
	// Netrc is the id of a secret that holds a netrc file: user names and
	// passwords of hosts. It is used when the client passes it.
	Netrc string `yaml:"netrc" default:"netrc" examples:"netrc"`
	// SSH is the id of an ssh agent. When the key is written, hosts of private
	// modules are asked by ssh instead of https.
	SSH string `yaml:"ssh" default:"default" examples:"default"`
}

// Command is a command to run before the source tree is read.
type Command struct {
	// Run is the command: one text is split at spaces, outside of quotes; of a
	// list every item is one argument. There is no shell.
	Run []string `yaml:"run,short" also:"cmd|command|script" examples:"go generate ./..."`
	// Dir is the directory in which it runs, from the context's root. It is one
	// of the context, or made by a command before.
	Dir string `yaml:"dir" also:"workdir|working_dir|cwd" default:"." examples:"./api"`
	// Network is what the command can reach: nothing, or what the builder can.
	Network string `yaml:"network" default:"none" enum:"none|default"`
}

// File returns the name that the spec was parsed under.
func (s *Spec) File() string { return s.file }

// Pos returns where the value of a field was written. The field is named by
// its address, such as &s.Main, &s.Build.Tags[0] or &s.Args[1].Name. It
// returns the zero Pos when the field was not written.
func (s *Spec) Pos(field any) Pos { return s.pos[field] }

// At returns the place of the first field that was written: the place of its
// key for a mapping or a list, of its value otherwise. Without any it is the
// start of the file.
func (s *Spec) At(fields ...any) Pos {
	for _, f := range fields {
		if _, scalar := f.(*string); !scalar {
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
