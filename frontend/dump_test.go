package frontend

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	commonexptypes "github.com/moby/buildkit/exporter/exptypes"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// dump writes what a build returned and what it asked of the daemon.
func (f *fake) dump(t *testing.T, res *client.Result) string {
	t.Helper()
	if res == nil {
		return ""
	}
	if res.Metadata["result.json"] != nil {
		return f.dumpSubrequest(t, res)
	}
	var b strings.Builder
	var list exptypes.Platforms
	if err := json.Unmarshal(res.Metadata[exptypes.ExporterPlatformsKey], &list); err != nil {
		t.Fatal(err)
	}
	for _, p := range list.Platforms {
		if want := platforms.FormatAll(p.Platform); p.ID != want {
			t.Errorf("got id %s, want %s", p.ID, want)
		}
		suffix := ""
		if res.Refs != nil {
			suffix = "/" + p.ID
		}
		if ref := res.Ref; ref == nil && res.Refs[p.ID] == nil {
			t.Errorf("%s has no ref", p.ID)
		}
		fmt.Fprintf(&b, "%s%s\n", map[bool]string{true: "image ", false: "index/"}[suffix == ""], p.ID)
		dumpImage(t, &b, res.Metadata[exptypes.ExporterImageConfigKey+suffix])
		if base := res.Metadata[exptypes.ExporterImageBaseConfigKey+suffix]; base != nil {
			b.WriteString("\ton a base")
			dumpImage(t, &b, base)
		}
		var platform *ocispecs.Platform
		if suffix != "" {
			platform = &p.Platform
		}
		for _, key := range slices.Sorted(maps.Keys(res.Metadata)) {
			if name, ok := strings.CutPrefix(key, exptypes.AnnotationManifestKey(platform, "")); ok {
				fmt.Fprintf(&b, "\tannotation %s=%s\n", name, res.Metadata[key])
			}
		}
		if epoch := res.Metadata[commonexptypes.ExporterEpochKey+suffix]; epoch != nil {
			fmt.Fprintf(&b, "\tepoch %s\n", epoch)
		}
		for _, a := range res.Attestations[p.ID] {
			fmt.Fprintf(&b, "\tattestation %s in %s\n", a.InToto.PredicateType, a.Path)
		}
	}
	if lines := res.Metadata[inlineMessage]; lines != nil {
		fmt.Fprintf(&b, "report\n\t%s\n", strings.ReplaceAll(string(lines), "\n", "\n\t"))
	}
	f.dumpRequests(t, &b)
	return b.String()
}

// dumpSubrequest writes the answer that a client prints, the error that it
// takes from the JSON form, and the exit code.
func (f *fake) dumpSubrequest(t *testing.T, res *client.Result) string {
	t.Helper()
	if f.print != "" {
		return string(res.Metadata["result."+f.print])
	}
	status := "none"
	if s, ok := res.Metadata["result.statuscode"]; ok {
		status = string(s)
	}
	text := fmt.Sprintf("version %s status %s\n%s", res.Metadata["version"], status, res.Metadata["result.txt"])
	var results lint.LintResults
	if err := json.Unmarshal(res.Metadata["result.json"], &results); err == nil && results.Error != nil {
		var b strings.Builder
		results.PrintErrorTo(&b, nil)
		text += b.String()
	}
	return text
}

func dumpImage(t *testing.T, b *strings.Builder, config []byte) {
	t.Helper()
	var img dockerspec.DockerOCIImage
	if err := json.Unmarshal(config, &img); err != nil {
		t.Fatal(err)
	}
	c := img.Config
	created := "never"
	if img.Created != nil {
		created = strconv.FormatInt(img.Created.Unix(), 10)
	}
	fmt.Fprintf(b, "\tfor %s user=%s workdir=%s entrypoint=%q cmd=%q env=%q layers=%d created=%s\n",
		platforms.Format(img.Platform), c.User, c.WorkingDir, c.Entrypoint, c.Cmd, c.Env, len(img.History), created)
	for _, p := range slices.Sorted(maps.Keys(c.ExposedPorts)) {
		fmt.Fprintf(b, "\texpose %s\n", p)
	}
	for _, v := range slices.Sorted(maps.Keys(c.Volumes)) {
		fmt.Fprintf(b, "\tvolume %s\n", v)
	}
	if c.StopSignal != "" {
		fmt.Fprintf(b, "\tstopsignal %s\n", c.StopSignal)
	}
	if h := c.Healthcheck; h != nil {
		fmt.Fprintf(b, "\thealthcheck %q every %v\n", h.Test, h.Interval)
	}
	for _, l := range slices.Sorted(maps.Keys(c.Labels)) {
		fmt.Fprintf(b, "\tlabel %s=%s\n", l, c.Labels[l])
	}
}

// dumpRequests writes what the daemon was asked for, each thing once.
func (f *fake) dumpRequests(t *testing.T, b *strings.Builder) {
	t.Helper()
	steps := map[string]bool{}
	for _, src := range f.locally {
		for _, attr := range []string{pb.AttrFollowPaths, pb.AttrExcludePatterns, pb.AttrMetadataTransferExclude} {
			if v := src.Attrs[attr]; v != "" && v != "null" {
				steps[fmt.Sprintf("transfer %s %s=%s", src.Identifier, attr, v)] = true
			}
		}
	}
	for _, req := range f.solves {
		for _, im := range req.CacheImports {
			steps[fmt.Sprintf("cache %s %v", im.Type, im.Attrs)] = true
		}
		ops, _, err := parse(req.Definition)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range ops {
			md := req.Definition.Metadata[v.digest]
			steps["step "+md.Description["llb.customname"]+details(v.op, md)] = true
		}
	}
	for _, r := range f.resolved {
		steps["resolve "+r] = true
	}
	text := lines(slices.Collect(maps.Keys(steps)))
	b.WriteString(strings.ReplaceAll(text, imageDigest().String(), "DIGEST"))
}

// details are the parts of a step that clients decide.
func details(op *pb.Op, md *pb.OpMetadata) string {
	var b strings.Builder
	add := func(on bool, format string, a ...any) {
		if on {
			fmt.Fprintf(&b, "\n\t"+format, a...)
		}
	}
	if src := op.GetSource(); src != nil {
		add(true, "%s", src.Identifier)
		mode := src.Attrs[pb.AttrImageResolveMode]
		add(mode != "" && mode != "default", "%s", mode)
	}
	add(op.GetMerge() != nil, "merge")
	add(md.IgnoreCache, "no cache")
	e := op.GetExec()
	if e == nil {
		return b.String()
	}
	add(true, "network %s", strings.ToLower(e.Network.String()))
	for _, h := range e.Meta.ExtraHosts {
		add(true, "host %s=%s", h.Host, net.ParseIP(h.IP))
	}
	for _, u := range e.Meta.Ulimit {
		add(true, "ulimit %s=%d:%d", u.Name, u.Soft, u.Hard)
	}
	add(e.Meta.Hostname != "", "hostname %s", e.Meta.Hostname)
	add(e.Meta.CgroupParent != "", "cgroup %s", e.Meta.CgroupParent)
	if p := e.Meta.ProxyEnv; p != nil {
		add(true, "proxy http=%s https=%s ftp=%s no=%s all=%s", p.HttpProxy, p.HttpsProxy, p.FtpProxy, p.NoProxy, p.AllProxy)
	}
	if r := md.LinuxResources; r != nil {
		add(true, "resources memory=%d swap=%d shares=%d period=%d quota=%d cpus=%s mems=%s",
			r.Memory, r.MemorySwap, r.CpuShares, r.CpuPeriod, r.CpuQuota, r.CpusetCpus, r.CpusetMems)
	}
	for _, m := range e.Mounts {
		add(m.Dest == "/dev/shm", "shm %d", m.GetTmpfsOpt().GetSize())
		add(m.CacheOpt != nil, "cache %s", m.GetCacheOpt().GetID())
	}
	for _, env := range e.Meta.Env {
		add(strings.HasPrefix(env, "PATH="), "%s", env)
	}
	return b.String()
}
