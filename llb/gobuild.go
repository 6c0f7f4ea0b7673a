package llb

import (
	"path"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// Where the go command finds things. The caches stand where Dockerfiles mount
// them, so that a persistent mount is shared with those.
const (
	sourceDir   = "/src"
	outputDir   = "/out"
	modulesDir  = "/go/pkg/mod"
	goBuildDir  = "/root/.cache/go-build"
	selfCommand = "/bin/gopherfile"
)

// goEnv is the environment of every go command. GOENV and HOME keep what a
// builder image holds of its own settings out of the build.
func goEnv() []string {
	return []string{"GOENV=off", "GOMODCACHE=" + modulesDir, "GOTOOLCHAIN=local", "HOME=/tmp"}
}

// download fills a module cache, once for all platforms. It sees nothing but
// the files that decide what is downloaded, and its output is the module cache
// alone.
func (g graph) download() llb.State {
	d := g.plan.Download
	src := llb.Scratch()
	for _, f := range d.Files {
		src = src.File(
			llb.Copy(g.in.Context, "/"+f, "/"+f, &llb.CopyInfo{CreateDestPath: true, CreatedTime: epoch()}),
			llb.WithCustomName("["+StepModules+"] copy "+f), g.at(d.Pos), llb.Platform(g.in.BuildPlatform),
		)
	}
	opts := g.run(StepModules, "["+StepModules+"] go mod download", []string{"go", "mod", "download"}, g.in.Network, d.Pos)
	opts = append(opts, g.in.Online...)
	opts = append(opts,
		llb.Dir(path.Join(sourceDir, d.Dir)),
		llb.AddMount(sourceDir, src, llb.Readonly),
		environment(goEnv(), []string{"GOCACHE=/tmp/go-build"}, d.Env),
	)
	return g.in.Builder.Run(opts...).AddMount(modulesDir, llb.Scratch())
}

// compile builds one binary for one platform, on the build platform and
// without a network. The binary is alone in the state.
func (g graph) compile(t *plan.Target, mods *llb.State) llb.State {
	args := append([]string{"go", "build"}, t.Flags...)
	args = append(args, "-o", path.Join(outputDir, t.File), t.Main)
	opts := g.run(t.Binary, g.label(t)+" go build "+t.Main, args, pb.NetMode_NONE, t.Pos)
	opts = append(opts,
		llb.Dir(path.Join(sourceDir, t.Dir)),
		llb.AddMount(sourceDir, g.in.Context, llb.Readonly),
		g.goBuildCache(g.in.NoCache(t.Binary)),
		environment(goEnv(), []string{"GOCACHE=" + goBuildDir, "GOPROXY=off"}, t.Env),
	)
	if mods != nil {
		// Its key follows from the files it was downloaded for; hashing a
		// module cache would take longer than most compiles.
		opts = append(opts, llb.AddMount(modulesDir, *mods, llb.Readonly, llb.ContentCache(llb.MountContentCacheOff)))
	}
	return g.in.Builder.Run(opts...).AddMount(outputDir, llb.Scratch())
}

// goBuildCache mounts the persistent build cache. It only makes things faster.
// A build without cache gets an empty folder instead: BuildKit would empty the
// mount, and with it the cache of every other project.
func (g graph) goBuildCache(fresh bool) llb.RunOption {
	if fresh {
		return llb.AddMount(goBuildDir, llb.Scratch())
	}
	id := g.in.CacheNS + "/" + goBuildDir
	return llb.AddMount(goBuildDir, llb.Scratch(), llb.AsPersistentCacheDir(id, llb.CacheMountShared))
}

// environment adds NAME=value pairs in order.
func environment(lists ...[]string) llb.RunOption {
	return llb.With(func(st llb.State) llb.State {
		for _, list := range lists {
			for _, e := range list {
				name, value, _ := strings.Cut(e, "=")
				st = st.AddEnv(name, value)
			}
		}
		return st
	})
}

// label names a target as BuildKit names the steps of a cross build.
func (g graph) label(t *plan.Target) string {
	build, target := g.in.BuildPlatform, t.Platform
	from, to := platforms.Format(build), platforms.Format(target)
	switch {
	case from == to:
		return "[" + to + " " + t.Binary + "]"
	case build.OS == target.OS:
		to = strings.TrimPrefix(to, target.OS+"/")
	}
	return "[" + from + "->" + to + " " + t.Binary + "]"
}
