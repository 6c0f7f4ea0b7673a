package plan

import (
	"regexp"
	"slices"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// The targets that are no binary.
const (
	// TargetBinaries exports the binaries as files.
	TargetBinaries = "binaries"
	// TargetSize exports what the binaries are made of.
	TargetSize = "size"
	// TargetTest runs the tests.
	TargetTest = "test"
	// TargetVuln exports what is known to be vulnerable in the binaries.
	TargetVuln = "vuln"
)

// reservedTargets are the names that no binary of a spec may have.
func reservedTargets() []string {
	return []string{TargetBinaries, TargetTest, "cover", "debug", "modules", TargetSize, "vet", TargetVuln}
}

// unit is a binary of the spec before it has a platform.
type unit struct {
	name  string
	main  *mainPackage
	field *spec.Binary // nil: the spec names none
	build *spec.Build
	image *spec.Image
	// early are the tags that can be known before there is a target, nil until
	// somebody asks.
	early []string
}

// binaryName is what a binary may be called: it is a file, a target and part of
// the names of steps.
var binaryPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// binaries resolves the binaries of the spec, and chooses what is built.
func (r *resolver) binaries(first *scan.Module, requested []requested) {
	if r.opt.Target == TargetTest && !r.opt.Every {
		mods := append(r.generateModules(), first)
		r.workspaces(mods)
		r.release(mods)
		r.builder()
		r.plan.Targets = append(r.plan.Targets, r.test(first))
		return
	}
	r.testScope(Port{}).testArgs() // for what is wrong there
	if len(r.spec.Binaries) > maxPrograms/max(1, len(requested)) {
		r.count(&r.spec.Image.With, len(r.spec.Binaries)*len(requested))
		return
	}
	units, named := r.units(first, requested)
	mods := r.generateModules()
	for _, u := range units {
		mods = append(mods, u.main.module)
	}
	if len(mods) == 0 {
		mods = append(mods, first)
	}
	r.workspaces(mods)
	r.release(mods)
	r.builder()
	var chosen *unit
	if named {
		chosen = r.choose(units)
	}
	if chosen != nil && r.opt.Sizes {
		units = append([]*unit{chosen}, r.scope(chosen, requested[0]).with(units)...)
		r.plan.FilesOnly, r.plan.Sizes = true, true
	}
	all := make([]Target, 0, len(units)*len(requested))
	for _, u := range units {
		first := len(all)
		for _, q := range requested {
			if r.enough() || !r.count(&u.image.With, 1+len(u.image.With)) {
				return
			}
			all = append(all, r.target(u, q, units))
		}
		if u == chosen {
			r.plan.Targets = all[first:len(all):len(all)]
		}
	}
	if r.opt.Every {
		r.plan.Targets = all
	}
	if !r.opt.Sizes {
		r.plan.All = all
	}
	if r.plan.FilesOnly {
		r.plan.Targets = r.files(units, requested)
	}
}

// units are the binaries that the spec names, or the one that it does not. One
// without a main package, which was reported then, gets some other, so that the
// rest of the spec is looked at, too. The result is false when there are no
// names to choose from.
func (r *resolver) units(first *scan.Module, platforms []requested) (units []*unit, named bool) {
	missing := &mainPackage{module: first, arg: ".", name: binaryName(first.Path)}
	named = true
	if r.spec.Binaries == nil {
		u := &unit{build: &r.spec.Build, image: &r.spec.Image}
		if u.main = r.findMain(u, platforms); u.main == nil {
			u.main, named = missing, false
		}
		u.name = u.main.name
		units = append(units, u)
	}
	if r.spec.Binaries != nil && len(r.spec.Binaries) == 0 {
		r.fail(r.spec.Errorf(&r.spec.Binaries, "binaries: expected a binary").WithHelp("write server: ./cmd/server, or leave binaries out"))
		named = false
	}
	for i := range r.spec.Binaries {
		if r.enough() {
			return nil, false
		}
		b := &r.spec.Binaries[i]
		u := &unit{name: b.Name, field: b}
		u.build, u.image = r.spec.Effective(b)
		named = r.checkName(b) && named
		if u.main = r.findMain(u, platforms); u.main == nil {
			u.main = missing
		}
		units = append(units, u)
	}
	return units, named
}

// checkName refuses names that are no file or that mean something else.
func (r *resolver) checkName(b *spec.Binary) bool {
	const limit = 100
	switch {
	case slices.Contains(reservedTargets(), b.Name):
		r.fail(r.spec.Errorf(&b.Name, "binaries: %s is the name of a target", b.Name).WithHelp("choose another name; %s are taken", list(reservedTargets())))
	case !binaryPattern.MatchString(b.Name):
		r.fail(r.spec.Errorf(&b.Name, "binaries: %q is not a name of a binary", b.Name).WithHelp("expected letters, digits, _, - and ."))
	case len(b.Name) > limit:
		r.fail(r.spec.Errorf(&b.Name, "binaries: a name of %d characters is too long", len(b.Name)).WithHelp("expected at most %d", limit))
	default:
		return true
	}
	return false
}

// choose obeys --target. It returns the binary whose image is built, nil for
// none.
func (r *resolver) choose(units []*unit) *unit {
	preset := r.preset(units)
	for _, u := range units {
		r.plan.Names = append(r.plan.Names, Name{Name: u.name, Main: u.main.arg, From: from(u), Default: u == preset, Pos: r.pos(u)})
	}
	slices.SortStableFunc(r.plan.Names, func(a, b Name) int { return order(b.Default) - order(a.Default) })
	all := r.spec.At(&r.spec.Binaries, &r.spec.Main)
	r.plan.Names = append(r.plan.Names, Name{Name: TargetBinaries, Pos: all}, Name{Name: TargetTest, Pos: r.spec.At(&r.spec.Test)}, Name{Name: TargetSize, Pos: all}, Name{Name: TargetVuln, Pos: all})
	if r.opt.Every {
		return nil
	}
	var names []string
	for _, n := range r.plan.Names {
		names = append(names, n.Name)
	}
	switch at := slices.IndexFunc(units, func(u *unit) bool { return u.name == r.opt.Target }); {
	case r.opt.Target == TargetBinaries && !r.opt.Sizes:
		r.plan.FilesOnly = true
	case r.opt.Target == TargetSize, r.opt.Sizes && (r.opt.Target == "" || r.opt.Target == TargetBinaries):
		r.plan.FilesOnly, r.plan.Sizes = true, true
	case r.opt.Target == TargetVuln && !r.opt.Sizes:
		r.plan.FilesOnly, r.plan.Vuln = true, r.vuln()
	case at >= 0:
		return units[at]
	case r.opt.Target == "" && preset != nil:
		return preset
	case r.opt.Target == "":
		r.fail(r.spec.Errorf(&r.spec.Binaries, "--target: which binary?").WithHelp("expected one of %s", list(names)))
	default:
		e := r.start("--target: unknown target %q", r.opt.Target).WithHelp("expected one of %s", list(names))
		if near := spec.Nearest(r.opt.Target, names); near != "" {
			e.WithHelp("did you mean %s?", near)
		}
		r.fail(e)
	}
	return nil
}

func order(first bool) int {
	if first {
		return 1
	}
	return 0
}

// preset is the binary that is built when the client names none: the only one,
// or the one that is named like its module.
func (r *resolver) preset(units []*unit) *unit {
	if len(units) == 1 {
		return units[0]
	}
	at := slices.IndexFunc(units, func(u *unit) bool { return u.name == binaryName(u.main.module.Path) })
	if at < 0 {
		return nil
	}
	return units[at]
}

// pos is where a binary is written.
func (r *resolver) pos(u *unit) spec.Pos {
	if u.field != nil {
		return r.spec.At(&u.field.Name)
	}
	return r.spec.At(&r.spec.Main, &r.spec.Build)
}

// scope is where values are expanded: those of one binary on one platform.
type scope struct {
	*resolver
	*unit
	port Port
	vars map[string]string
}

func (r *resolver) scope(u *unit, q requested) *scope {
	return &scope{resolver: r, unit: u, port: q.port, vars: q.vars}
}

// targetVars are the variables that a platform decides.
func targetVars(p ocispecs.Platform) map[string]string {
	return map[string]string{
		"TARGETPLATFORM": platforms.Format(p),
		"TARGETOS":       p.OS,
		"TARGETARCH":     p.Architecture,
		"TARGETVARIANT":  p.Variant,
	}
}

// text returns the value of a field with its variables replaced.
func (sc *scope) text(field *string) string { return sc.expandText(field, *field, sc.vars) }

// texts is text for a list. A list that was written stays one.
func (sc *scope) texts(items []string) []string {
	if items == nil {
		return nil
	}
	out := make([]string, len(items))
	for i := range items {
		out[i] = sc.text(&items[i])
	}
	return out
}

// target is the image of a binary for one platform.
func (r *resolver) target(u *unit, q requested, units []*unit) Target {
	sc := r.scope(u, q)
	t := Target{Name: u.name, Platform: q.platform, Port: q.port, Pos: r.pos(u)}
	t.Binaries = append(t.Binaries, sc.binary())
	t.Base, t.BasePos = sc.base(), r.spec.At(&u.image.From)
	for _, w := range sc.with(units) {
		t.Binaries = append(t.Binaries, r.scope(w, q).binary())
		r.scope(w, q).checkLoader(&t)
	}
	t.Rootfs = sc.rootfs(t.Base)
	t.Files = sc.copies(t.Binaries)
	t.Image = sc.config(&t)
	if t.Image.Told {
		t.Revision, t.Source = r.opt.Revision, r.opt.Source
	}
	sc.checkLoader(&t)
	return t
}

// filesName is how --target names what is exported as files.
func (r *resolver) filesName() string {
	switch {
	case r.plan.Sizes:
		return TargetSize
	case r.plan.Vuln != nil:
		return TargetVuln
	}
	return TargetBinaries
}

// files are all binaries as files, for each platform.
func (r *resolver) files(units []*unit, requested []requested) []Target {
	targets := make([]Target, 0, len(requested))
	for _, q := range requested {
		t := Target{Name: r.filesName(), Platform: q.platform, Port: q.port, Pos: r.spec.At(&r.spec.Binaries, &r.spec.Main, &r.spec.Build)}
		t.Binaries = make([]Binary, 0, len(units))
		told := false
		for _, u := range units {
			sc := r.scope(u, q)
			t.Binaries = append(t.Binaries, sc.binary())
			told = told || sc.told()
			if b := &t.Binaries[len(t.Binaries)-1]; r.plan.Sizes || r.plan.Vuln != nil {
				b.SymbolFlags = keepSymbols(b.Flags)
			}
		}
		if told {
			t.Revision, t.Source = r.opt.Revision, r.opt.Source
		}
		targets = append(targets, t)
	}
	return targets
}

// with are the binaries beside the one of the image. A list for all images does
// not mean the own binary of one.
func (sc *scope) with(units []*unit) []*unit {
	var found []*unit
	var names []string
	if sc.spec.Binaries != nil && len(sc.image.With) > 0 {
		for _, u := range units {
			names = append(names, u.name)
		}
	}
	for i := range sc.image.With {
		field := &sc.image.With[i]
		name := sc.text(field)
		at := slices.IndexFunc(units, func(u *unit) bool { return u.name == name })
		switch {
		case name == sc.name && len(units) > 1 && sc.field.Image.With == nil:
			// The spec's own list is for all binaries.
		case name == sc.name:
			sc.fail(sc.spec.Errorf(field, "image.with: %s is the image's own binary", name).WithHelp("%s", withOwnHelp(names)))
		case at < 0:
			e := sc.spec.Errorf(field, "image.with: no binary %q", name).WithHelp("%s", withHelp(name, names))
			sc.fail(e)
		case !slices.Contains(found, units[at]):
			found = append(found, units[at])
		}
	}
	return found
}

// withOwnHelp says what the list is for, with the names under binaries.
func withOwnHelp(names []string) string {
	if len(names) < 2 {
		return "leave it out; others are named under binaries first"
	}
	return "name others of binaries"
}

func withHelp(name string, names []string) string {
	switch near := spec.Nearest(name, names); {
	case near != "":
		return "did you mean " + near + "?"
	case len(names) == 0:
		return "name it under binaries first"
	}
	return "expected one of " + list(names)
}
