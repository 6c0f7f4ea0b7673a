package llb

import (
	"path"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// Where the go command finds things. The caches stand where Dockerfiles mount
// them, so that a persistent mount is shared with those.
const (
	sourceDir   = "/src"
	outputDir   = "/out"
	modulesDir  = "/go/pkg/mod"
	goBuildDir  = BuildCacheID
	selfCommand = "/bin/gopherfile"
	homeDir     = "/tmp"
)

// BuildCacheID is the id of the persistent build cache, without a namespace: the
// place where Dockerfiles mount it.
const BuildCacheID = "/root/.cache/go-build"

// goEnv is the environment of every go command. GOENV and HOME keep what a
// builder image holds of its own settings out of the build. Below GOPATH the go
// command writes down what the checksum database said.
func goEnv() []string {
	return []string{"GOENV=off", "GOEXPERIMENT=", "GOFLAGS=", "GOMODCACHE=" + modulesDir, "GOPATH=" + homeDir + "/go", "GOTOOLCHAIN=local", "HOME=" + homeDir}
}

// modules is the module cache that a download fills, drawn once.
func (g *graph) modules(d *plan.Download) llb.State {
	st, ok := g.downloads[d]
	if !ok {
		st = g.download(d)
		g.downloads[d] = st
	}
	return st
}

// download fills a module cache, once for all platforms. It sees nothing but
// the files that decide what is downloaded and the secrets for it, and its
// output is the module cache alone.
func (g *graph) download(d *plan.Download) llb.State {
	return g.downloadAll(StepModules, d, g.moduleFiles(d))
}

// moduleFiles are the files that decide what is downloaded.
func (g *graph) moduleFiles(d *plan.Download) llb.State {
	return g.narrow(d.Files, "["+StepModules+"] copy module files", d.Pos)
}

// downloadAll downloads what module files name. The step ends when a host does
// not answer, which the go command would wait for.
func (g *graph) downloadAll(step string, d *plan.Download, src llb.State) llb.State {
	opts := g.run(step, "["+step+"] go mod download", []string{cacheCommand, "download"}, g.in.Network, d.Pos)
	opts = append(opts, g.tool())
	opts = append(opts, g.downloadFrom(d, src)...)
	return g.in.Builder.Run(opts...).AddMount(modulesDir, llb.Scratch())
}

// downloadOptions are what a download sees.
func (g *graph) downloadOptions(d *plan.Download) []llb.RunOption {
	return g.downloadFrom(d, g.moduleFiles(d))
}

// downloadFrom are what a download sees that reads module files.
func (g *graph) downloadFrom(d *plan.Download, src llb.State) []llb.RunOption {
	access := llb.Readonly
	if slices.ContainsFunc(d.Files, func(f string) bool { return path.Base(f) == "go.work" }) {
		// The go command writes to go.work.sum what go.sum files lack. Nobody else
		// sees that.
		access = llb.ForceNoOutput
	}
	return append(slices.Clone(g.in.Online),
		llb.Dir(path.Join(sourceDir, d.Dir)),
		llb.AddMount(sourceDir, src, access),
		llb.AddSecret(homeDir+"/.netrc", llb.SecretID(d.Netrc), llb.SecretOptional),
		llb.AddSSHSocket(llb.SSHID(d.SSH), llb.SSHSocketTarget(sshSocket), llb.SSHOptional),
		environment(goEnv(), []string{"GOCACHE=/tmp/go-build", "GIT_SSH_COMMAND=" + sshCommand}, d.Env),
	)
}

// sshSocket is where an ssh agent of the client listens.
const sshSocket = "/run/buildkit/ssh_agent.0"

// sshCommand takes the key of a host that it does not know: what a host gives us
// is checked against go.sum.
const sshCommand = "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=" + homeDir + "/known_hosts"

// generate is the context with what the commands of the plan write into it. It
// starts from a copy: what is written to would be lost to the next transfer of
// the context.
func (g *graph) generate() llb.State {
	src := g.copyContext(StepGenerate, g.plan.Generate[0].Pos)
	for _, c := range g.plan.Generate {
		network := pb.NetMode_NONE
		env := []string{"GOPROXY=off"}
		if c.Network {
			network, env = g.in.Network, nil
		}
		opts := g.run(StepGenerate, "["+StepGenerate+"] "+strings.Join(c.Args, " "), c.Args, network, c.Pos)
		opts = append(opts, llb.Dir(path.Join(sourceDir, c.Dir)), environment(goEnv(), env, c.Env))
		opts = append(opts, g.buildCache(StepGenerate)...)
		if c.Network {
			opts = append(opts, g.in.Online...)
		}
		opts = append(opts, g.moduleMount(c.Download, c.Network))
		src = g.in.Builder.Run(opts...).AddMount(sourceDir, src)
	}
	return src
}

// copyContext is the context as something that may be written to. Its files keep
// their times: by those the go command tells whether a test may have another
// outcome, and whether what it knows of a package is out of date.
func (g *graph) copyContext(step string, pos spec.Pos) llb.State {
	return llb.Scratch().File(
		llb.Copy(g.in.Context, "/", "/", &llb.CopyInfo{CopyDirContentsOnly: true}),
		llb.WithCustomName("["+step+"] copy the context"), g.at(pos), llb.Platform(g.in.BuildPlatform), llb.WithoutExportCache(),
	)
}

// compile builds one binary for one platform, drawn once. The binary is alone
// in the state.
func (g *graph) compile(t *plan.Target, b *plan.Binary) llb.State {
	st, ok := g.binaries[b]
	if !ok {
		st = g.gobuild(t, b, b.Flags, "")
		g.binaries[b] = st
	}
	return st
}

// gobuild builds one binary with some flags, on the build platform and without a
// network. The name of the step says more when the flags are not the binary's.
func (g *graph) gobuild(t *plan.Target, b *plan.Binary, flags []string, more string) llb.State {
	return g.draw(g.command(t, b, flags, more))
}

// command is the step that builds a binary.
func (g *graph) command(t *plan.Target, b *plan.Binary, flags []string, more string) *command {
	c := &command{
		step: b.Name, title: g.label(t.Platform, b.Name) + " go build " + b.Main + more, pos: b.Pos,
		args: slices.Concat([]string{"go", "build"}, flags, []string{"-o", path.Join(outputDir, b.File), b.Main}),
		dir:  path.Join(sourceDir, b.Dir),
	}
	switch {
	case b.Files == nil:
		c.mounts = append(c.mounts, mount{sourceDir, g.source, access{readonly: true}})
		c.mounts = append(c.mounts, g.moduleMount(b.Download, goflags.Frozen(b.Env))...)
	case b.Modules == nil:
		c.mounts = append(c.mounts, g.moduleMount(nil, goflags.Frozen(b.Env))...)
	default:
		c.mounts = append(c.mounts, mounted(modulesDir, g.reached(b.Modules).cache))
		if b.Modules.Back {
			// Nobody reads it here, but what no step mounts is not exported, and
			// the next builder would download in order to know.
			c.mounts = append(c.mounts, mounted(backDir, g.reached(b.Modules).back))
		}
	}
	if b.Files != nil {
		c.mounts = append(c.mounts, mounted(sourceDir, g.sources(b.Files, "["+b.Name+"] copy source", b.Pos)))
	}
	objects, env := g.objects(t, b)
	c.mounts = append(c.mounts, objects...)
	c.env = slices.Concat(goEnv(), []string{"GOPROXY=off"}, env, g.compileEnv(b))
	return c
}

// test runs the tests. They may write into the tree, as they do on a
// developer's machine; what they write to the output is the result.
func (g *graph) test(t *plan.Target) llb.State {
	test := t.Test
	args := append([]string{"go", "test"}, test.Args...)
	opts := g.run(StepTest, g.label(t.Platform, StepTest)+" go test", args, pb.NetMode_NONE, t.Pos)
	src := g.source
	if len(g.plan.Generate) == 0 {
		src = g.copyContext(StepTest, t.Pos)
	}
	opts = append(opts,
		llb.Dir(path.Join(sourceDir, test.Dir)),
		llb.AddMount(sourceDir, src),
		environment(goEnv(), []string{"GOPROXY=off"}, test.Env),
	)
	opts = append(opts, g.buildCache(StepTest)...)
	opts = append(opts, g.moduleMount(test.Download, goflags.Frozen(test.Env)))
	return g.in.Builder.Run(opts...).AddMount(outputDir, llb.Scratch())
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

// label names a step for a platform as BuildKit names those of a cross build.
func (g *graph) label(target ocispecs.Platform, name string) string {
	build := g.in.BuildPlatform
	from, to := platforms.Format(build), platforms.Format(target)
	switch {
	case from == to:
		return "[" + to + " " + name + "]"
	case build.OS == target.OS:
		to = strings.TrimPrefix(to, target.OS+"/")
	}
	return "[" + from + "->" + to + " " + name + "]"
}

// Diagnose runs a download that failed once more, and writes what the go
// command says of every module, and what the client passed, into the state. It
// never fails by itself and is never taken from the cache.
func Diagnose(p *plan.Plan, in Input, d *plan.Download) llb.State {
	g := newGraph(p, in)
	if len(p.Targets) == 0 {
		g.source = in.Context // the commands of generate wait for this download
	}
	args := []string{toolDir + "/gopherfile", "diagnose", outputDir}
	opts := g.run(StepModules, "["+StepModules+"] find out why", args, in.Network, d.Pos)
	opts = append(opts, g.downloadOptions(d)...)
	opts = append(opts,
		llb.IgnoreCache,
		llb.AddMount(toolDir, in.Self, llb.SourcePath(path.Dir(selfCommand)), llb.Readonly),
		llb.AddMount(modulesDir, llb.Scratch()),
	)
	return in.Builder.Run(opts...).AddMount(outputDir, llb.Scratch())
}
