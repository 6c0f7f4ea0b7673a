package llb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

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

// BenchmarkFleet plans, draws and marshals 20 programs for 47 platforms: 940
// builds.
func BenchmarkFleet(b *testing.B) {
	text, ix := fleetIndex()
	s, err := spec.Parse("Gopherfile.yaml", []byte(text))
	if err != nil {
		b.Fatal(err)
	}
	opt := plan.Options{BuildPlatform: amd64(), Target: plan.TargetBinaries}
	for _, p := range plan.Ports() {
		opt.Platforms = append(opt.Platforms, p.Platform())
	}
	opt.Platforms = slices.DeleteFunc(opt.Platforms, func(p ocispecs.Platform) bool {
		one := opt
		one.Platforms = []ocispecs.Platform{p}
		_, err := plan.Resolve(s, ix, one)
		return err != nil // links with a C linker only
	})
	for i := 0; len(opt.Platforms) < 47; i++ { // other levels of the same architectures
		opt.Platforms = append(opt.Platforms, ocispecs.Platform{OS: "linux", Architecture: "amd64", Variant: fmt.Sprintf("v%d", i%3+2)})
	}
	opt.Platforms = opt.Platforms[:47]
	b.ReportAllocs()
	for b.Loop() {
		p, err := plan.Resolve(s, ix, opt)
		if err != nil {
			b.Fatal(err)
		}
		sm := llb.NewSourceMap(nil, "Gopherfile.yaml", "yaml", []byte(text))
		in := Input{
			Context: llb.Local("context", llb.SessionID("session")), Builder: llb.Image("golang", llb.Platform(amd64())),
			Self: llb.Image("gopherfile", llb.Platform(amd64())), BuildPlatform: amd64(), SourceMap: sm, Merge: true,
			NoCache: func(string) bool { return false }, Network: pb.NetMode_UNSET,
		}
		builds, size := 0, 0
		for i, r := range New(p, in).Results {
			def, err := r.State.Marshal(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			for _, dt := range def.Def {
				size += len(dt)
			}
			builds += len(p.Targets[i].Binaries)
		}
		b.ReportMetric(float64(builds), "builds/op")
		b.ReportMetric(float64(size), "bytes/op")
	}
}
