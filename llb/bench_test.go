package llb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// fleetIndex is a module with 20 programs and 1,000 packages of five files, of
// which a program reaches about a hundred.
func fleetIndex() (text string, ix *scan.Index) {
	ix = &scan.Index{Modules: []scan.Module{{Dir: ".", Path: "example.com/fleet", Go: "1.26", Sum: true, Requires: true, Requirements: []string{"github.com/some/dependency@v1.0.0"}}}}
	var b strings.Builder
	b.WriteString("# syntax=gopherfile/gopherfile:1\nbinaries:\n")
	files := func(pkg string, imports ...string) []scan.File {
		list := []scan.File{{Name: "a.go", Imports: imports}, {Name: "b_linux.go"}, {Name: "b_windows.go"}, {Name: "c.go", Constraint: "!linux && !windows"}, {Name: "d_arm64.go"}}
		for i := range list {
			list[i].Package = pkg
		}
		return list
	}
	for i := range 20 {
		name := fmt.Sprintf("program%02d", i)
		fmt.Fprintf(&b, "  %s: ./cmd/%s\n", name, name)
		ix.Packages = append(ix.Packages, scan.Package{Dir: "cmd/" + name, Module: ".", Files: files("main", "fmt", "net/http", fmt.Sprintf("example.com/fleet/internal/p%03d", i*50), "github.com/some/dependency/x")})
	}
	for i := range 1000 {
		imports := []string{"fmt", "github.com/some/dependency/y"}
		if i%100 < 99 {
			imports = append(imports, fmt.Sprintf("example.com/fleet/internal/p%03d", i+1))
		}
		ix.Packages = append(ix.Packages, scan.Package{Dir: fmt.Sprintf("internal/p%03d", i), Module: ".", Files: files("p", imports...)})
	}
	slices.SortFunc(ix.Packages, func(a, b scan.Package) int { return strings.Compare(a.Dir, b.Dir) })
	return b.String(), ix
}

// fleet is that module, parsed, with options that build its programs as files for
// 47 platforms: those that need no C linker, and other levels of some.
func fleet(t testing.TB) (*spec.Spec, *scan.Index, plan.Options, *llb.SourceMap) {
	t.Helper()
	text, ix := fleetIndex()
	s, err := spec.Parse("Gopherfile.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	opt := plan.Options{BuildPlatform: amd64(), Target: plan.TargetBinaries}
	for _, p := range plan.Ports() {
		if !p.NeedsLinker() {
			opt.Platforms = append(opt.Platforms, p.Platform())
		}
	}
	for _, name := range []string{"linux/amd64/v2", "linux/amd64/v3", "linux/amd64/v4", "linux/arm/v5", "linux/arm/v6"} {
		p, err := plan.ParsePlatform(name)
		if err != nil {
			t.Fatal(err)
		}
		opt.Platforms = append(opt.Platforms, p)
	}
	return s, ix, opt, llb.NewSourceMap(nil, "Gopherfile.yaml", "yaml", []byte(text))
}

// planFleet plans the fleet and says what its graph is drawn on.
func planFleet(t testing.TB, s *spec.Spec, ix *scan.Index, opt plan.Options, sm *llb.SourceMap) (*plan.Plan, Input) {
	t.Helper()
	p, err := plan.Resolve(s, ix, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p, Input{
		Context: llb.Local("context", llb.SessionID("session")), Builder: llb.Image("golang", llb.Platform(amd64())),
		Self: llb.Image("gopherfile", llb.Platform(amd64())), BuildPlatform: amd64(), SourceMap: sm, Merge: true,
		NoCache: func(string) bool { return false }, Network: pb.NetMode_UNSET,
	}
}

// BenchmarkFleet plans, draws and marshals 20 programs for 47 platforms: 940
// builds.
func BenchmarkFleet(b *testing.B) {
	s, ix, opt, sm := fleet(b)
	b.ReportAllocs()
	for b.Loop() {
		builds, size := 0, 0
		m := NewMarshaler()
		for _, r := range New(planFleet(b, s, ix, opt, sm)).Results {
			def, err := m.Marshal(context.Background(), r.State)
			if err != nil {
				b.Fatal(err)
			}
			for _, dt := range def.Def {
				size += len(dt)
			}
			builds += len(r.Outputs[0].Paths)
		}
		b.ReportMetric(float64(builds), "builds/op")
		b.ReportMetric(float64(size), "bytes/op")
	}
}
