package frontend

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/system"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/spec"
	"github.com/gopherfile/gopherfile/llb"
)

// imageRequest is an image that the build needs.
type imageRequest struct {
	ref      string
	platform ocispecs.Platform
	// title is put before the reference in the name of the step.
	title string
	pos   spec.Pos
}

// imageFound is an image that can be built on.
type imageFound struct {
	state  bkllb.State
	config *dockerspec.DockerOCIImage
	// name is the full reference, and digest what it means. They are empty for a
	// context that stands in for an image.
	name, digest string
}

// image resolves an image, or the named context that stands in for it, and
// pins it to a digest.
func (b *build) image(ctx context.Context, r imageRequest) (imageFound, error) {
	nc, err := b.ui.NamedContext(r.ref, dockerui.ContextOpt{Platform: &r.platform, ResolveMode: b.ui.ImageResolveMode.String()})
	if err != nil {
		return imageFound{}, err
	}
	if nc != nil {
		return loadImage(ctx, nc)
	}
	named, err := reference.ParseNormalizedNamed(r.ref)
	if err != nil {
		return imageFound{}, err
	}
	named = reference.TagNameOnly(named)
	resolved, dgst, data, err := b.imageConfig(ctx, named.String(), sourceresolver.Opt{
		LogName:  "[internal] load metadata for " + named.String(),
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &r.platform, ResolveMode: b.ui.ImageResolveMode.String()},
	})
	if err != nil {
		return imageFound{}, err
	}
	// A source policy may have sent the reference elsewhere.
	if named, err = reference.ParseNormalizedNamed(resolved); err != nil {
		return imageFound{}, err
	}
	out := imageFound{config: &dockerspec.DockerOCIImage{}}
	pinned := named.String()
	if dgst != "" {
		canonical, err := reference.WithDigest(named, dgst)
		if err != nil {
			return imageFound{}, err
		}
		pinned = canonical.String()
		out.name, _, _ = strings.Cut(pinned, "@")
		out.digest = dgst.String()
	}
	if err := json.Unmarshal(data, out.config); err != nil {
		return imageFound{}, fmt.Errorf("read the config of %s: %w", pinned, err)
	}
	out.state, err = bkllb.Image(pinned,
		bkllb.Platform(r.platform),
		b.ui.ImageResolveMode,
		bkllb.WithCustomName(r.title+pinned),
		b.at(r.pos),
	).WithImageConfig(data)
	return out, err
}

// registryLimit is how long a registry may take to tell what an image is. It is
// asked for two small files; BuildKit waits for them without an end.
const registryLimit = 2 * time.Minute

// answered asks a registry something, and does not wait for longer than that.
func answered(ctx context.Context, ask func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, registryLimit)
	defer cancel()
	err := ask(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("no answer from its registry in %v", registryLimit)
	}
	return err
}

// imageConfig asks the registry of an image for its config.
func (b *build) imageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (resolved string, dgst digest.Digest, data []byte, err error) {
	err = answered(ctx, func(ctx context.Context) (err error) {
		resolved, dgst, data, err = b.client.ResolveImageConfig(ctx, ref, opt)
		return err
	})
	return resolved, dgst, data, err
}

// loadContext loads a named context, which may be an image of a registry.
func loadContext(ctx context.Context, nc *dockerui.NamedContext) (st *bkllb.State, img *dockerspec.DockerOCIImage, err error) {
	err = answered(ctx, func(ctx context.Context) (err error) {
		st, img, err = nc.Load(ctx)
		return err
	})
	return st, img, err
}

// loadImage is a named context in place of an image.
func loadImage(ctx context.Context, nc *dockerui.NamedContext) (imageFound, error) {
	st, img, err := loadContext(ctx, nc)
	if err != nil {
		return imageFound{}, err
	}
	if img == nil {
		// A folder has no config that says where the go command is.
		img = &dockerspec.DockerOCIImage{}
		*st = st.AddEnv("PATH", "/usr/local/go/bin:"+system.DefaultPathEnvUnix)
	}
	return imageFound{state: *st, config: img}, nil
}

// bases are the images below the binaries, in the order of the targets.
func (b *build) bases(ctx context.Context) ([]llb.Base, error) {
	bases := make([]llb.Base, len(b.plan.Targets))
	for i := range b.plan.Targets {
		t := &b.plan.Targets[i]
		if t.Base == "" {
			continue
		}
		title := "[" + platforms.Format(t.Platform) + " " + t.Name + "] FROM "
		found, err := b.image(ctx, imageRequest{ref: t.Base, platform: t.Platform, title: title, pos: t.BasePos})
		if err != nil {
			return nil, b.baseError(t, err)
		}
		if img := found.config; img.Architecture != "" && (img.OS != t.Platform.OS || img.Architecture != t.Platform.Architecture) {
			return nil, b.baseError(t, fmt.Errorf("the image is for %s/%s", img.OS, img.Architecture))
		}
		bases[i] = llb.Base{State: found.state, Config: found.config, Name: found.name, Digest: found.digest}
	}
	return bases, nil
}

// baseError says which image could not be had for which platform.
func (b *build) baseError(t *plan.Target, err error) error {
	help := " (see image.from in the spec; --build-context " + t.Base + "=… replaces the image)"
	if unreachable(err) {
		help = " (is its registry reachable from the builder?)"
	}
	err = fmt.Errorf("no base image %s for %s: %w%s", t.Base, platforms.Format(t.Platform), err, help)
	return errdefs.WithSource(err, b.sourceOf(b.source.Filename, t.BasePos))
}

// namedContexts are the contexts that files come from.
func (b *build) namedContexts(ctx context.Context) ([]llb.Named, error) {
	var all []llb.Named
	var missing spec.ErrorList
	for i := range b.plan.Targets {
		t := &b.plan.Targets[i]
		seen := map[string]bool{}
		for _, f := range t.Files {
			if f.Context == "" || seen[f.Context] {
				continue
			}
			seen[f.Context] = true
			nc, err := b.ui.NamedContext(f.Context, dockerui.ContextOpt{Platform: &t.Platform, ResolveMode: b.ui.ImageResolveMode.String()})
			if err != nil {
				return nil, b.contextError(&f, err)
			}
			if nc == nil {
				e := &spec.Error{File: b.source.Filename, Pos: f.Pos, Msg: "image.files: no context " + f.Context}
				missing = append(missing, e.WithHelp("pass --build-context %s=DIRECTORY", f.Context))
				continue
			}
			st, _, err := loadContext(ctx, nc)
			if err != nil {
				return nil, b.contextError(&f, err)
			}
			all = append(all, llb.Named{Name: f.Context, Platform: t.Platform, State: *st})
		}
	}
	return all, missing.Err()
}

// contextError says which context of a file could not be had.
func (b *build) contextError(f *plan.File, err error) error {
	return errdefs.WithSource(fmt.Errorf("load the context %s: %w", f.Context, err), b.sourceOf(b.source.Filename, f.Pos))
}
