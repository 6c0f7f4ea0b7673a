package plan

import (
	"fmt"
	"go/version"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/closure"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// resolver collects the plan and all that is wrong on the way.
type resolver struct {
	spec  *spec.Spec
	index *scan.Index
	opt   Options
	vars  map[string]string
	plan  *Plan
	errs  spec.ErrorList
	// downloads are those of the plan, without repetitions, and download what
	// the spec says of each.
	downloads []*Download
	download  *Download
	// reached are the steps that fill a pruned module cache, by unit.
	reached map[*unit]*Modules
	// built are the binaries that were resolved.
	built map[built]Binary
	// closures is made when the first one is asked for.
	closures *closure.Tree
	// unset are declared arguments without a value, and broken the places of
	// values that could not be expanded: that was reported, and nothing that
	// follows from it is.
	unset  map[string]bool
	broken map[spec.Pos]bool
	// badPlatform says that a platform was refused, so that a file may have been
	// meant for that one.
	badPlatform bool
	// known are the errors that were reported, and refused the variables that have
	// no value. spent, programs and full are what the plan takes, and whether that
	// is too much.
	known           map[spec.Error]bool
	refused         map[variableAt]bool
	spent, programs int
	full            bool
}

// Resolve takes every default and resolves every name. All errors come back at
// once, as a [spec.ErrorList].
func Resolve(s *spec.Spec, ix *scan.Index, opt Options) (*Plan, error) {
	r := newResolver(s, ix, opt)
	requested := r.platforms()
	if opt.Prepared != nil {
		// The index need not have their modules, and they may have written others.
		r.plan.Generate = opt.Prepared.Generate
	} else {
		r.plan.Generate = r.generate()
	}
	r.workspace(r.index.Work)
	if len(requested) == 0 {
		requested = r.standIn()
	}
	if m := r.firstModule(); m != nil {
		r.binaries(m, requested)
	}
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	return r.plan, nil
}

// Prepare is the part of Resolve that runs before the source tree is complete:
// the release, the builder and what generates files. Its plan has no targets.
func Prepare(s *spec.Spec, ix *scan.Index, opt Options) (*Plan, error) {
	r := newResolver(s, ix, opt)
	r.plan.Generate = r.generate()
	r.workspace(r.index.Work)
	if m := r.firstModule(); m != nil {
		mods := r.namedModules()
		if len(mods) == 0 {
			mods = append(mods, m)
		}
		r.workspaces(mods)
		r.release(mods)
		r.builder()
	}
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	return r.plan, nil
}

func newResolver(s *spec.Spec, ix *scan.Index, opt Options) *resolver {
	r := &resolver{spec: s, index: ix, opt: opt, plan: &Plan{}, unset: map[string]bool{}, broken: map[spec.Pos]bool{}, known: map[spec.Error]bool{}, refused: map[variableAt]bool{}, reached: map[*unit]*Modules{}, built: map[built]Binary{}}
	r.args()
	r.download = r.modules()
	return r
}

// written reports whether the spec has a value for a field, even an empty one.
func (r *resolver) written(field any) bool { return r.spec.Pos(field).IsValid() }

// fail reports an error, unless it only follows from another one.
func (r *resolver) fail(e *spec.Error) {
	if e.File != r.spec.File() || !r.broken[e.Pos] {
		r.add(e)
	}
}

// isBroken reports whether a field could not be expanded.
func (r *resolver) isBroken(field any) bool { return r.broken[r.spec.Pos(field)] }

// firstModule returns the module of the root, or the first one there is. It
// returns nil when there is none that can be used, which was reported then.
func (r *resolver) firstModule() *scan.Module {
	if len(r.index.Modules) == 0 {
		r.fail(r.noModule())
		return nil
	}
	if m := r.index.ModuleOf("."); m != nil && m.Err == nil {
		return m
	}
	for i := range r.index.Modules {
		if m := &r.index.Modules[i]; m.Err == nil {
			return m
		}
	}
	r.fail(r.brokenModule())
	return nil
}

// requested is a platform that was asked for, with its port, its variables and
// the field of the spec that names it (nil: the client did).
type requested struct {
	platform ocispecs.Platform
	port     Port
	vars     map[string]string
	field    *string
}

// platforms returns what is built, without repetitions.
func (r *resolver) platforms() []requested {
	var known []requested
	for _, q := range r.named() {
		q.platform = platforms.Normalize(q.platform)
		port, err := PortOf(q.platform)
		switch {
		case err != nil:
			r.platformErrorf(q, "%v", err)
			continue
		case port.NeedsLinker():
			r.platformErrorf(q, "%s/%s cannot be built: the port links with a C linker only", port.OS, port.Arch)
			continue
		}
		q.port, q.vars = port, targetVars(q.platform)
		same := func(k requested) bool { return k.port == q.port && k.platform.OSVersion == q.platform.OSVersion }
		if !slices.ContainsFunc(known, same) {
			known = append(known, q)
		}
	}
	return known
}

// standIn is a platform in place of those that were refused, so that the rest
// of the spec is looked at, too.
func (r *resolver) standIn() []requested {
	p := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	if len(r.spec.Platforms) > 0 && strings.HasPrefix(r.spec.Platforms[0], "w") {
		p.OS = "windows"
	}
	port, _ := PortOf(p) // error ignored: there are such ports
	return []requested{{platform: p, port: port, vars: targetVars(p)}}
}

// named returns the platforms that the client names, else those of the spec,
// else the build platform.
func (r *resolver) named() []requested {
	var all []requested
	for i := range r.spec.Platforms {
		field := &r.spec.Platforms[i]
		text, ok := r.expand(field)
		if !ok {
			r.badPlatform = true
			continue
		}
		if names := strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' }); len(names) > 1 {
			for i := range names {
				names[i] = strings.TrimPrefix(names[i], "-") // an item without its space
			}
			r.fail(r.spec.Errorf(field, "unknown platform %q", text).WithHelp("write a list: [%s]", strings.Join(names, ", ")))
			r.badPlatform = true
			continue
		}
		p, err := ParsePlatform(text)
		if err != nil {
			r.platformErrorf(requested{field: field}, "%v", err)
			continue
		}
		all = append(all, requested{platform: p, field: field})
	}
	if len(r.opt.Platforms) > 0 {
		all = nil
		for _, p := range r.opt.Platforms {
			all = append(all, requested{platform: p})
		}
	}
	if len(r.spec.Platforms) == 0 && len(all) == 0 {
		all = append(all, requested{platform: r.opt.BuildPlatform})
	}
	return all
}

func (r *resolver) platformErrorf(q requested, format string, a ...any) {
	r.badPlatform = true
	if q.field != nil {
		r.fail(r.spec.Errorf(q.field, format, a...))
		return
	}
	r.fail(r.start("--platform: "+format, a...))
}

// start returns an error that no value of the spec is to blame for.
func (r *resolver) start(format string, a ...any) *spec.Error {
	return r.spec.Errorf(nil, format, a...)
}

// builder decides the image that holds the go command. The small variant has
// no git, which private modules are fetched with.
func (r *resolver) builder() {
	s := r.spec
	ref := "golang:" + r.plan.Release
	if len(s.Modules.Private) == 0 && !r.written(&s.Modules.SSH) {
		ref += "-alpine"
	}
	r.plan.Builder = Builder{Ref: ref, Release: r.plan.Release, Pos: s.At(&s.Builder, &s.Go)}
	// An image that the user names is taken for a current one: an older go
	// command does not look at GOCACHEPROG.
	r.plan.Layered = r.written(&s.Builder) || version.Compare(version.Lang("go"+r.plan.Release), "go1.24") >= 0
	if !r.written(&s.Builder) {
		return
	}
	ref, ok := r.expand(&s.Builder)
	if _, err := reference.ParseNormalizedNamed(ref); ok && err != nil {
		r.fail(s.Errorf(&s.Builder, "builder: %q is not an image reference", ref).WithHelp("%s", referenceHelp(ref, "expected one such as golang:1.26-alpine")))
	}
	if ok && ref == scratch {
		r.fail(s.Errorf(&s.Builder, "builder: scratch holds no go command").WithHelp("expected an image such as golang:1.26-alpine"))
	}
	r.plan.Builder.Ref, r.plan.Builder.Chosen = ref, true
	if !r.written(&s.Go) {
		r.plan.Builder.Release = "" // what go.mod asks for is the least
	}
}

// isTrue takes the default of a switch that is on unless the spec says false.
func isTrue(b *bool) bool { return b == nil || *b }

// join is path.Join for a directory that may be the root.
func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// relative is a path of the tree as it is written in a directory of the tree.
func relative(dir, name string) string {
	rel, err := filepath.Rel(filepath.FromSlash(dir), filepath.FromSlash(name))
	if err != nil {
		return name // a rooted one, which is an error by itself
	}
	return filepath.ToSlash(rel)
}

// list writes names for a message: at most ten of them.
func list(names []string) string {
	const most = 10
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
