package plan

import (
	"go/version"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// line is a release that go.mod or go.work asks for.
type line struct {
	file, value string
	line        int
}

// lines are what the files of a module ask for. A workspace's go.work stands
// above go.mod, as it does for the go command.
func (r *resolver) lines(m *scan.Module) (goLine, toolchain line) {
	mod := join(m.Dir, "go.mod")
	goLine = line{mod, m.Go, m.GoLine}
	toolchain = line{mod, m.Toolchain, m.ToolchainLine}
	if w := r.index.WorkOf(m.Dir); w != nil {
		work := join(w.Dir, "go.work")
		if w.Go != "" {
			goLine = line{work, w.Go, w.GoLine}
		}
		toolchain = line{work, w.Toolchain, w.ToolchainLine}
	}
	return goLine, toolchain
}

// release decides the Go release: the spec's, the toolchain line's, or the
// minor release of the go line. Of several modules the one that asks for the
// newest decides, and those of the commands that ran are among them.
func (r *resolver) release(mods []*scan.Module) {
	goLine, toolchain := r.lines(mods[0])
	for _, m := range mods[1:] {
		g, t := r.lines(m)
		if version.Compare("go"+g.value, "go"+goLine.value) > 0 {
			goLine = g
		}
		if version.Compare(t.value, toolchain.value) > 0 {
			toolchain = t
		}
	}
	if !sameOrNewer(toolchain.value, goLine.value) {
		toolchain = line{} // another module's go line asks for more
	}
	prepared := ""
	if r.opt.Prepared != nil {
		prepared = r.opt.Prepared.Release
	}
	switch {
	case r.written(&r.spec.Go):
		r.plan.Release = r.chosenRelease(goLine)
	case toolchain.value != "":
		release, _, _ := strings.Cut(strings.TrimPrefix(toolchain.value, "go"), "-")
		r.plan.Release = release
	case goLine.value != "":
		r.plan.Release = minor(goLine.value)
	case r.spec.Builder != "", prepared != "":
		// The image decides; a go.mod without a go line is no reason to stop.
	default:
		r.fail((&spec.Error{File: goLine.file, Pos: spec.Pos{Line: 1, Column: 1}, Msg: "go.mod has no go line"}).
			WithHelp("add one, or set go: in the spec"))
	}
	if version.Compare("go"+prepared, "go"+r.plan.Release) > 0 {
		r.plan.Release = prepared // another builder would run the commands again
	}
}

// sameOrNewer reports whether a toolchain can compile what a go line asks for.
func sameOrNewer(toolchain, goLine string) bool {
	name, _, _ := strings.Cut(toolchain, "-")
	return toolchain == "" || version.Compare(name, "go"+goLine) >= 0
}

// chosenRelease checks the release that the spec names.
func (r *resolver) chosenRelease(goLine line) string {
	field := &r.spec.Go
	release, ok := r.expand(field)
	switch {
	case !ok:
	case !version.IsValid("go"+release) && version.IsValid("go"+strings.Trim(release, "gov ")) && strings.Contains(release, "."):
		r.fail(r.spec.Errorf(field, "go: %q is not a release", release).WithHelp("write %s", strings.Trim(release, "gov ")))
	case !version.IsValid("go"+release) || !strings.Contains(release, "."):
		r.fail(r.spec.Errorf(field, "go: %q is not a release", release).WithHelp("expected one such as 1.26 or 1.26.3"))
	case goLine.value != "" && older(release, goLine.value):
		r.fail(r.spec.Errorf(field, "go: release %s is older than line %d of %s asks for: go %s", release, goLine.line, goLine.file, goLine.value).
			WithHelp("use %s or later, or leave go: out", minor(goLine.value)))
	}
	return release
}

// older reports whether a release of the spec is too old for a go line. A
// minor release stands for the newest of its patches.
func older(release, goLine string) bool {
	if release == minor(release) {
		return version.Compare("go"+release, version.Lang("go"+goLine)) < 0
	}
	return version.Compare("go"+release, "go"+goLine) < 0
}

// minor returns the release without its patch: 1.26 for 1.26.3. A release
// candidate stays what it is, since no image is tagged with less.
func minor(release string) string {
	if strings.ContainsAny(release, "rb") {
		return release
	}
	return strings.TrimPrefix(version.Lang("go"+release), "go")
}
