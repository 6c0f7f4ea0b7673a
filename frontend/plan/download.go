package plan

import (
	"fmt"
	"go/version"
	"io/fs"
	"path"
	"slices"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// wholeDownload is the download of all modules. The go command reads the go.mod
// of each that is required, also where another directory stands in its place.
func (r *resolver) wholeDownload(m *scan.Module, env []string) *Download {
	d := r.downloadOf(m)
	if d != nil && !elsewhere(goflags.Env(env)) {
		r.failLacking(m, func(lacking) bool { return true })
	}
	return d
}

// downloadOf decides whether there is anything to download, and from which files.
// A workspace is downloaded as a whole.
func (r *resolver) downloadOf(m *scan.Module) *Download {
	dir := m.Dir
	vendored, needed := m.Vendor, m.Requires
	var files []string
	w := r.index.WorkOf(m.Dir)
	if w != nil {
		vendored = w.Vendor
		if slices.Contains(w.Use, m.Dir) {
			dir = w.Dir
		}
		files = append(files, join(w.Dir, "go.work"))
		if w.Sum {
			files = append(files, join(w.Dir, "go.work.sum"))
		}
	}
	if vendored {
		return nil // the go command reads no directory that replaces a module
	}
	mains := mainDirs(m, w)
	for _, dir := range r.moduleDirs(mains, w) {
		other := r.index.ModuleAt(dir)
		if other == nil {
			continue // it matters where something looks there
		}
		// What a module replaces counts where it is the main module.
		replaces := !slices.Contains(mains, dir) && len(other.Replaces) > 0
		needed = needed || other.Requires || replaces
		files = append(files, join(dir, "go.mod"))
		if other.Sum {
			files = append(files, join(dir, "go.sum"))
		}
	}
	if !needed {
		return nil
	}
	d := new(*r.download)
	d.Dir, d.Files = dir, r.reach(files)
	for _, known := range r.downloads {
		if known.Dir == d.Dir {
			return known
		}
	}
	for _, c := range r.plan.Generate {
		// Commands that ran may have written other module files.
		if c.Download != nil && c.Download.Dir == d.Dir && slices.Equal(c.Download.Files, d.Files) {
			d = c.Download
		}
	}
	r.downloads = append(r.downloads, d)
	return d
}

// reach adds the links on the way to files and what they lead to, and sorts.
func (r *resolver) reach(files []string) []string {
	var all []string
	for _, f := range files {
		all = append(all, r.index.Reach(f)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// mainDirs are the directories of the main modules: that of the module, and
// those of its workspace, nil for none.
func mainDirs(m *scan.Module, w *scan.Work) []string {
	dirs := []string{m.Dir}
	if w != nil {
		dirs = append(dirs, w.Use...)
	}
	return dirs
}

// moduleDirs are the directories of the modules that decide what main modules
// require: their own, and those that replace others.
func (r *resolver) moduleDirs(mains []string, w *scan.Work) []string {
	dirs := slices.Clone(mains)
	if w != nil {
		dirs = append(dirs, replaced(w.Replaces)...)
	}
	for _, dir := range mains {
		if other := r.index.ModuleAt(dir); other != nil {
			dirs = append(dirs, replaced(other.Replaces)...)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// replaced returns the directories of the context that replace modules.
func replaced(replaces []scan.Replace) []string {
	var dirs []string
	for _, rep := range replaces {
		if fs.ValidPath(rep.Dir) {
			dirs = append(dirs, rep.Dir)
		}
	}
	return dirs
}

// workspaces reports what the go.work files that modules obey ask for and cannot
// have.
func (r *resolver) workspaces(mods []*scan.Module) {
	for _, m := range mods {
		r.workspace(r.index.WorkOf(m.Dir))
	}
}

// workspace reports what a go.work asks for and cannot have. It may be asked
// again, and be nil.
func (r *resolver) workspace(w *scan.Work) {
	if w == nil {
		return
	}
	fail := func(line int, help, format string, a ...any) {
		e := &spec.Error{File: join(w.Dir, "go.work"), Pos: spec.Pos{Line: max(line, 1), Column: 1}, Msg: fmt.Sprintf(format, a...)}
		r.fail(e.WithHelp("%s", help))
	}
	switch {
	case w.Err != nil:
		r.fail(moduleError(w.Err))
	case len(w.Use) == 0:
		fail(1, "add one: go work use ./…", "go.work uses no module")
	}
	for i, dir := range w.Use {
		line := w.UseLines[i]
		m := r.index.ModuleAt(dir)
		switch {
		case !fs.ValidPath(dir):
			fail(line, "make the common parent directory the context", "%s is outside of the context", dir)
		case m == nil:
			fail(line, "add it, or remove the line", "go.work uses %s, which has no go.mod", arg(dir))
		case w.Go == "" && version.Compare("go"+m.Go, "go1.18") > 0:
			fail(1, "go work use updates it", "go.work has no go line, and %s asks for go %s", join(dir, "go.mod"), m.Go)
		case w.Go != "" && version.Compare("go"+m.Go, "go"+w.Go) > 0:
			fail(w.GoLine, "go work use updates it", "go.work asks for go %s, and %s for go %s", w.Go, join(dir, "go.mod"), m.Go)
		}
	}
}

// namedModules are those of the main packages that the spec names, and those in
// which it generates files, a main package maybe.
func (r *resolver) namedModules() []*scan.Module {
	var mods []*scan.Module
	for _, name := range Mains(r.spec) {
		dir, ok := r.index.Dir(name)
		if !ok {
			dir = path.Clean(name)
		}
		mods = append(mods, r.index.ModuleOf(dir))
	}
	return slices.DeleteFunc(append(mods, r.generateModules()...), func(m *scan.Module) bool { return m == nil || m.Err != nil })
}

// generateModules are those in which the spec generates files. Prepare looked at
// those of commands that ran, and the index need not have them.
func (r *resolver) generateModules() []*scan.Module {
	var mods []*scan.Module
	if r.opt.Prepared != nil {
		return nil
	}
	for _, c := range r.plan.Generate {
		if m := r.index.ModuleOf(c.Dir); m != nil && m.Err == nil {
			mods = append(mods, m)
		}
	}
	return mods
}
