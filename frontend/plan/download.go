package plan

import (
	"io/fs"
	"slices"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// download decides whether there is anything to download, and from which files.
func (r *resolver) download(m *scan.Module) {
	vendored, needed := m.Vendor, m.Requires
	var files []string
	if w := r.index.Work; w != nil {
		vendored = w.Vendor
		files = append(files, "go.work")
		if w.Sum {
			files = append(files, "go.work.sum")
		}
	}
	for _, dir := range r.moduleDirs(m) {
		other := r.index.ModuleOf(dir)
		if other == nil || other.Dir != dir {
			continue // the go command says what is missing, in its own words
		}
		needed = needed || other.Requires
		files = append(files, join(dir, "go.mod"))
		if other.Sum {
			files = append(files, join(dir, "go.sum"))
		}
	}
	if vendored || !needed {
		return
	}
	slices.Sort(files)
	r.plan.Download = &Download{Dir: m.Dir, Files: slices.Compact(files), Env: r.moduleEnv(), Pos: r.downloadPos()}
}

// moduleDirs are the directories of the modules that decide what the main
// module requires: its own, those of its workspace, and those that replace
// others.
func (r *resolver) moduleDirs(m *scan.Module) []string {
	dirs := []string{m.Dir}
	w := r.index.Work
	if w != nil {
		dirs = append(dirs, w.Use...)
		dirs = append(dirs, r.replaced("go.work", w.Replaces)...)
	}
	for _, dir := range slices.Clone(dirs) {
		if other := r.index.ModuleOf(dir); other != nil && other.Dir == dir {
			dirs = append(dirs, r.replaced(join(dir, "go.mod"), other.Replaces)...)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// replaced returns the directories that replace modules. One that the context
// does not hold cannot be built with.
func (r *resolver) replaced(file string, replaces []scan.Replace) []string {
	var dirs []string
	for _, rep := range replaces {
		if fs.ValidPath(rep.Dir) {
			dirs = append(dirs, rep.Dir)
			continue
		}
		e := &spec.Error{File: file, Pos: spec.Pos{Line: rep.Line, Column: 1}, Msg: rep.Path + " is replaced by " + rep.Dir + ", outside of the context"}
		r.fail(e.WithHelp("make the common parent directory the context, and name the program with main:"))
	}
	return dirs
}

// downloadPos is the place of the proxy, when the spec names one.
func (r *resolver) downloadPos() spec.Pos {
	for i := range r.spec.Build.Env {
		if e := &r.spec.Build.Env[i]; e.Name == "GOPROXY" {
			return r.spec.At(&e.Value)
		}
	}
	return r.spec.At()
}
