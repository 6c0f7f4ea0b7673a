package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// unknownPlatform says that there is no platform of that name, which is port
// when normalized, and what there is.
func unknownPlatform(name, port string) error {
	port = respelled(port)
	if !strings.Contains(port, "/") {
		port = complete(port)
	}
	systems, architectures := parts(portNames())
	os, arch, _ := strings.Cut(port, "/")
	if slices.Contains(systems, arch) && slices.Contains(architectures, os) {
		os, arch = arch, os
	}
	os = spec.Nearest(os, systems)
	known := portsOf(os)
	_, archs := parts(known)
	switch near := spec.Nearest(arch, archs); {
	case os == "":
		return fmt.Errorf("unknown platform %q (expected one such as linux/amd64)", name)
	case near != "":
		return fmt.Errorf("unknown platform %q (did you mean %q?)", name, os+"/"+near+armVariant(name))
	}
	return fmt.Errorf("unknown platform %q (known: %s)", name, strings.Join(known, ", "))
}

// respelled is a platform with the words of the go command for those of others.
func respelled(name string) string {
	if !strings.Contains(name, "/") {
		os, arch, _ := strings.Cut(strings.NewReplacer("-", "/", "_", "/", ":", "/").Replace(name), "/")
		if systems, _ := parts(portNames()); slices.Contains(systems, respelledWord(os)) && arch != "" {
			name = os + "/" + arch
		}
	}
	words := strings.Split(name, "/")
	for i, word := range words {
		words[i] = respelledWord(word)
	}
	return strings.Join(words, "/")
}

// respelledWord returns what others call an operating system or an architecture in
// the words of the go command.
func respelledWord(word string) string {
	switch word = strings.ToLower(word); word {
	case "win", "win32", "win64":
		return "windows"
	case "osx", "mac":
		return "darwin"
	case "x64", "amd", "intel":
		return "amd64"
	case "x86", "ia32":
		return "386"
	case "arm32":
		return "arm"
	}
	if armVariant(word) != "" {
		return "arm"
	}
	return word
}

// armVariant is the variant in a name that has it in the word of the architecture,
// as in linux/armv6 or armv7l, with its slash.
func armVariant(name string) string {
	for word := range strings.SplitSeq(strings.ToLower(name), "/") {
		if v, ok := strings.CutPrefix(strings.Replace(strings.TrimSuffix(word, "l"), "-", "", 1), "armv"); ok && slices.Contains([]string{"5", "6", "7"}, v) {
			return "/v" + v
		}
	}
	return ""
}

// parts returns the operating systems and the architectures of ports.
func parts(ports []string) (systems, archs []string) {
	for _, name := range ports {
		os, arch, _ := strings.Cut(name, "/")
		systems, archs = append(systems, os), append(archs, arch)
	}
	return systems, archs
}

// complete returns a likely platform of an operating system or an architecture,
// "" when it is neither. It is a proposal only: what is missing is never taken
// from the machine, so that the same spec is the same build everywhere.
func complete(word string) string {
	if word == "" {
		return ""
	}
	p := platforms.Normalize(ocispecs.Platform{OS: word, Architecture: word})
	systems, archs := parts(portNames())
	os, arch := spec.Nearest(p.OS, systems), spec.Nearest(p.Architecture, archs)
	known := portsOf(os)
	switch {
	case len(known) == 0 && arch == "":
		return ""
	case len(known) == 0:
		return "linux/" + arch
	case slices.Contains(known, os+"/amd64"):
		return os + "/amd64"
	}
	return known[0]
}

// portsOf returns the names of the ports of an operating system.
func portsOf(os string) []string {
	return slices.DeleteFunc(portNames(), func(name string) bool {
		return !strings.HasPrefix(name, os+"/")
	})
}

// unknownVariant says that an architecture has no such variant.
func unknownVariant(p ocispecs.Platform, l levels) error {
	port := p.OS + "/" + p.Architecture
	if len(l.known) == 0 {
		return fmt.Errorf("unknown variant %q of %s (it has none)", p.Variant, port)
	}
	names := make([]string, len(l.known))
	for i, level := range l.known {
		names[i] = l.prefix + level
	}
	return fmt.Errorf("unknown variant %q of %s (known: %s)", p.Variant, port, strings.Join(names, ", "))
}
