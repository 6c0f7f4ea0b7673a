package plan

import (
	"path"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// generate are the commands that run before the source tree is read.
func (r *resolver) generate() []Command {
	var commands []Command
	for i := range r.spec.Generate {
		c := &r.spec.Generate[i]
		out := Command{Args: r.command(c), Dir: r.commandDir(c), DirPos: r.spec.Pos(&c.Dir), Network: r.network(c), Pos: r.spec.At(c)}
		if NoWork(r.spec) {
			out.Env = []string{workVariable + "=off"}
		}
		if m := r.index.ModuleOf(out.Dir); m != nil && m.Err == nil {
			out.Download = r.wholeDownload(m, nil)
		} else if w := r.index.WorkOf(out.Dir); w != nil {
			out.Download = r.workDownload(w)
		}
		commands = append(commands, out)
	}
	return commands
}

// workDownload is the download of a workspace whose root is no module.
func (r *resolver) workDownload(w *scan.Work) *Download {
	for _, dir := range w.Use {
		if m := r.index.ModuleAt(dir); m != nil && m.Err == nil {
			return r.wholeDownload(m, nil)
		}
	}
	return nil
}

// command is what a command runs: one text is split, a list is as it is.
func (r *resolver) command(c *spec.Command) []string {
	var args []string
	for i := range c.Run {
		field := &c.Run[i]
		if len(c.Run) == 1 {
			args = r.words(field, "generate", nil)
			r.checkShell(field)
			break
		}
		args = append(args, r.plain(field))
	}
	if len(args) == 0 || args[0] == "" {
		var field any = c
		if len(c.Run) > 0 {
			field = &c.Run[0]
		}
		r.fail(r.spec.Errorf(field, "generate: expected a command").WithHelp("such as go generate ./..."))
	}
	return args
}

// commandDir is where a command runs.
func (r *resolver) commandDir(c *spec.Command) string {
	if !r.written(&c.Dir) {
		return "."
	}
	text := r.plain(&c.Dir)
	dir := path.Clean(text)
	if text == "" || path.IsAbs(text) || outside(dir) || strings.ContainsAny(text, "\n\\") {
		r.fail(r.spec.Errorf(&c.Dir, "generate: dir: %q is not a directory of the context", text).WithHelp("expected one such as ./api"))
		return "."
	}
	return dir
}

// network reports whether a command has a network.
func (r *resolver) network(c *spec.Command) bool {
	if !r.written(&c.Network) {
		return false
	}
	switch text := r.plain(&c.Network); text {
	case "none":
		return false
	case "default":
		return true
	default:
		e := r.spec.Errorf(&c.Network, "generate: network: unknown mode %q", text).WithHelp("expected none or default")
		if near := spec.Nearest(text, []string{"none", "default"}); near != "" {
			e.WithHelp("did you mean %s?", near)
		}
		r.fail(e)
		return false
	}
}

// testScope is where the arguments of go test are expanded.
func (r *resolver) testScope(port Port) *scope {
	u := &unit{name: TargetTest, build: &r.spec.Build, image: &r.spec.Image}
	return r.scope(u, requested{platform: r.opt.BuildPlatform, port: port, vars: targetVars(r.opt.BuildPlatform)})
}

// test is what --target test runs: on the build platform, since nothing is
// emulated.
func (r *resolver) test(m *scan.Module) Target {
	t := Target{Name: TargetTest, Platform: r.opt.BuildPlatform, Pos: r.spec.At(&r.spec.Test)}
	port, err := PortOf(t.Platform)
	if err != nil {
		r.fail(r.start("%v", err))
	}
	t.Port = port
	sc := r.testScope(port)
	t.Test = &Test{Dir: m.Dir, Env: append(append(port.Env(), "CGO_ENABLED=0"), sc.compileEnv()...)}
	t.Test.Download = r.wholeDownload(m, t.Test.Env)
	if tags := sc.tags(); len(tags) > 0 {
		t.Test.Args = append(t.Test.Args, "-tags="+strings.Join(tags, ","))
	}
	w := r.index.WorkOf(m.Dir)
	if w != nil {
		t.Test.Dir = w.Dir
	}
	given := sc.testArgs()
	switch {
	case slices.ContainsFunc(given, func(a string) bool { return !strings.HasPrefix(a, "-") }):
		// These are the packages. Flags alone are for all packages.
	case w != nil:
		for _, dir := range w.Use {
			t.Test.Args = append(t.Test.Args, arg(join(relative(w.Dir, dir), "..."))) // a workspace has no pattern for all of its modules
		}
	default:
		t.Test.Args = append(t.Test.Args, "./...")
	}
	t.Test.Args = append(t.Test.Args, given...)
	return t
}
