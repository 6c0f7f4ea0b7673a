package llb

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	apicapspb "github.com/moby/buildkit/util/apicaps/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// checkVariants compares each compile of a plan with what BuildKit writes of it, byte
// for byte. It returns how many of them BuildKit did not write.
func checkVariants(t *testing.T, p *plan.Plan, in Input) (variants int) {
	t.Helper()
	g := newGraph(p, in)
	old := slices.DeleteFunc(pb.Caps.All(), func(c *apicapspb.APICap) bool { return c.ID == string(pb.CapExecMetaSetsDefaultPath) })
	daemons := []*Marshaler{NewMarshaler(), NewMarshaler(llb.WithCaps(pb.Caps.CapSet(pb.Caps.All()))), NewMarshaler(llb.WithCaps(pb.Caps.CapSet(old)))}
	for i := range p.Targets {
		target := &p.Targets[i]
		for j := range target.Binaries {
			b := &target.Binaries[j]
			for _, c := range []*command{g.command(target, b, b.Flags, ""), g.command(target, b, b.SymbolFlags, " with symbols")} {
				got := g.draw(c)
				if _, ok := got.Output().(*variant); ok {
					variants++
				}
				alone := g.drawAlone(c)
				for _, m := range daemons {
					compareStates(t, m, alone, got)
				}
			}
		}
	}
	return variants
}

// compareStates compares two states in all that others see of them.
func compareStates(t *testing.T, m *Marshaler, want, got llb.State) {
	t.Helper()
	x, err := m.Marshal(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	y, err := m.Marshal(t.Context(), got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(wire(t, x), wire(t, y)) {
		t.Fatalf("-BuildKit +ours:\n%s", cmp.Diff(linesOf(x), linesOf(y)))
	}
	p, err := want.GetPlatform(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q, err := got.GetPlatform(t.Context())
	if err != nil || !cmp.Equal(p, q) {
		t.Fatalf("the platform is %v (%v), want %v", q, err, p)
	}
}

// TestVariants compares the compiles of a fleet with those of BuildKit for all that
// a client may ask of a step, under constraints that change.
func TestVariants(t *testing.T) {
	s, ix, opt, sm := fleet(t)
	opt.Platforms = []ocispecs.Platform{opt.Platforms[0], amd64()}
	place := &pb.Position{Line: 7}
	for name, change := range map[string]func(*plan.Options, *Input){
		"plain":     func(*plan.Options, *Input) {},
		"one cache": func(_ *plan.Options, in *Input) { in.CacheNS = "team" },
		"again":     func(_ *plan.Options, in *Input) { in.NoCache = func(string) bool { return true } },
		"one again": func(_ *plan.Options, in *Input) { in.NoCache = func(name string) bool { return name == "program03" } },
		"imports":   func(o *plan.Options, _ *Input) { o.Imports = true },
		"sizes":     func(o *plan.Options, _ *Input) { o.Target = plan.TargetSize },
		"run": func(_ *plan.Options, in *Input) {
			in.Run = []llb.RunOption{
				llb.AddUlimit(llb.UlimitNofile, 10, 20), llb.AddMount("/a", in.Self), llb.AddMount("/x", in.Context, llb.Readonly), llb.AddMount("/y", llb.Scratch()),
				llb.AddSecret("/secret"), llb.AddEnv("PATH", "/client"), llb.WithDescription(map[string]string{"k": "v"}),
				llb.NewSourceMap(nil, "other", "yaml", nil).Location([]*pb.Range{{Start: place, End: place}}),
			}
		},
		"title": func(_ *plan.Options, in *Input) { in.Run = []llb.RunOption{llb.WithCustomName("the client's")} },
	} {
		t.Run(name, func(t *testing.T) {
			_, in := planFleet(t, s, ix, opt, sm)
			o := opt
			change(&o, &in)
			p, err := plan.Resolve(s, ix, o)
			if err != nil {
				t.Fatal(err)
			}
			if checkVariants(t, p, in) < 30 {
				t.Error("BuildKit wrote nearly all")
			}
			all := states(New(p, in))
			checkMarshaler(t, slices.Concat(all, all)) // BuildKit changes the constraints with each
		})
	}
}

// TestShape checks that only commands which differ in nothing but what variants have
// of their own have one shape.
func TestShape(t *testing.T) {
	a, b := llb.Local("a"), llb.Local("b")
	from := func(st llb.State, as access) *command { return &command{mounts: mounts{{"/m", st, as}}} }
	shapes := map[string]int{}
	for i, c := range []*command{
		{}, {dir: "/d"}, {env: []string{"A=1"}}, {env: []string{"A=1", "B=2"}}, {env: []string{"B=2", "A=1"}},
		{mounts: mounts{{"/n", a, access{}}}}, {mounts: mounts{{"/m", a, access{}}, {"/n", a, access{}}}},
		from(a, access{}), from(llb.Scratch(), access{}), from(a, access{path: "/p"}), from(a, access{cache: "/p"}),
		from(a, access{readonly: true}), from(a, access{unhashed: true}), from(a, access{lost: true}),
	} {
		for _, again := range []bool{false, true} {
			shape := c.shape(again)
			if other, ok := shapes[shape]; ok {
				t.Errorf("commands %d and %d have one shape", other, i)
			}
			shapes[shape] = i
		}
	}
	c, d := from(a, access{}), from(b, access{})
	d.step, d.title, d.args, d.pos.Line = "step", "title", []string{"go"}, 7
	if c.shape(false) != d.shape(false) {
		t.Error("a variant has another shape")
	}
}
