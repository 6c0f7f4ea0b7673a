package plan

import (
	"path"
	"strings"
)

// ignored reports whether the client withholds a file of that name.
func (r *resolver) ignored(name string) bool { return r.opt.Ignored != nil && r.opt.Ignored(name) }

// ignoredHelp says that it does, and where else patterns may stand.
func (r *resolver) ignoredHelp(name string) string {
	own := path.Base(r.spec.File()) + ".dockerignore"
	return ".dockerignore excludes " + name + "; a file " + own + " beside the spec is read instead"
}

// ignoredMain returns a file that the client would withhold and that could be
// the program, "" for none. Which files there are is not known: it is one of a
// usual name, or one that a pattern stands for.
func (r *resolver) ignoredMain() string {
	names := []string{"main.go", "cmd/main.go"}
	for i := range r.index.Modules {
		m := &r.index.Modules[i]
		names = append(names, join(m.Dir, "main.go"), join(m.Dir, "cmd/"+binaryName(m.Path)+"/main.go"))
	}
	for _, p := range r.opt.IgnorePatterns {
		name := strings.ReplaceAll(strings.ReplaceAll(p, "**/", ""), "*", "main")
		switch {
		case strings.HasSuffix(name, "_test.go"):
		case path.Ext(name) == ".go":
			names = append(names, name)
		case name == "cmd", strings.HasPrefix(name, "cmd/"):
			names = append(names, name+"/main.go")
		}
	}
	for _, name := range names {
		if r.ignored(name) {
			return name
		}
	}
	return ""
}
