package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

func floatingBuilder() Rule {
	return Rule{
		Name:    "FloatingBuilder",
		Summary: "The tag of the builder image does not say which Go release compiles",
		Why: `
An image without a tag is the one with the tag latest, and that is another one
after each release. So is a tag of the golang image without a minor release, such
as golang:alpine or golang:1: one day a new Go release compiles, with no change
in the repository.

Without the key builder, the release comes from go.mod. A tag with the minor
release, such as golang:1.26-trixie, gets its patches only; a digest never
changes. Tags of other images than golang say what their owner means by them,
and the rule says something about latest only.
`,
		Bad: Example{Spec: `
builder: golang:alpine
`},
		Good: Example{Spec: `
builder: golang:1.26-alpine
`},
		Check: checkFloatingBuilder,
	}
}

// minorPattern is a tag of the golang image that names a minor release.
var minorPattern = regexp.MustCompile(`^1\.[0-9]`)

func checkFloatingBuilder(in *Input) []finding {
	b := in.Plan.Builder
	if !b.Chosen || strings.Contains(b.Ref, "@") {
		return nil
	}
	name, tag := b.Ref, "latest"
	if i := strings.LastIndexByte(b.Ref, ':'); i > strings.LastIndexByte(b.Ref, '/') {
		name, tag = b.Ref[:i], b.Ref[i+1:]
	}
	for _, prefix := range []string{"docker.io/", "index.docker.io/", "library/"} {
		name = strings.TrimPrefix(name, prefix)
	}
	if tag != "latest" && (name != "golang" || minorPattern.MatchString(tag)) {
		return nil
	}
	msg := fmt.Sprintf("builder: %s can be another Go release tomorrow (name the release, such as golang:1.26-alpine, or a digest)", b.Ref)
	return []finding{{in.value(&in.Spec.Builder), msg}}
}

func platformWithoutRuntime() Rule {
	return Rule{
		Name:    "PlatformWithoutRuntime",
		Summary: "Docker starts no image for the platform",
		Why: `
Go compiles for some forty platforms, and Docker starts images for two of their
operating systems: Linux and Windows, the latter on a base of Windows alone. An
image for another one is built and pushed, and stays where it is.

The programs themselves are exported as files, for all platforms: --target
binaries -o dist. The rule says nothing of FreeBSD and WASI (wasip1), whose
images other runtimes than Docker's do start.
`,
		Bad: Example{Spec: `
platforms: [linux/amd64, darwin/arm64]
`},
		Good: Example{Options: "--target binaries", Spec: `
platforms: [linux/amd64, darwin/arm64]
`},
		Check: checkPlatformWithoutRuntime,
	}
}

func checkPlatformWithoutRuntime(in *Input) (out []finding) {
	if in.FilesOnly {
		return nil
	}
	const format = "Docker starts no image for %s (export the programs: --target binaries)"
	var asked []string // by the client
	for i := range in.Plan.Targets {
		t := &in.Plan.Targets[i]
		if len(t.Binaries) == 0 || slices.Contains([]string{"linux", "windows", "freebsd", "wasip1"}, t.Port.OS) {
			continue
		}
		name := t.Port.OS + "/" + t.Port.Arch
		at := slices.IndexFunc(in.Spec.Platforms, func(text string) bool {
			port, ok := portOf(text)
			return ok && port == t.Port
		})
		switch {
		case at >= 0:
			out = append(out, finding{in.value(&in.Spec.Platforms[at]), "platforms: " + fmt.Sprintf(format, name)})
		case !slices.Contains(asked, name):
			asked = append(asked, name)
		}
	}
	if len(asked) > 0 {
		out = append(out, finding{nowhere(), fmt.Sprintf(format, strings.Join(asked, ", "))})
	}
	return out
}

// portOf returns the port of a platform as it is written.
func portOf(text string) (plan.Port, bool) {
	p, err := plan.ParsePlatform(text)
	if err != nil {
		return plan.Port{}, false
	}
	port, err := plan.PortOf(p)
	return port, err == nil
}

func repeatedPlatform() Rule {
	return Rule{
		Name:    "RepeatedPlatform",
		Summary: "Two platforms of the list are the same",
		Why: `
A platform has several names: linux/arm64 and linux/arm64/v8 are one, and so are
linux/amd64, linux/amd64/v1 and linux/x86_64. The second one in a list is left
out, so that the image has fewer platforms than the list.
`,
		Bad: Example{Spec: `
platforms: [linux/arm64, linux/arm64/v8]
`},
		Good: Example{Spec: `
platforms: [linux/arm64, linux/arm/v7]
`},
		Check: checkRepeatedPlatform,
	}
}

func checkRepeatedPlatform(in *Input) (out []finding) {
	known := map[string]string{}
	for i := range in.Spec.Platforms {
		text := in.Spec.Platforms[i]
		name := text
		if port, ok := portOf(text); ok {
			name = port.String()
		}
		if first, ok := known[name]; ok {
			msg := fmt.Sprintf("platforms: %s is in the list already, as %s (leave it out)", text, first)
			out = append(out, finding{in.value(&in.Spec.Platforms[i]), msg})
			continue
		}
		known[name] = text
	}
	return out
}
