package llb

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/platforms"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// historyComment marks the layers that are ours.
const historyComment = "gopherfile.v1"

// plainConfig is the image config of a target that is no image: the client may
// make one of it all the same. It has a layer for each command.
func (g *graph) plainConfig(t *plan.Target, commands ...string) *dockerspec.DockerOCIImage {
	img := &dockerspec.DockerOCIImage{}
	img.Platform = platforms.Normalize(t.Platform)
	img.Created = &g.in.Created
	img.RootFS.Type = "layers"
	for _, c := range commands {
		img.History = append(img.History, g.history(c))
	}
	return img
}

// user is who runs the binary: whom the plan or the base image names, and where
// neither does not root.
func user(t *plan.Target, base Base) string {
	user := t.Image.User
	if base.Config != nil {
		user = cmp.Or(user, base.Config.Config.User)
		if t.Port.OS != "windows" {
			user = cmp.Or(user, plan.DefaultUser)
		}
	}
	return user
}

// config is the image config of a target: complete, with one history entry for
// each layer. Without a time in it the exporter would take that of the build.
func (g *graph) config(t *plan.Target, base Base, layers []layer) *dockerspec.DockerOCIImage {
	img := &dockerspec.DockerOCIImage{}
	if base.Config != nil {
		inherit(img, base.Config)
	}
	img.Platform = platforms.Normalize(t.Platform)
	img.Created = &g.in.Created
	img.RootFS.Type = "layers"
	c := &img.Config
	c.User = user(t, base)
	c.WorkingDir = cmp.Or(t.Image.Workdir, c.WorkingDir)
	c.Entrypoint = t.Image.Entrypoint
	c.Cmd = t.Image.Cmd
	c.Env = mergeEnv(c.Env, t.Image.Env)
	c.Labels = merge(c.Labels, g.told(t, base), t.Image.Labels)
	c.StopSignal = cmp.Or(t.Image.Stopsignal, c.StopSignal)
	c.Volumes = mergeSet(c.Volumes, t.Image.Volumes)
	c.ExposedPorts = mergeSet(c.ExposedPorts, t.Image.Expose)
	if h := t.Image.Healthcheck; h != nil {
		c.Healthcheck = &dockerspec.HealthcheckConfig{
			Test:        append([]string{"CMD"}, h.Test...),
			Interval:    h.Interval,
			Timeout:     h.Timeout,
			StartPeriod: h.StartPeriod, StartInterval: h.StartInterval,
			Retries: h.Retries,
		}
	}
	for _, l := range layers {
		img.History = append(img.History, g.history(l.createdBy))
	}
	return img
}

func (g *graph) history(createdBy string) ocispecs.History {
	return ocispecs.History{Created: &g.in.Created, CreatedBy: createdBy, Comment: historyComment}
}

// inherit takes what a base image says, as FROM does in a Dockerfile, without
// its command: that belongs to its own entrypoint.
func inherit(img, base *dockerspec.DockerOCIImage) {
	*img = *base
	img.Config.Entrypoint, img.Config.Cmd = nil, nil
	img.Config.ArgsEscaped = false //nolint:staticcheck // SA1019: the base may have it
	img.History = slices.Clone(base.History)
	img.RootFS.DiffIDs = nil
}

// told are the labels that say what an image was made from, beside those of the
// plan: when, if the client says it, and on what.
func (g *graph) told(t *plan.Target, base Base) map[string]string {
	labels := map[string]string{}
	if !t.Image.Told {
		return labels
	}
	if g.in.Dated {
		labels[ocispecs.AnnotationCreated] = g.in.Created.UTC().Format(time.RFC3339)
	}
	if base.Name != "" {
		labels[ocispecs.AnnotationBaseImageName] = base.Name
		labels[ocispecs.AnnotationBaseImageDigest] = base.Digest
	}
	return labels
}

// annotations are those of the spec, after the labels that say what the image
// was made from. A registry shows them without reading the config.
func (g *graph) annotations(t *plan.Target, base Base) []plan.Annotation {
	var all []plan.Annotation
	labels := merge(g.told(t, base), t.Image.Labels)
	if t.Image.Told {
		for _, name := range []string{
			ocispecs.AnnotationCreated, ocispecs.AnnotationRevision, ocispecs.AnnotationSource,
			ocispecs.AnnotationBaseImageName, ocispecs.AnnotationBaseImageDigest,
		} {
			written := func(a plan.Annotation) bool { return a.Name == name }
			if value := labels[name]; value != "" && !slices.ContainsFunc(t.Image.Annotations, written) {
				all = append(all, plan.Annotation{Name: name, Value: value})
			}
		}
	}
	return append(all, t.Image.Annotations...)
}

// merge lays labels over others.
func merge(lists ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, l := range lists {
		maps.Copy(out, l)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// mergeSet adds names to a set.
func mergeSet(base map[string]struct{}, own []string) map[string]struct{} {
	if len(base) == 0 && len(own) == 0 {
		return nil
	}
	out := map[string]struct{}{}
	maps.Copy(out, base)
	for _, name := range own {
		out[name] = struct{}{}
	}
	return out
}

// mergeEnv lays variables over others, which keep their order.
func mergeEnv(base, own []string) []string {
	out := slices.Clone(base)
	known := map[string]int{}
	for i, e := range slices.Backward(base) {
		if name, _, ok := strings.Cut(e, "="); ok {
			known[name] = i // the first one of a name
		}
	}
	for _, e := range own {
		name, _, _ := strings.Cut(e, "=")
		if at, ok := known[name]; ok {
			out[at] = e
			continue
		}
		known[name] = len(out)
		out = append(out, e)
	}
	return out
}
