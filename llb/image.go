package llb

import (
	"path"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// historyComment marks the layers that are ours.
const historyComment = "gopherfile.v1"

// rootfs writes the files that scratch lacks, once for all platforms: one
// layer, the same for every image from the same builder image.
func (g graph) rootfs() llb.State {
	r := g.plan.Rootfs
	args, titles := []string{selfCommand, "rootfs"}, []string{}
	for _, part := range []struct {
		on          bool
		flag, title string
	}{
		{r.Certs, "-certs", "CA certificates"}, {r.Tzdata, "-tzdata", "time zones"},
		{r.Passwd, "-passwd", "passwd"}, {r.Tmp, "-tmp", "/tmp"},
	} {
		if part.on {
			args, titles = append(args, part.flag), append(titles, part.title)
		}
	}
	args = append(args, "-from", "/builder", outputDir)
	opts := g.run(StepRootfs, "["+StepRootfs+"] "+strings.Join(titles, ", "), args, pb.NetMode_NONE, r.Pos)
	opts = append(opts, llb.AddMount("/builder", g.in.Builder, llb.Readonly, llb.ContentCache(llb.MountContentCacheOff)))
	return g.in.Self.Run(opts...).AddMount(outputDir, llb.Scratch())
}

// install puts the binary where it stands in the image, with a fixed time.
func (g graph) install(t *plan.Target, bin llb.State) llb.State {
	dest := t.Path
	if g.plan.FilesOnly {
		dest = "/" + t.File
	}
	info := &llb.CopyInfo{
		Mode:           &llb.ChmodOpt{Mode: 0o755},
		CreateDestPath: path.Dir(dest) != "/",
		CreatedTime:    epoch(),
	}
	return llb.Scratch().File(
		llb.Copy(bin, "/"+t.File, dest, info, llb.WithUIDGID(0, 0)),
		llb.WithCustomName("["+platforms.Format(t.Platform)+" "+t.Binary+"] copy "+dest),
		g.at(t.Pos), llb.Platform(g.in.BuildPlatform),
	)
}

// image lays the binary over the rootfs files. A daemon that cannot merge
// copies it instead, with the same layers.
func (g graph) image(t *plan.Target, bin llb.State, files *llb.State) llb.State {
	if files == nil {
		return bin
	}
	name := llb.WithCustomName("[" + platforms.Format(t.Platform) + " " + t.Binary + "] image")
	if g.in.Merge {
		return llb.Merge([]llb.State{*files, bin}, name, g.at(t.Pos), llb.Platform(g.in.BuildPlatform))
	}
	info := &llb.CopyInfo{CreateDestPath: path.Dir(t.Path) != "/", CreatedTime: epoch()}
	return files.File(llb.Copy(bin, t.Path, t.Path, info), name, g.at(t.Pos), llb.Platform(g.in.BuildPlatform))
}

// config is the image config of a target: complete, with one history entry for
// each layer. Without a time in it the exporter would take that of the build.
func (g graph) config(t *plan.Target, files bool) *dockerspec.DockerOCIImage {
	img := &dockerspec.DockerOCIImage{}
	img.Platform = platforms.Normalize(t.Platform)
	img.Created = &g.in.Created
	img.RootFS.Type = "layers"
	c := &img.Config
	c.User = t.Image.User
	c.WorkingDir = t.Image.Workdir
	c.Entrypoint = t.Image.Entrypoint
	c.Cmd = t.Image.Cmd
	c.Env = t.Image.Env
	if len(t.Image.Labels) > 0 {
		c.Labels = t.Image.Labels
	}
	c.StopSignal = t.Image.Stopsignal
	if len(t.Image.Volumes) > 0 {
		c.Volumes = map[string]struct{}{}
	}
	for _, v := range t.Image.Volumes {
		c.Volumes[v] = struct{}{}
	}
	if len(t.Image.Expose) > 0 {
		c.ExposedPorts = map[string]struct{}{}
	}
	for _, p := range t.Image.Expose {
		c.ExposedPorts[p] = struct{}{}
	}
	if files {
		img.History = append(img.History, ocispecs.History{Created: img.Created, CreatedBy: "gopherfile rootfs", Comment: historyComment})
	}
	img.History = append(img.History, ocispecs.History{
		Created:   img.Created,
		CreatedBy: "go build " + t.Main,
		Comment:   historyComment,
	})
	return img
}
