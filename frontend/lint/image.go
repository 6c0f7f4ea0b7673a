package lint

import (
	"fmt"
	"go/version"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/plan"
)

func rootUser() Rule {
	return Rule{
		Name:    "RootUser",
		Summary: "The program runs as root",
		Why: `
Root in a container has what the container has: it may write every file of the
image and of its volumes, and where user namespaces are off, a way out of the
container is a way to be root on the host. Clusters with a restricted policy do
not start such an image.

Without image.user, an image on scratch runs as 65532:65532, nonroot in its
passwd file, and so does one on a base that names no user. A base that names root
keeps it; the rule looks at the spec alone.

A port below 1024 needs no root either: Docker lets every user of a container
listen there.
`,
		Bad: Example{Spec: `
image:
  user: root
  expose: 80
`},
		Good: Example{Spec: `
image:
  expose: 80
`},
		Check: checkRootUser,
	}
}

func checkRootUser(in *Input) (out []finding) {
	for u, t := range in.images() {
		name, _, _ := strings.Cut(t.Image.User, ":")
		if id, err := strconv.ParseUint(name, 10, 32); name == "root" || err == nil && id == 0 {
			msg := "image.user: the program runs as root (expected a user without rights, such as " + plan.DefaultUser + ")"
			out = append(out, finding{in.value(&u.image.User), msg})
		}
	}
	return out
}

func gotracebackCrash() Rule {
	return Rule{
		Name:    "GotracebackCrash",
		Summary: "GOTRACEBACK=crash writes no core dump in a container",
		Why: `
With GOTRACEBACK=crash the Go runtime prints all stacks, as with
GOTRACEBACK=system, and then sends itself SIGABRT for a core dump. The program
of an image is the first process of its container, and for that one the kernel
ignores a signal that it does not handle. So there is no core dump: the runtime
gives up and exits with status 2, as always.

Where the program is not the first process, with docker run --init or a process
namespace shared in a pod, the kernel of the host decides by its own
kernel.core_pattern where the dump goes: into the working directory, which a
user without rights cannot write on scratch, or to a program of the host, which
then holds all of the process's memory, secrets included.

GOTRACEBACK=system prints the same and promises no more than it does.
`,
		Bad: Example{Spec: `
image:
  env:
    GOTRACEBACK: crash
`},
		Good: Example{Spec: `
image:
  env:
    GOTRACEBACK: system
`},
		Check: checkGotracebackCrash,
	}
}

func checkGotracebackCrash(in *Input) (out []finding) {
	for u, t := range in.images() {
		e := pair(u.image.Env, "GOTRACEBACK")
		if value := goflags.Getenv(t.Image.Env, "GOTRACEBACK"); e != nil && value == "crash" {
			out = append(out, finding{in.value(&e.Value), "image.env: GOTRACEBACK=crash dumps no core from the first process of a container (system prints the same stacks)"})
		}
	}
	return out
}

func invalidRuntimeEnv() Rule {
	return Rule{
		Name:    "InvalidRuntimeEnv",
		Summary: "The Go runtime refuses or ignores the value of a variable",
		Why: `
The Go runtime reads GOMEMLIMIT, GOGC and GOMAXPROCS when the program starts. A
GOMEMLIMIT that it cannot read ends the program at once, with "malformed
GOMEMLIMIT". A GOGC or GOMAXPROCS that it cannot read is ignored without a word.

GOMEMLIMIT is a number of bytes, or a number with one of the units B, KiB, MiB,
GiB and TiB. Kubernetes writes 400Mi where Go writes 400MiB. GOGC is a percentage
or off, and GOMAXPROCS a whole number above 0.
`,
		Bad: Example{Spec: `
image:
  env:
    GOMEMLIMIT: 400Mi
`},
		Good: Example{Spec: `
image:
  env:
    GOMEMLIMIT: 400MiB
`},
		Check: checkInvalidRuntimeEnv,
	}
}

// memoryPattern is a number of bytes as the runtime reads it (runtime
// parseByteCount), with a sign that some releases take.
var memoryPattern = regexp.MustCompile(`^\+?[0-9]+(B|[KMGT]iB)?$`)

// unitPattern is a number with a unit that others use.
var unitPattern = regexp.MustCompile(`^([0-9]+)([kKMGT])i?[Bb]?$`)

func checkInvalidRuntimeEnv(in *Input) (out []finding) {
	limited := version.Compare("go"+in.Plan.Release, "go1.19") >= 0 // knows GOMEMLIMIT
	for u, t := range in.images() {
		for i := range u.image.Env {
			e := &u.image.Env[i]
			if !slices.Contains([]string{"GOMEMLIMIT", "GOGC", "GOMAXPROCS"}, e.Name) {
				continue
			}
			value := goflags.Getenv(t.Image.Env, e.Name)
			n, err := strconv.ParseInt(value, 10, 32)
			var msg string
			switch {
			case value == "":
			case e.Name == "GOMEMLIMIT" && limited && value != "off" && !memoryPattern.MatchString(value):
				msg = fmt.Sprintf("image.env: GOMEMLIMIT=%s ends the program when it starts%s", value, memoryHelp(value))
			case e.Name == "GOGC" && value != "off" && err != nil:
				msg = fmt.Sprintf("image.env: GOGC=%s is ignored (expected a percentage such as 100, or off)", value)
			case e.Name == "GOMAXPROCS" && (err != nil || n <= 0):
				msg = fmt.Sprintf("image.env: GOMAXPROCS=%s is ignored (expected a number above 0)", value)
			}
			if msg != "" {
				out = append(out, finding{in.value(&e.Value), msg})
			}
		}
	}
	return out
}

// memoryHelp proposes what the runtime can read.
func memoryHelp(value string) string {
	m := unitPattern.FindStringSubmatch(value)
	if m == nil {
		return " (expected a number of bytes, or one such as 400MiB)"
	}
	return " (write " + m[1] + strings.ToUpper(m[2]) + "iB)"
}

func tzdataUnused() Rule {
	return Rule{
		Name:    "TzdataUnused",
		Summary: "The binary embeds the time zones that the image holds, too",
		Why: `
The build tag timetzdata puts the time zones into the binary, about 450 kB of
them. Go looks there when the image has none. On scratch, nobody else reads the
time zones of the image, so they are in it twice.

Write tzdata: false beside the tag, or leave the tag out. Files that are copied
into the image may hold other programs, so that the rule says nothing then.
`,
		Bad: Example{Spec: `
build:
  tags: timetzdata
`},
		Good: Example{Spec: `
build:
  tags: timetzdata
image:
  tzdata: false
`},
		Check: checkTzdataUnused,
	}
}

func checkTzdataUnused(in *Input) (out []finding) {
	const tag = "timetzdata" // since Go 1.15
	if version.Compare("go"+in.Plan.Release, "go1.15") < 0 {
		return nil
	}
	for u, t := range in.images() {
		embedded := !slices.ContainsFunc(t.Binaries, func(b plan.Binary) bool { return !slices.Contains(tagsOf(&b), tag) })
		if !embedded || !t.Rootfs.Tzdata || t.Base != "" || len(t.Files) > 0 {
			continue
		}
		at := in.written(&u.build.Tags)
		for i := range u.build.Tags {
			if from := strings.Index(u.build.Tags[i], tag); from >= 0 {
				at = in.inside(&u.build.Tags[i], from, len(tag))
			}
		}
		out = append(out, finding{at, "build.tags: timetzdata embeds the time zones that image.tzdata puts into the image, too (write tzdata: false)"})
	}
	return out
}

// tagsOf returns the build tags of a binary.
func tagsOf(b *plan.Binary) []string {
	for _, f := range b.Flags {
		if tags, ok := strings.CutPrefix(f, "-tags="); ok {
			return strings.Split(tags, ",")
		}
	}
	return nil
}
