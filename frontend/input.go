package frontend

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/llb"
)

// Image is the name that users write into the syntax line. A build in the
// process of a client, which has no image of its own, takes its helper from
// there.
const Image = "docker.io/gopherfile/gopherfile:1"

// input makes the states that the graph is drawn on.
func (b *build) input(ctx context.Context) (llb.Input, error) {
	if err := checkProxies(b.ui.BuildArgs); err != nil {
		return llb.Input{}, err
	}
	builder, err := b.builder(ctx)
	if err != nil {
		return llb.Input{}, b.builderError(err)
	}
	in := llb.Input{
		Context:       *b.context,
		Builder:       builder,
		BuildPlatform: b.ui.BuildPlatforms[0],
		SourceMap:     b.source.SourceMap,
		Merge:         b.supports(pb.CapMergeOp),
		Modes:         b.supports(pb.CapFileSymlinkCreate), // no daemon lists CapFileCopyModeStringFormat, which is older
		CacheNS:       b.ui.CacheIDNamespace,
		NoCache:       b.ui.IsNoCache,
		SBOM:          b.ownSBOM(),
		Network:       b.ui.NetworkMode,
		Run:           b.runOptions(),
		Online:        b.onlineOptions(),
	}
	if in.Self, err = b.self(ctx); err != nil {
		return llb.Input{}, fmt.Errorf("find the frontend's own image: %w", err)
	}
	if err := b.code(ctx, &in); err != nil {
		return llb.Input{}, err
	}
	if in.Bases, err = b.bases(ctx); err != nil {
		return llb.Input{}, err
	}
	if b.plan.Vuln != nil {
		if in.VulnDB, err = b.vulnDB(ctx); err != nil {
			return llb.Input{}, fmt.Errorf("load the context %s: %w", vulnContext, err)
		}
	}
	in.Named, err = b.namedContexts(ctx)
	return in, err
}

// vulnContext is the named context with a vulnerability database.
const vulnContext = "vulndb"

// vulnDB is the database that the client passes, nil for none.
func (b *build) vulnDB(ctx context.Context) (*bkllb.State, error) {
	nc, err := b.ui.NamedContext(vulnContext, dockerui.ContextOpt{Platform: &b.ui.BuildPlatforms[0], ResolveMode: b.ui.ImageResolveMode.String()})
	if err != nil || nc == nil {
		return nil, err
	}
	st, _, err := loadContext(ctx, nc)
	return st, err
}

func (b *build) supports(c apicaps.CapID) bool {
	caps := b.ui.BuildOpts().LLBCaps
	return caps.Supports(c) == nil
}

// builder is the image with the go command, pinned to a digest. It is looked up
// once, ahead or when the source tree is generated, unless another one is needed.
func (b *build) builder(ctx context.Context) (bkllb.State, error) {
	if l := b.lookup; l != nil {
		if err := l.wait(); l.ref == b.plan.Builder.Ref {
			return l.found.state, err
		}
	}
	b.lookup = b.lookUp(ctx, func() *plan.Builder { return &b.plan.Builder })
	err := b.lookup.wait()
	return b.lookup.found.state, err
}

// currentFrontend is the image that runs, nil in the process of a client.
func (b *build) currentFrontend() (*bkllb.State, error) {
	c, ok := b.client.(interface {
		CurrentFrontend() (*bkllb.State, error)
	})
	if !ok {
		return nil, nil
	}
	return c.CurrentFrontend()
}

// self is the frontend's own root file system: behind the gateway the image
// that runs, elsewhere the published one or the context of that name.
func (b *build) self(ctx context.Context) (bkllb.State, error) {
	st, err := b.currentFrontend()
	if err != nil {
		return bkllb.State{}, err
	}
	if st != nil {
		return *st, nil
	}
	found, err := b.image(ctx, imageRequest{ref: Image, platform: b.ui.BuildPlatforms[0], title: "[internal] FROM "})
	return found.state, err
}

// runOptions are what the client asks of every command.
func (b *build) runOptions() []bkllb.RunOption {
	var opts []bkllb.RunOption
	ui := b.ui
	for _, u := range ui.Ulimits {
		opts = append(opts, bkllb.AddUlimit(bkllb.UlimitName(u.Name), u.Soft, u.Hard))
	}
	if ui.ShmSize > 0 {
		opts = append(opts, bkllb.AddMount("/dev/shm", bkllb.Scratch(), bkllb.Tmpfs(bkllb.TmpfsSize(ui.ShmSize))))
	}
	if ui.CgroupParent != "" {
		opts = append(opts, bkllb.WithCgroupParent(ui.CgroupParent))
	}
	if ui.Hostname != "" {
		opts = append(opts, bkllb.With(bkllb.Hostname(ui.Hostname)))
	}
	if r := ui.LinuxResources; r != nil {
		opts = append(opts, bkllb.WithLinuxResources(bkllb.LinuxResources{
			Memory: r.Memory, MemorySwap: r.MemorySwap,
			CPUShares: r.CpuShares, CPUPeriod: r.CpuPeriod, CPUQuota: r.CpuQuota,
			CpusetCpus: r.CpusetCpus, CpusetMems: r.CpusetMems,
		}))
	}
	return opts
}

// onlineOptions are what the client asks of the command with a network.
func (b *build) onlineOptions() []bkllb.RunOption {
	var opts []bkllb.RunOption
	for _, h := range b.ui.ExtraHosts {
		opts = append(opts, bkllb.AddExtraHost(h.Host, h.IP))
	}
	if p := proxy(b.ui.BuildArgs); p != (bkllb.ProxyEnv{}) {
		opts = append(opts, bkllb.WithProxy(p))
	}
	return opts
}

// proxy takes the proxy settings from the build arguments, in either case, as
// Dockerfiles have them. They are no part of a key.
func proxy(args map[string]string) bkllb.ProxyEnv {
	get := func(name string) string { return cmp.Or(args[name], args[strings.ToLower(name)]) }
	return bkllb.ProxyEnv{
		HTTPProxy: get("HTTP_PROXY"), HTTPSProxy: get("HTTPS_PROXY"), FTPProxy: get("FTP_PROXY"),
		NoProxy: get("NO_PROXY"), AllProxy: get("ALL_PROXY"),
	}
}

// checkProxies refuses a proxy that is no URL, without its value: programs show it
// as it is, with its password.
func checkProxies(args map[string]string) error {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY"} {
		for _, name := range []string{name, strings.ToLower(name)} {
			if _, err := url.Parse(args[name]); err != nil && strings.Contains(args[name], "://") {
				return fmt.Errorf("--build-arg %s is not a URL (expected one such as http://proxy.example.com:3128; in a password, write %%23 for # and %%2F for /)", name)
			}
		}
	}
	return nil
}
