package llb

import (
	_ "embed"
	"strconv"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// What govulncheck is made of: a module file and the sums of all that it names.
var (
	//go:embed govulncheck/mod.txt
	vulnMod []byte
	//go:embed govulncheck/sum.txt
	vulnSum []byte
)

// Where the step finds its program and a database.
const (
	vulnTools = "/run/govulncheck"
	vulnDB    = "/run/vulndb"
)

// vuln is what is known to be vulnerable in the binaries of a target, as files.
// Whoever looks it up on the network gets an answer of today; what a database of
// the client says depends on the database alone.
func (g *graph) vuln(t *plan.Target) llb.State {
	v := g.plan.Vuln
	platform := platforms.Format(t.Platform)
	db, network := "file://"+vulnDB, pb.NetMode_NONE
	if g.in.VulnDB == nil {
		db, network = v.Database, g.in.Network
	}
	args := []string{toolDir + "/gopherfile", "vuln", "-govulncheck", vulnTools + "/govulncheck", "-db", db, "-platform", platform}
	if g.in.Dated {
		args = append(args, "-created", strconv.FormatInt(g.in.Created.Unix(), 10))
	}
	if v.Fail {
		args = append(args, "-fail")
	}
	mounts, names := g.twice(t)
	args = append(append(args, sourceDir, outputDir), names...)
	opts := append(g.run(StepVuln, "["+platform+" "+t.Name+"] govulncheck", args, network, t.Pos), mounts...)
	opts = append(opts,
		llb.AddMount(toolDir, g.in.Self, llb.SourcePath("/bin"), llb.Readonly),
		llb.AddMount(vulnTools, g.govulncheck(), llb.Readonly),
		environment(goEnv(), []string{"GOCACHE=/tmp/go-build", "GOPROXY=off"}),
	)
	if g.in.VulnDB != nil {
		opts = append(opts, llb.AddMount(vulnDB, *g.in.VulnDB, llb.Readonly))
	} else {
		opts = append(append(opts, g.in.Online...), llb.IgnoreCache)
	}
	return g.in.Builder.Run(opts...).AddMount(outputDir, llb.Scratch())
}

// govulncheck is the program, compiled once for all projects with the same
// builder. Its release changes with ours, and what is compiled is what the sums
// say, from wherever the modules come.
func (g *graph) govulncheck() llb.State {
	d := g.plan.Vuln.Download
	src := llb.Scratch().File(
		llb.Mkfile("/go.mod", 0o644, vulnMod, llb.WithCreatedTime(*epoch())).Mkfile("/go.sum", 0o644, vulnSum, llb.WithCreatedTime(*epoch())),
		llb.WithCustomName("["+StepVuln+"] write module files"), g.at(d.Pos), llb.Platform(g.in.BuildPlatform),
	)
	modules := g.downloadAll(StepVuln, d, src)

	args := []string{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", outputDir + "/govulncheck", "golang.org/x/vuln/cmd/govulncheck"}
	opts := g.run(StepVuln, "["+StepVuln+"] go build govulncheck", args, pb.NetMode_NONE, d.Pos)
	opts = append(opts,
		llb.Dir(sourceDir), mounted(sourceDir, src), mounted(modulesDir, modules),
		environment(goEnv(), []string{"GOPROXY=off", "CGO_ENABLED=0"}),
	)
	opts = append(opts, g.buildCache(StepVuln)...)
	return g.in.Builder.Run(opts...).AddMount(outputDir, llb.Scratch())
}
