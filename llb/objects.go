package llb

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// Where our own program and the objects stand in a step. The program is mounted
// alone: the key of a step has its content, and not the release of the frontend.
const (
	toolDir         = "/run/gopherfile"
	cacheCommand    = toolDir + "/gocache"
	backDir         = toolDir + "/back"
	wantsFile       = toolDir + "/wants.json"
	stdDir          = toolDir + "/std"
	dependenciesDir = toolDir + "/dependencies"
)

// noIndex keeps the go command from writing down what is in the folder of a
// module: it may not be the whole module, and others share the cache. The cache
// program refuses such an index; where there is none, the go command is told.
func noIndex(env []string) []string {
	debug := ""
	for _, e := range env { // the last one counts
		if v, ok := strings.CutPrefix(e, "GODEBUG="); ok && v != "" {
			debug = v + ","
		}
	}
	return append(slices.Clone(env), "GODEBUG="+debug+"goindex=0")
}

// compileEnv is the environment that the spec gives the compile of a binary. An
// image that the user names may hold a go command that knows no cache program.
func (g *graph) compileEnv(b *plan.Binary) []string {
	if g.plan.Layered && !g.plan.Builder.Chosen {
		return b.Env
	}
	return noIndex(b.Env)
}

// Where a download says what modules import of the tree: in a folder of its own,
// when that is asked for, and in the module cache, as package modcache has it.
const (
	backFile      = "back.json"
	cacheBackFile = "cache/back.json"
)

// narrow is a copy of some files of the source tree, so that others are no
// reason to run a step. It is never exported: it is what the next build sends.
func (g *graph) narrow(files []string, name string, pos spec.Pos) llb.State {
	if len(files) == 0 {
		return llb.Scratch()
	}
	// Platforms that read the same files share the copy, and its name.
	number := g.lists.number(files)
	st, ok := g.copies[number]
	if !ok {
		fa := g.copyOf(files)
		st = llb.Scratch().File(fa, llb.WithCustomName(name), g.at(pos), llb.Platform(g.in.BuildPlatform), llb.WithoutExportCache())
		g.copies[number] = st
	}
	return st
}

// copyOf copies files, each from where it is.
func (g *graph) copyOf(files []string) *llb.FileAction {
	only := func(patterns []string) *llb.CopyInfo {
		return &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: epoch(), IncludePatterns: patterns}
	}
	inCode, beside := g.in.Held, g.in.Beside
	if inCode == nil || len(g.plan.Generate) > 0 {
		inCode, beside = func(string) bool { return false }, g.source
	}
	var held, others []string
	for _, f := range files {
		if inCode(f) {
			held = append(held, Literal(f))
		} else {
			others = append(others, Literal(f))
		}
	}
	switch {
	case len(held) == 0:
		return llb.Copy(beside, "/", "/", only(others))
	case len(others) == 0:
		return llb.Copy(g.in.Code, "/", "/", only(held))
	}
	return llb.Copy(g.in.Code, "/", "/", only(held)).Copy(beside, "/", "/", only(others))
}

// Literal is a pattern for a name, for BuildKit to match. What means something
// in a pattern, or is trimmed, is any character: a file too many does no harm.
func Literal(name string) string {
	const special = "*?[]\\^!#{}() \t\n\r$+|"
	if !strings.ContainsAny(name, special) {
		return name
	}
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(special, c) {
			return '?'
		}
		return c
	}, name)
}

// modules is a module cache that holds what binaries reach, and what that
// imports of the tree, if it may.
type modules struct {
	number      int
	cache, back llb.State
}

// reached is the module cache of a binary, drawn once.
func (g *graph) reached(m *plan.Modules) *modules {
	if known, ok := g.pruned[m]; ok {
		return known
	}
	wants, err := json.Marshal(map[string]any{"builds": m.Wants})
	if err != nil {
		panic(err) // texts can be written
	}
	key := fmt.Sprintf("%s\x00%v\x00%s", m.Download.Dir, m.Back, wants)
	known, ok := g.samePruned[key]
	if !ok {
		known = g.prune(m, wants)
		known.number = len(g.samePruned)
		g.samePruned[key] = known
	}
	g.pruned[m] = known
	return known
}

// prune draws the download of what is wanted.
func (g *graph) prune(m *plan.Modules, wants []byte) *modules {
	d := m.Download
	args := []string{cacheCommand, "modules", "-want", wantsFile, "-out", outputDir}
	if m.Back {
		args = append(args, "-back", backDir+"/"+backFile)
	}
	opts := g.run(StepModules, "["+StepModules+"] download what is imported", args, g.in.Network, d.Pos)
	opts = append(opts, g.downloadOptions(d)...)
	opts = append(opts,
		g.tool(),
		llb.AddMount(wantsFile, g.text("wants.json", wants, d.Pos), llb.SourcePath("/wants.json"), llb.Readonly),
		g.persistent(modulesDir, g.in.NoCache(StepModules)),
	)
	run := g.in.Builder.Run(opts...)
	out := &modules{cache: run.AddMount(outputDir, llb.Scratch())}
	if m.Back {
		out.back = run.AddMount(backDir, llb.Scratch())
	}
	return out
}

// Back draws the download of modules up to the file that says what they import
// of the tree, and names that file. Where the plan does not ask for it, the file is
// in the module cache, and only there when they import something.
func Back(p *plan.Plan, in Input, m *plan.Modules) (st llb.State, file string) {
	reached := newGraph(p, in).reached(m)
	if m.Back {
		return reached.back, backFile
	}
	return reached.cache, cacheBackFile
}

// text is a file of ours.
func (g *graph) text(name string, data []byte, pos spec.Pos) llb.State {
	return llb.Scratch().File(
		llb.Mkfile("/"+name, 0o644, data, llb.WithCreatedTime(*epoch())),
		llb.WithCustomName("["+StepModules+"] write "+name), g.at(pos), llb.Platform(g.in.BuildPlatform),
	)
}

// std are compiled packages of the standard library. What they are made of is
// the toolchain and the flags alone, so that all projects share the step.
func (g *graph) std(t *plan.Target, b *plan.Binary) layerOf {
	o := b.Objects
	key := objectsKey(b, o.Std)
	if l, ok := g.compiled[key]; ok {
		return l
	}
	name := g.label(t.Platform, StepStd) + " go build " + strings.Join(o.Std, " ")
	opts := g.run(StepStd, name, attempt(o.Flags, o.Std), pb.NetMode_NONE, b.Pos)
	opts = append(opts,
		llb.Dir(homeDir), g.tool(), g.persistent(goBuildDir, g.in.NoCache(StepStd)),
		environment(goEnv(), []string{"GOCACHE=" + goBuildDir, "GOPROXY=off", cacheProgram("-out", outputDir)}, b.Env),
	)
	opts = append(opts, g.moduleMount(nil, goflags.Frozen(b.Env)))
	return g.layer(key, stdDir, g.in.Builder.Run(opts...).AddMount(outputDir, llb.Scratch()))
}

// objectsKey tells objects apart, by all that the steps which make them depend
// on.
func objectsKey(b *plan.Binary, imports []string, more ...string) string {
	return strings.Join(slices.Concat(b.Env, []string{""}, b.Objects.Flags, []string{""}, imports, []string{""}, more), "\x00")
}

// step is a step that compiles packages for others.
type step struct {
	// name is that for --no-cache-filter, what the rest of the title says, and each
	// how a package is called there.
	name, what, each string
	dir              string
	imports          []string
	files            []string
	layers           []layerOf
}

// layerOf is objects, where a step sees them, and what tells them from others.
type layerOf struct {
	dir    string
	number int
	state  llb.State
}

// layer keeps objects under all that decides them.
func (g *graph) layer(key, dir string, st llb.State) layerOf {
	l := layerOf{dir, len(g.compiled), st}
	g.compiled[key] = l
	return l
}

// dependencies are the compiled packages that are none of the tree, or that it
// has vendored.
func (g *graph) dependencies(t *plan.Target, b *plan.Binary, below []layerOf) layerOf {
	o := b.Objects
	return g.packages(t, b, step{StepDependencies, StepDependencies, "import", dependenciesDir, o.Imports, o.Files, below})
}

// packages compiles packages into a layer, with the layers below at hand.
func (g *graph) packages(t *plan.Target, b *plan.Binary, s step) layerOf {
	o := b.Objects
	more := []string{b.Dir, s.dir, strconv.Itoa(g.lists.number(s.files))}
	if b.Modules != nil {
		more = append(more, "modules", strconv.Itoa(g.reached(b.Modules).number))
	}
	for _, l := range s.layers {
		more = append(more, strconv.Itoa(l.number))
	}
	key := objectsKey(b, s.imports, more...)
	if l, ok := g.compiled[key]; ok {
		return l
	}
	label := strings.TrimSuffix(g.label(t.Platform, ""), "]")
	what := s.what + " of " + b.Name
	title := label + what + "] go build (" + count(len(s.imports), s.each) + ")"
	opts := g.run(s.name, title, attempt(o.Flags, s.imports), pb.NetMode_NONE, b.Pos)
	opts = append(opts,
		llb.Dir(path.Join(sourceDir, b.Dir)), g.tool(),
		mounted(sourceDir, g.sources(s.files, "["+what+"] copy source", b.Pos)),
	)
	if b.Modules != nil {
		opts = append(opts, mounted(modulesDir, g.reached(b.Modules).cache))
	} else {
		opts = append(opts, g.moduleMount(nil, goflags.Frozen(b.Env)))
	}
	env := []string{"GOCACHE=" + outputDir, "GOPROXY=off"}
	if g.plan.Layered {
		flags := []string{"-out", outputDir}
		for _, l := range s.layers {
			opts = append(opts, mounted(l.dir, l.state))
			flags = append(flags, "-base", l.dir)
		}
		opts = append(opts, g.persistent(goBuildDir, g.in.NoCache(s.name)))
		env = []string{"GOCACHE=" + goBuildDir, "GOPROXY=off", cacheProgram(flags...)}
	}
	opts = append(opts, environment(goEnv(), env, g.compileEnv(b)))
	return g.layer(key, s.dir, g.in.Builder.Run(opts...).AddMount(outputDir, llb.Scratch()))
}

// layersOf are all objects that are compiled before a binary.
func (g *graph) layersOf(t *plan.Target, b *plan.Binary) []layerOf {
	o := b.Objects
	if o == nil {
		return nil
	}
	var layers []layerOf
	if len(o.Std) > 0 {
		layers = append(layers, g.std(t, b))
	}
	if len(o.Imports) > 0 {
		layers = append(layers, g.dependencies(t, b, layers))
	}
	for i, s := range o.Strata {
		n := strconv.Itoa(i + 1)
		layers = append(layers, g.packages(t, b, step{
			StepPackages, StepPackages + " " + n, "package", toolDir + "/" + StepPackages + n, s.Imports, s.Files, slices.Clone(layers),
		}))
	}
	return layers
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// attempt is the command that compiles packages for others.
func attempt(flags, packages []string) []string {
	return slices.Concat([]string{cacheCommand, "go", "build"}, flags, []string{"--"}, packages)
}

// cacheProgram makes the go command ask our cache program for objects.
func cacheProgram(flags ...string) string {
	return "GOCACHEPROG=" + strings.Join(slices.Concat([]string{cacheCommand, "-store", goBuildDir}, flags), " ")
}

// buildCache is the build cache of a command that compiles for itself: the
// persistent folder, and the program that checks what is in it.
func (g *graph) buildCache(step string) []llb.RunOption {
	opts := []llb.RunOption{g.persistent(goBuildDir, g.in.NoCache(step)), environment([]string{"GOCACHE=" + goBuildDir})}
	if g.plan.Layered {
		opts = append(opts, g.tool(), environment([]string{cacheProgram()}))
	}
	return opts
}

// objects gives a compile what was compiled before, and says where.
func (g *graph) objects(t *plan.Target, b *plan.Binary) (found mounts, env []string) {
	fresh := g.in.NoCache(b.Name)
	cache := "GOCACHE=" + goBuildDir
	switch {
	case g.plan.Layered:
	case b.Objects != nil && len(b.Objects.Imports) > 0:
		return mounts{g.seeded(g.dependencies(t, b, nil).state, fresh)}, []string{cache}
	default:
		return mounts{g.persistent(goBuildDir, fresh)}, []string{cache}
	}
	found = mounts{g.tool(), g.persistent(goBuildDir, fresh)}
	var flags []string
	for _, l := range g.layersOf(t, b) {
		found = append(found, mounted(l.dir, l.state))
		flags = append(flags, "-layer", l.dir)
	}
	return found, []string{cache, cacheProgram(flags...)}
}
