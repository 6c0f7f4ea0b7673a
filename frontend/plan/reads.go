package plan

import (
	"go/version"
	"path"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/closure"
	"github.com/gopherfile/gopherfile/frontend/goflags"
)

// reads finds out what the compile of a binary reads, so that nothing else is a
// reason to compile it again. When in doubt it reads the whole context.
func (sc *scope) reads(b *Binary) {
	words := goflags.Env(b.Env)
	if len(sc.errs) > 0 || sc.main.module.Err != nil || sc.main.dir == "" || elsewhere(words) {
		return
	}
	if sc.closures == nil {
		sc.closures = closure.New(sc.index)
	}
	if !sc.profileIn(b, words) {
		return
	}
	target := sc.closureTarget(b, words)
	selected := sc.closures.For(target)
	c, err := selected.Of(sc.main.dir)
	if err != nil || sc.overlaps(c) {
		// The go command says what is wrong, or looks everywhere.
		sc.wholeDownload(sc.main.module, b.Env)
		return
	}
	if sc.lacks(c) || sc.needsCgo(c, target) {
		return
	}
	if looksAround(b.Flags) || looksAround(words) {
		sc.wholeDownload(sc.main.module, b.Env)
		return
	}
	b.Files = c.Files
	if b.Profile != "" {
		for _, name := range sc.index.Reach(b.Profile) {
			b.Files = withFile(b.Files, name)
		}
	}
	b.Modules, b.Objects = sc.modulesOf(b, c), sc.objectsOf(b, c, selected)
	b.Download = nil
}

// Fetch is the download of a binary, of all modules or of some. Nil: nothing must
// be downloaded.
func (b *Binary) Fetch() *Download {
	if b.Modules != nil {
		return b.Modules.Download
	}
	return b.Download
}

// Files are the lists of files of the context that its steps copy in order to
// compile.
func (p *Plan) Files() [][]string {
	var lists [][]string
	for i := range p.Targets {
		if t := p.Targets[i].Test; t != nil && t.Download != nil {
			lists = append(lists, t.Download.Files)
		}
		for j := range p.Targets[i].Binaries {
			b := &p.Targets[i].Binaries[j]
			lists = append(lists, b.Files)
			if d := b.Fetch(); d != nil {
				lists = append(lists, d.Files)
			}
			if o := b.Objects; o != nil {
				lists = append(lists, o.Files)
				for _, s := range o.Strata {
					lists = append(lists, s.Files)
				}
			}
		}
	}
	return lists
}

// elsewhere reports whether flags make the go command read other files than
// those that the index tells of.
func elsewhere(flags []string) bool {
	return goflags.Has(flags, "C", "modfile", "overlay", "pkgdir", "toolexec", "compiler")
}

// looksAround reports whether flags make the assembler or the compiler read files
// of any directory: -I is where assembly finds what it includes, seen from each
// package.
func looksAround(flags []string) bool {
	return slices.ContainsFunc(flags, func(f string) bool {
		name, value, _ := goflags.Cut(f)
		if name != "asmflags" && name != "gcflags" {
			return false
		}
		if _, list, ok := strings.Cut(value, "="); ok && !strings.HasPrefix(value, "-") {
			value = list // behind a pattern of packages
		}
		words, _ := goflags.Split(value)
		return name == "asmflags" && goflags.Has(words, "I") || goflags.Has(words, "pgoprofile")
	})
}

// closureTarget is the target of a binary for its closure.
func (sc *scope) closureTarget(b *Binary, words []string) closure.Target {
	value, ok := goflags.Value(b.Flags, "tags")
	if !ok {
		value, _ = goflags.Value(words, "tags")
	}
	tags := goflags.Tags(value)
	for _, name := range sanitizers() {
		if goflags.On(words, name) {
			tags = append(tags, name)
		}
	}
	mod, _ := goflags.Value(words, "mod")
	pgo := pgoOf(b, words)
	release := strings.TrimPrefix(version.Lang("go"+sc.plan.Release), "go")
	return closure.Target{
		Mod:       mod,
		NoProfile: pgo != "" && pgo != "auto",
		Also:      sc.opt.Back[sc.name],
		Has:       func(tag string) bool { return sc.port.Has(tag, tags, release) },
		Doubt:     sc.doubt(b, release),
	}
}

// doubt says of which tags it is not known whether the go command adds them: which
// release an image holds that the user names, what an experiment turns on, and
// which version a name such as certified has in GOFIPS140. Older releases have tags
// for some levels of ports and not for others.
func (sc *scope) doubt(b *Binary, release string) func(tag string) bool {
	unknown := sc.plan.Builder.Chosen || release == ""
	levels := unknown || version.Compare("go"+release, "go1.26") < 0
	sets := func(name string) bool {
		return unknown || slices.ContainsFunc(b.Env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
	}
	experiments, fips := sets("GOEXPERIMENT"), sets("GOFIPS140")
	return func(tag string) bool {
		switch {
		case strings.HasPrefix(tag, "goexperiment."):
			return true
		case strings.HasPrefix(tag, "go1."):
			return unknown
		case strings.HasPrefix(tag, sc.port.Arch+"."):
			return levels
		case strings.HasPrefix(tag, goflags.FrozenTag):
			return fips
		}
		return experiments && tag == "boringcrypto"
	}
}

// modulesOf is the download of a binary, the same for all platforms.
func (sc *scope) modulesOf(b *Binary, c *closure.Closure) *Modules {
	if b.Download == nil || len(c.External) == 0 && !sc.loadsGraph() {
		return nil
	}
	m := sc.reached[sc.unit]
	if m == nil {
		m = &Modules{Download: b.Download}
		sc.reached[sc.unit] = m
	}
	m.Back = m.Back || len(c.External) > 0 && sc.likelyBack(c)
	want := Want{Env: b.Env, Imports: c.External}
	for _, f := range b.Flags {
		if strings.HasPrefix(f, "-tags=") {
			want.Flags = append(want.Flags, f)
		}
	}
	at, found := slices.BinarySearchFunc(m.Wants, want, compareWants)
	if !found {
		m.Wants = slices.Insert(m.Wants, at, want)
	}
	return m
}

// loadsGraph reports whether the go command reads the go.mod of every module
// that is required, even for a program that imports none: in a workspace, and
// before modules listed all that they need.
func (sc *scope) loadsGraph() bool {
	line := sc.main.module.Go
	return sc.index.WorkOf(sc.main.module.Dir) != nil || line == "" || version.Compare("go"+line, "go1.17") < 0
}

// overlaps reports whether a package of the tree could be in a module of another
// place as well, so that the go command looks there, and nothing that is imported
// brings that module.
func (sc *scope) overlaps(c *closure.Closure) bool {
	required := map[string]bool{}
	for i := range sc.index.Modules {
		for _, r := range sc.index.Modules[i].Requirements {
			name, _, _ := strings.Cut(r, "@")
			required[name] = true
		}
	}
	for i := range sc.index.Modules {
		delete(required, sc.index.Modules[i].Path)
	}
	for _, p := range c.External {
		for q := p; q != "." && q != "/"; q = path.Dir(q) {
			if required[q] {
				delete(required, q)
				break
			}
		}
	}
	return len(required) > 0 && slices.ContainsFunc(c.Packages, func(dir string) bool {
		m := sc.index.ModuleOf(dir)
		for q := m.ImportPath(dir); q != "." && q != "/"; q = path.Dir(q) {
			if required[q] {
				return true
			}
		}
		return false
	})
}

// likelyBack reports whether another module is likely to import a package of
// the tree: go.sum knows the module of the main package, or another one of the tree
// is read. Others may do so as well.
func (sc *scope) likelyBack(c *closure.Closure) bool {
	modules := 0
	for _, f := range c.Below {
		if path.Base(f) == "go.mod" {
			modules++
		}
	}
	return sc.main.module.Own || modules > 1
}

// compareWants orders what is imported: the order in which platforms are asked
// for is nothing that a download depends on.
func compareWants(a, b Want) int {
	if c := slices.Compare(a.Env, b.Env); c != 0 {
		return c
	}
	if c := slices.Compare(a.Flags, b.Flags); c != 0 {
		return c
	}
	return slices.Compare(a.Imports, b.Imports)
}

// objectsOf are the packages that are compiled before a binary.
func (sc *scope) objectsOf(b *Binary, c *closure.Closure, selected *closure.Selection) *Objects {
	imports := slices.Concat(c.External, c.Vendored)
	slices.Sort(imports)
	mode, _ := goflags.Value(b.Flags, "buildmode")
	if c.Profile != "" || b.Profile != "" || mode == "pie" {
		// A profile belongs to one main package, and go build compiles nothing
		// but a main package as a pie.
		return nil
	}
	o := &Objects{Flags: objectFlags(b.Flags)}
	if value, ok := goflags.Value(b.Flags, "pgo"); ok && goflags.Has(goflags.Env(b.Env), "pgo") {
		o.Flags = append(o.Flags, "-pgo="+value) // the profile that GOFLAGS names may be none
	}
	if len(imports) > 0 {
		o.Imports, o.Files = imports, c.Below
	}
	if sc.plan.Layered && (len(imports) > 0 || slices.ContainsFunc(c.Std, func(p string) bool { return p == "net" || strings.HasPrefix(p, "net/") })) {
		o.Std = commonStd()
	}
	if sc.plan.Layered && sc.opt.Imports {
		o.Strata = sc.strata(selected)
	}
	if len(o.Std)+len(o.Imports)+len(o.Strata) == 0 {
		return nil
	}
	return o
}

// strataCount is how many steps compile the packages of the tree when a cache
// is imported: an edit runs half of them on average, and each costs a second.
const strataCount = 4

// strata are the packages of the tree below the main package.
func (sc *scope) strata(selected *closure.Selection) []Stratum {
	found, err := selected.Strata(sc.main.dir, strataCount)
	if err != nil {
		return nil // the same error as that of the closure
	}
	var strata []Stratum
	for _, f := range found {
		s := Stratum{Files: f.Files}
		for _, dir := range f.Packages {
			s.Imports = append(s.Imports, sc.index.ModuleOf(dir).ImportPath(dir))
		}
		strata = append(strata, s)
	}
	return strata
}

// commonStd are the packages of the standard library that are compiled once for
// all projects. With all that they import they are most of what programs with
// dependencies need, and half of the whole.
func commonStd() []string { return []string{"net/http"} }

// objectFlags are the flags of a binary that decide how other packages are
// compiled. A flag without a pattern is for the main package alone.
func objectFlags(flags []string) []string {
	var out []string
	for _, f := range flags {
		name, value, _ := strings.Cut(f, "=")
		switch name {
		case "-trimpath", "-tags", "-buildvcs":
		case "-gcflags", "-asmflags":
			if strings.HasPrefix(value, "-") || !strings.Contains(value, "=") {
				continue
			}
		default:
			continue
		}
		out = append(out, f)
	}
	return out
}

// withFile adds a file to a sorted list.
func withFile(files []string, name string) []string {
	at, found := slices.BinarySearch(files, name)
	if found {
		return files
	}
	return slices.Insert(slices.Clone(files), at, name)
}
