package plan

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// buildmode is the value of -buildmode, "" for the default.
func (sc *scope) buildmode() string {
	field := &sc.build.Buildmode
	if !sc.written(field) {
		return ""
	}
	mode := sc.text(field)
	known := []string{"default", "exe", "pie"}
	switch {
	case slices.Contains([]string{"archive", "c-archive", "c-shared", "plugin", "shared"}, mode):
		sc.fail(sc.spec.Errorf(field, "build.buildmode: %s makes no program", mode).WithHelp("expected one of %s", list(known)))
	case !slices.Contains(known, mode):
		e := sc.spec.Errorf(field, "build.buildmode: unknown mode %q", mode).WithHelp("expected one of %s", list(known))
		if near := spec.Nearest(mode, known); near != "" {
			e.WithHelp("did you mean %s?", near)
		}
		sc.fail(e)
	case mode == "pie" && !internalPIE(sc.port):
		sc.fail(sc.spec.Errorf(field, "build.buildmode: the go command alone cannot link a pie for %s/%s", sc.port.OS, sc.port.Arch).WithHelp("leave it out"))
	}
	return mode
}

// internalPIE reports whether the go command links position-independent
// programs for a port by itself (internal/platform InternalLinkPIESupported).
func internalPIE(p Port) bool {
	return slices.Contains([]string{
		"android/arm64", "darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64", "linux/loong64", "linux/ppc64le",
		"windows/386", "windows/amd64", "windows/arm64",
	}, p.OS+"/"+p.Arch)
}

// checkLoader refuses a program that scratch cannot start: the go command links
// position-independent programs for Linux dynamically.
func (sc *scope) checkLoader(t *Target) {
	if t.Port.OS != "linux" || t.Base != "" || sc.plan.FilesOnly || !sc.written(&sc.build.Buildmode) {
		return
	}
	if sc.text(&sc.build.Buildmode) == "pie" {
		sc.fail(sc.spec.Errorf(&sc.build.Buildmode, "build.buildmode: pie needs a loader, which scratch does not have: no such file or directory at run time").
			WithHelp("leave it out, or choose an image.from that has one"))
	}
}

// pgo is the value of -pgo, "" for the default, and the file of the context
// that it names.
func (sc *scope) pgo() (value, file string) {
	field := &sc.build.Pgo
	if !sc.written(field) {
		return "", ""
	}
	text := sc.text(field)
	switch {
	case text == "auto" || text == "off":
		return text, ""
	case !strings.ContainsAny(text, "./") || strings.ContainsAny(text, "\n\\") || path.IsAbs(text):
		e := sc.spec.Errorf(field, "build.pgo: %q is not a file of the context", text).WithHelp("expected auto, off or one such as profiles/cpu.pgo")
		if near := spec.Nearest(text, []string{"auto", "off"}); near != "" {
			e.WithHelp("did you mean %s?", near)
		}
		sc.fail(e)
		return "", ""
	}
	file = path.Clean(text)
	if outside(file) {
		sc.fail(sc.spec.Errorf(field, "build.pgo: %s is outside of the context", text).WithHelp("make the common parent directory the context"))
		return "", ""
	}
	return arg(relative(sc.main.module.Dir, file)), file
}

// pgoOf is the value of -pgo that a binary is built with: its own flags win over
// those in GOFLAGS. "" stands for the default.
func pgoOf(b *Binary, words []string) string {
	value, ok := goflags.Value(b.Flags, "pgo")
	if !ok {
		value, _ = goflags.Value(words, "pgo")
	}
	return value
}

// profileIn notes the profile that GOFLAGS names. The result is false when it may
// be no file of the context: one of the builder image, or none.
func (sc *scope) profileIn(b *Binary, words []string) bool {
	value := pgoOf(b, words)
	if b.Profile != "" || value == "auto" || value == "off" || !goflags.Has(words, "pgo") {
		return true
	}
	file := path.Join(b.Dir, value)
	if value == "" || path.IsAbs(value) || outside(file) {
		return false
	}
	b.Profile = file
	for i := range sc.build.Env {
		if e := &sc.build.Env[i]; e.Name == "GOFLAGS" {
			b.ProfilePos = sc.spec.At(&e.Value)
		}
	}
	return true
}

// outside reports whether a clean path leaves the context.
func outside(clean string) bool { return clean == ".." || strings.HasPrefix(clean, "../") }

// The values of build.stamp that are no variables.
const (
	stampLabels = "labels"
	stampNone   = "none"
)

// stampPattern is a string variable as -X takes it.
var stampPattern = regexp.MustCompile(`^[^\s=]+\.[\pL_][\pL\pN_]*$`)

// stampNames are the variables that the linker sets to the revision. Without
// one they keep the value that the source gives them.
func (sc *scope) stampNames() []string {
	var names []string
	for i := range sc.build.Stamp {
		field := &sc.build.Stamp[i]
		switch name := sc.text(field); {
		case name == stampLabels:
		case name == stampNone && len(sc.build.Stamp) > 1:
			sc.fail(sc.spec.Errorf(field, "build.stamp: none beside others").WithHelp("none stands alone"))
		case name == stampNone:
		case !stampPattern.MatchString(name):
			e := sc.spec.Errorf(field, "build.stamp: %q is not a variable", name).WithHelp("expected labels, none or variables such as main.revision")
			if near := spec.Nearest(name, []string{stampLabels, stampNone}); near != "" {
				e.WithHelp("did you mean %s?", near)
			}
			sc.fail(e)
		default:
			names = append(names, name)
		}
	}
	if sc.opt.Revision == "" {
		return nil
	}
	return names
}

// told reports whether the image may tell what it was made from.
func (sc *scope) told() bool {
	return len(sc.build.Stamp) == 0 || sc.text(&sc.build.Stamp[0]) != stampNone
}

// stampLabels are the labels that say what the image was built from (OCI
// image-spec annotations.md).
func (sc *scope) stampLabels(told bool) map[string]string {
	labels := map[string]string{}
	if !told {
		return labels
	}
	if sc.opt.Revision != "" {
		labels["org.opencontainers.image.revision"] = sc.opt.Revision
	}
	if sc.opt.Source != "" {
		labels["org.opencontainers.image.source"] = sc.opt.Source
	}
	return labels
}
