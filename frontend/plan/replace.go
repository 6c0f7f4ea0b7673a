package plan

import (
	"go/version"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/closure"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// lacking is a module that is required and that a directory without a module
// stands in place of. The go command minds only when it looks there.
type lacking struct {
	file string // that says so
	scan.Replace
}

// lacking returns those of a module that is built, or of its workspace. In doubt
// one is not among them, for the go command to say: of several directories for a
// path, and of one for a version in a workspace, which may choose a later one.
func (r *resolver) lacking(m *scan.Module) []lacking {
	var all []lacking
	add := func(file string, list []scan.Replace) {
		for _, rep := range list {
			all = append(all, lacking{file, rep})
		}
	}
	mains, w := []*scan.Module{m}, r.index.WorkOf(m.Dir)
	if w != nil {
		add(join(w.Dir, "go.work"), w.Replaces)
		for _, dir := range w.Use {
			if used := r.index.ModuleAt(dir); used != nil && used != m {
				mains = append(mains, used)
			}
		}
	}
	required, times := map[string]string{}, map[string]int{}
	for _, main := range mains {
		add(join(main.Dir, "go.mod"), main.Replaces)
		for _, req := range main.Requirements {
			p, v, _ := strings.Cut(req, "@")
			required[p] = v
		}
		times[main.Path]++ // a main module is not replaced
	}
	for i, l := range all {
		if !slices.ContainsFunc(all[:i], func(o lacking) bool { return o.Path == l.Path && o.Dir == l.Dir }) {
			times[l.Path]++
		}
	}
	return slices.DeleteFunc(all, func(l lacking) bool {
		v, ok := required[l.Path]
		other := l.Version != "" && (l.Version != v || w != nil)
		return !ok || other || times[l.Path] > 1 || r.index.ModuleAt(l.Dir) != nil
	})
}

// lacks reports the directories without a module that the compile of a closure
// looks into: those of its imports, and all when the go.mod of each module is
// read.
func (sc *scope) lacks(c *closure.Closure) bool {
	if c.Vendor != "" {
		return false // the go command reads no directory that replaces a module
	}
	line := sc.main.module.Go
	all := line == "" || version.Compare("go"+line, "go1.17") < 0 || len(c.External) > 0 && sc.loadsGraph()
	imports := slices.Concat(c.External, c.Missing, c.Std)
	return sc.failLacking(sc.main.module, func(l lacking) bool {
		return all || slices.ContainsFunc(imports, func(p string) bool { return p == l.Path || strings.HasPrefix(p, l.Path+"/") })
	})
}

// failLacking reports the directories without a module that matter.
func (r *resolver) failLacking(m *scan.Module, matters func(lacking) bool) (failed bool) {
	for _, l := range r.lacking(m) {
		if !matters(l) {
			continue
		}
		failed = true
		msg, help := l.Path+" is replaced by "+arg(l.Dir)+", which has no go.mod", "add it, or remove the line"
		switch name := path.Join(l.Dir, "go.mod"); {
		case !fs.ValidPath(l.Dir):
			msg = l.Path + " is replaced by " + l.Dir + ", outside of the context"
			help = "make the common parent directory the context, and name the program with main:"
		case r.ignored(name):
			help = ".dockerignore excludes " + name
		}
		e := &spec.Error{File: l.file, Pos: spec.Pos{Line: max(l.Line, 1), Column: 1}, Msg: msg}
		r.fail(e.WithHelp("%s", help))
	}
	return failed
}
