package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// TargetBinaries is the target that exports binaries as files.
const TargetBinaries = "binaries"

// resolver collects the plan and all that is wrong on the way.
type resolver struct {
	spec  *spec.Spec
	index *scan.Index
	opt   Options
	vars  map[string]string
	plan  *Plan
	errs  spec.ErrorList
}

// Resolve takes every default and resolves every name. All errors come back at
// once, as a [spec.ErrorList].
func Resolve(s *spec.Spec, ix *scan.Index, opt Options) (*Plan, error) {
	r := &resolver{spec: s, index: ix, opt: opt, plan: &Plan{}}
	r.args()
	requested := r.platforms()
	m := r.main(requested)
	if m == nil {
		return nil, r.errs.Err()
	}
	r.release(m.module)
	r.builder()
	r.download(m.module)
	r.target(m)
	for _, p := range requested {
		r.plan.Targets = append(r.plan.Targets, r.binary(m, p))
	}
	r.rootfs()
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	return r.plan, nil
}

// written reports whether the spec has a value for a field, even an empty one.
func (r *resolver) written(field *string) bool { return r.spec.Pos(field).IsValid() }

func (r *resolver) fail(e *spec.Error) { r.errs = append(r.errs, e) }

// requested is a platform that was asked for, with its port and the field of
// the spec that names it (nil: the client did).
type requested struct {
	platform ocispecs.Platform
	port     Port
	field    *string
}

// platforms returns what is built, without repetitions.
func (r *resolver) platforms() []requested {
	var all []requested
	switch {
	case len(r.opt.Platforms) > 0:
		for _, p := range r.opt.Platforms {
			all = append(all, requested{platform: p})
		}
	case len(r.spec.Platforms) > 0:
		for i := range r.spec.Platforms {
			field := &r.spec.Platforms[i]
			text, ok := r.expand(field)
			if !ok {
				continue
			}
			p, err := ParsePlatform(text)
			if err != nil {
				r.fail(r.spec.Errorf(field, "%v", err))
				continue
			}
			all = append(all, requested{platform: p, field: field})
		}
	default:
		all = append(all, requested{platform: r.opt.BuildPlatform})
	}
	var known []requested
	for _, q := range all {
		q.platform = platforms.Normalize(q.platform)
		port, err := PortOf(q.platform)
		switch {
		case err != nil:
			r.fail(r.platformErrorf(q, "%v", err))
			continue
		case port.NeedsLinker():
			r.fail(r.platformErrorf(q, "%s/%s cannot be built: the port links with a C linker only", port.OS, port.Arch))
			continue
		}
		q.port = port
		if !slices.ContainsFunc(known, func(k requested) bool { return k.port == q.port }) {
			known = append(known, q)
		}
	}
	return known
}

func (r *resolver) platformErrorf(q requested, format string, a ...any) *spec.Error {
	if q.field != nil {
		return r.spec.Errorf(q.field, format, a...)
	}
	return r.start("--platform: "+format, a...)
}

// start returns an error that no value of the spec is to blame for.
func (r *resolver) start(format string, a ...any) *spec.Error {
	return r.spec.Errorf(nil, format, a...)
}

// builder decides the image that holds the go command.
func (r *resolver) builder() {
	s := r.spec
	r.plan.Builder = Builder{Ref: "golang:" + r.plan.Release + "-alpine", Pos: s.At(&s.Builder, &s.Go)}
	if !r.written(&s.Builder) {
		return
	}
	ref, ok := r.expand(&s.Builder)
	if _, err := reference.ParseNormalizedNamed(ref); ok && err != nil {
		r.fail(s.Errorf(&s.Builder, "builder: %q is not an image reference", ref).WithHelp("expected one such as golang:1.26-alpine"))
	}
	r.plan.Builder.Ref, r.plan.Builder.Chosen = ref, true
}

// target obeys --target.
func (r *resolver) target(m *mainPackage) {
	switch r.opt.Target {
	case "", m.name:
	case TargetBinaries:
		r.plan.FilesOnly = true
	default:
		e := r.start("--target: unknown target %q", r.opt.Target).WithHelp("expected %s or %s", m.name, TargetBinaries)
		if near := spec.Nearest(r.opt.Target, []string{m.name, TargetBinaries}); near != "" {
			e.WithHelp("did you mean %s?", near)
		}
		r.fail(e)
	}
}

// rootfs decides which files scratch gets. Only images for Linux have a use for
// them.
func (r *resolver) rootfs() {
	linux := func(t Target) bool { return t.Port.OS == "linux" }
	if r.plan.FilesOnly || !slices.ContainsFunc(r.plan.Targets, linux) {
		return
	}
	im := &r.spec.Image
	r.plan.Rootfs = Rootfs{
		Certs:  isTrue(im.Certs),
		Tzdata: isTrue(im.Tzdata),
		Passwd: isTrue(im.Passwd),
		Tmp:    isTrue(im.Tmp),
		Pos:    r.spec.At(im),
	}
}

// isTrue takes the default of a switch that is on unless the spec says false.
func isTrue(b *bool) bool { return b == nil || *b }

// binary is the plan of one binary for one platform.
func (r *resolver) binary(m *mainPackage, q requested) Target {
	s := r.spec
	t := Target{
		Binary:   m.name,
		Main:     m.arg,
		Dir:      m.module.Dir,
		Platform: q.platform,
		Port:     q.port,
		File:     m.name + q.port.Exe(),
		Pos:      s.At(&s.Main, &s.Build),
	}
	vars := r.targetVars(q)
	t.Path = imagePath(t.File)
	t.Env = append(q.port.Env(), "CGO_ENABLED=0")
	t.Env = append(t.Env, r.compileEnv(vars)...)
	t.Flags = r.flags(vars)
	t.Image = r.image(t, vars)
	return t
}

// targetVars are the variables that only a target has.
func (r *resolver) targetVars(q requested) map[string]string {
	return map[string]string{
		"TARGETPLATFORM": platforms.Format(q.platform),
		"TARGETOS":       q.platform.OS,
		"TARGETARCH":     q.platform.Architecture,
		"TARGETVARIANT":  q.platform.Variant,
	}
}

// imagePath keeps a binary out of the way of the directories of the image.
func imagePath(file string) string {
	if slices.Contains([]string{"dev", "etc", "home", "proc", "root", "sys", "tmp", "usr"}, file) {
		return "/bin/" + file
	}
	return "/" + file
}

// join is path.Join for a directory that may be the root.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// list writes names for a message: at most ten of them.
func list(names []string) string {
	const most = 10
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
