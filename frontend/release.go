package frontend

import (
	"go/version"
	"path"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/diagnosis"
)

// releaseVariable is where the images of golang tell their Go release.
const releaseVariable = "GOLANG_VERSION="

// goFailed says how a go command ended in a folder, where it read these files.
func (b *build) goFailed(code uint32, dir string, files []string) string {
	if why := b.tooOld(dir, files); why != "" && code != killedCode {
		return "failed: " + why
	}
	return failed(code)
}

// tooOld says that a module asks for a later Go release than the builder image
// has, "" when none does or the image does not tell. It is asked when a command has
// failed, and not before: an image may tell wrong.
func (b *build) tooOld(dir string, files []string) string {
	has := b.builderRelease()
	if has == "" {
		return ""
	}
	file, asks := "", has
	consider := func(name, goLine string) {
		if goLine != "" && version.Compare("go"+goLine, "go"+asks) > 0 {
			file, asks = name, goLine
		}
	}
	if w := b.index.WorkOf(dir); w != nil {
		consider(path.Join(w.Dir, "go.work"), w.Go)
	}
	own := b.index.ModuleOf(dir)
	for i := range b.index.Modules {
		m := &b.index.Modules[i]
		if name := path.Join(m.Dir, "go.mod"); m == own || slices.Contains(files, name) {
			consider(name, m.Go)
		}
	}
	if file == "" {
		return ""
	}
	why, help := diagnosis.Release(file, asks, b.plan.Builder.Ref, has)
	return why + " (" + help + ")"
}

// builderRelease is what the builder image tells of its Go release.
func (b *build) builderRelease() string {
	if b.lookup == nil || b.lookup.wait() != nil || b.lookup.found.config == nil {
		return ""
	}
	for _, e := range b.lookup.found.config.Config.Env {
		if has, ok := strings.CutPrefix(e, releaseVariable); ok && version.IsValid("go"+has) {
			return has
		}
	}
	return ""
}
