package llb

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

var update = flag.Bool("update", false, "rewrite the golden graphs")

func amd64() ocispecs.Platform { return ocispecs.Platform{OS: "linux", Architecture: "amd64"} }

// example draws the graph of an example for platforms of the form os/arch.
func example(t testing.TB, dir string, change func(*plan.Options, *Input), platforms ...string) *Graph {
	t.Helper()
	return draw(t, os.DirFS(filepath.Join("../examples", dir)), change, platforms...)
}

// draw draws the graph of a tree that holds Gopherfile.yaml.
func draw(t testing.TB, tree fs.FS, change func(*plan.Options, *Input), platforms ...string) *Graph {
	t.Helper()
	data, err := fs.ReadFile(tree, "Gopherfile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := spec.Parse("Gopherfile.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	ix, err := scan.Scan(tree, scan.Options{Mains: plan.Mains(s), NoWork: plan.NoWork(s)})
	if err != nil {
		t.Fatal(err)
	}
	opt := plan.Options{BuildPlatform: amd64()}
	for _, name := range platforms {
		p, err := plan.ParsePlatform(name)
		if err != nil {
			t.Fatal(err)
		}
		opt.Platforms = append(opt.Platforms, p)
	}
	sm := llb.NewSourceMap(nil, "Gopherfile.yaml", "yaml", data)
	place := sm.Location([]*pb.Range{{Start: &pb.Position{Line: 1}, End: &pb.Position{Line: 1}}})
	in := Input{
		Context:       llb.Local("context", llb.SessionID("session"), place),
		Builder:       llb.Image("docker.io/library/golang:1.26-alpine", llb.Platform(amd64()), place),
		Self:          llb.Image("docker.io/gopherfile/gopherfile:1", llb.Platform(amd64()), place),
		BuildPlatform: amd64(),
		SourceMap:     sm,
		Created:       time.Unix(0, 0).UTC(),
		Merge:         true,
		Modes:         true,
		NoCache:       func(string) bool { return false },
	}
	if change != nil {
		change(&opt, &in)
	}
	p, err := plan.Resolve(s, ix, opt)
	if err != nil {
		t.Fatal(err)
	}
	if t, ok := t.(*testing.T); ok {
		checkVariants(t, p, in)
	}
	return New(p, in)
}

// TestGraph compares the graphs of the examples with testdata/*.golden.
func TestGraph(t *testing.T) {
	tests := []struct {
		name, dir string
		platforms []string
		change    func(*plan.Options, *Input)
	}{
		{"hello", "hello", []string{"linux/amd64"}, nil},
		{"http", "http", []string{"linux/amd64", "linux/arm64"}, nil},
		{"no-merge", "hello", []string{"linux/riscv64"}, func(_ *plan.Options, in *Input) { in.Merge = false }},
		{"files", "hello", []string{"windows/amd64", "wasip1/wasm"}, func(o *plan.Options, _ *Input) { o.Target = plan.TargetBinaries }},
		{"client-options", "http", []string{"linux/amd64"}, func(_ *plan.Options, in *Input) {
			in.NoCache = func(string) bool { return true }
			in.Network = pb.NetMode_HOST
			in.CacheNS = "team"
			in.Run = []llb.RunOption{llb.AddUlimit(llb.UlimitNofile, 10, 20)}
			in.Online = []llb.RunOption{llb.AddExtraHost("proxy", net.IPv4(10, 0, 0, 1)), llb.WithProxy(llb.ProxyEnv{HTTPProxy: "http://proxy"})}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := example(t, tt.dir, tt.change, tt.platforms...)
			golden(t, filepath.Join("testdata", tt.name+".golden"), text(t, g, tt.platforms))
		})
	}
}

// text is a graph with its image configs.
func text(t *testing.T, g *Graph, platforms []string) string {
	t.Helper()
	got := dumpGraph(t, g)
	for i, r := range g.Results {
		config, err := json.MarshalIndent(r.Image, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got += "image " + platforms[i] + " " + string(config) + "\n"
	}
	return got
}

// TestArchives compares the graphs of the trees in testdata/*.txtar, which have
// what the examples have not.
func TestArchives(t *testing.T) {
	config := func() *dockerspec.DockerOCIImage {
		img := &dockerspec.DockerOCIImage{}
		img.Config.Env = []string{"PATH=/base/bin", "A=base"}
		img.Config.User = "nonroot"
		img.Config.Cmd = []string{"sh"}
		img.Config.Labels = map[string]string{"base": "yes"}
		img.Config.WorkingDir = "/base"
		img.History = []ocispecs.History{{CreatedBy: "base"}}
		img.RootFS.DiffIDs = []digest.Digest{"sha256:1"}
		return img
	}
	for _, tt := range []struct {
		name, archive, target string
		merge                 bool
	}{
		{"api", "fleet", "api", true},
		{"api-no-merge", "fleet", "api", false},
		{"worker", "fleet", "worker", true},
		{"binaries", "fleet", "binaries", true},
		{"test", "fleet", "test", true},
		{"size", "fleet", "size", true},
		{"vuln", "fleet", "vuln", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := draw(t, archive(t, tt.archive), func(o *plan.Options, in *Input) {
				o.Target, in.Merge = tt.target, tt.merge
				o.Revision = "abc"
				place := in.SourceMap.Location(Ranges(spec.Pos{Line: 1}, spec.Pos{Line: 1}))
				in.Named = []Named{{"assets", amd64(), llb.Local("assets", llb.SessionID("session"), place)}}
				if tt.target == "worker" {
					in.SBOM = true
					in.Bases = []Base{{State: llb.Image("example.com/base", llb.Platform(amd64()), place), Config: config(), Name: "example.com/base:latest", Digest: "sha256:abc"}}
				}
			}, "linux/amd64")
			golden(t, filepath.Join("testdata", tt.archive+"-"+tt.name+".golden"), text(t, g, []string{"linux/amd64"}))
		})
	}
}

// TestLayers compares graphs in which packages are compiled in steps of their
// own.
func TestLayers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*plan.Options, *Input)
	}{
		{"plain", nil},
		{"imports", func(o *plan.Options, _ *Input) { o.Imports = true }},
		{"old-release", func(o *plan.Options, _ *Input) { o.Args = map[string]string{"GO": "1.23"} }},
		{"no-cache", func(o *plan.Options, in *Input) {
			o.Imports = true
			in.NoCache = func(string) bool { return true }
		}},
		{"old-release-no-cache", func(o *plan.Options, in *Input) {
			o.Args = map[string]string{"GO": "1.23"}
			in.NoCache = func(string) bool { return true }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := draw(t, archive(t, "layers"), tt.change, "linux/amd64")
			golden(t, filepath.Join("testdata", "layers-"+tt.name+".golden"), text(t, g, []string{"linux/amd64"}))
		})
	}
}

// TestNoIndex checks that what a spec says of GODEBUG stays.
func TestNoIndex(t *testing.T) {
	for _, tt := range []struct{ env, want []string }{
		{nil, []string{"GODEBUG=goindex=0"}},
		{[]string{"GODEBUG="}, []string{"GODEBUG=", "GODEBUG=goindex=0"}},
		{[]string{"GODEBUG=a=1", "X=2"}, []string{"GODEBUG=a=1", "X=2", "GODEBUG=a=1,goindex=0"}},
		{[]string{"GODEBUG=goindex=1"}, []string{"GODEBUG=goindex=1", "GODEBUG=goindex=1,goindex=0"}},
	} {
		if got := noIndex(tt.env); !slices.Equal(got, tt.want) {
			t.Errorf("noIndex(%q) = %q, want %q", tt.env, got, tt.want)
		}
	}
}

// TestIndexed checks that no go command writes an index of a pruned folder into the
// build cache of all projects: one before 1.24 does, and knows no cache program.
func TestIndexed(t *testing.T) {
	for _, tt := range []struct {
		layered, chosen, want bool
	}{
		{true, false, true},   // refused by the cache program
		{true, true, false},   // an image of the user, of any release
		{false, false, false}, // an old release
	} {
		g := &graph{plan: &plan.Plan{Layered: tt.layered, Builder: plan.Builder{Chosen: tt.chosen}}}
		got := !slices.Contains(g.compileEnv(&plan.Binary{}), "GODEBUG=goindex=0")
		if got != tt.want {
			t.Errorf("layered %v, chosen %v: indexed %v, want %v", tt.layered, tt.chosen, got, tt.want)
		}
	}
}

// archive is the tree of a txtar file.
func archive(t testing.TB, name string) fs.FS {
	t.Helper()
	ar, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := txtar.FS(ar)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", file, diff)
	}
}

// TestRules checks what holds for every graph: commands run on the build
// platform, without a shell, without a network but for the downloads: one of all
// modules for the commands of generate and one for the tests, and one for each
// binary, whatever the platforms. Nothing is copied from nowhere.
func TestRules(t *testing.T) {
	platforms := []string{"linux/amd64", "linux/arm64", "linux/arm/v6", "windows/amd64", "darwin/arm64", "wasip1/wasm"}
	graphs := []*Graph{example(t, "http", nil, platforms...)}
	for _, target := range []string{"api", "worker", "binaries", "test"} {
		graphs = append(graphs, draw(t, archive(t, "fleet"), func(o *plan.Options, _ *Input) { o.Target = target }, platforms...))
	}
	for i, want := range []struct{ whole, pruned int }{{0, 1}, {1, 0}, {1, 0}, {1, 0}, {2, 0}} {
		checkRules(t, graphs[i], want.whole, want.pruned)
	}
}

func checkRules(t *testing.T, g *Graph, wantWhole, wantPruned int) {
	t.Helper()
	checkMarshaler(t, states(g))
	whole, pruned, seen := 0, 0, map[string]bool{}
	for _, r := range g.Results {
		def, err := r.State.Marshal(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, dt := range def.Def {
			var op pb.Op
			if err := op.UnmarshalVT(dt); err != nil {
				t.Fatal(err)
			}
			for _, a := range op.GetFile().GetActions() {
				if a.GetCopy() != nil && a.SecondaryInput < 0 {
					t.Errorf("%v copies from an empty state", a)
				}
			}
			e := op.GetExec()
			if e == nil || seen[string(dt)] {
				continue
			}
			seen[string(dt)] = true
			args := e.Meta.Args
			if args[0] != "go" && args[0] != selfCommand && args[0] != cacheCommand && args[0] != "stringer" || slices.Contains(args, "-c") {
				t.Errorf("%q: want the go command or our own", args)
			}
			if op.Platform.Architecture != "amd64" || op.Platform.OS != "linux" {
				t.Errorf("%q runs on %v, want the build platform", args, op.Platform)
			}
			if online := e.Network != pb.NetMode_NONE; online {
				switch {
				case slices.Equal(args, []string{cacheCommand, "download"}):
					whole++
				case args[0] == cacheCommand && args[1] == "modules":
					pruned++
				case args[0] != "stringer":
					t.Errorf("%q has a network", args)
				}
			}
			for _, m := range e.Mounts {
				if m.Dest == "/" && m.Output >= 0 {
					t.Errorf("%q writes to its root file system", args)
				}
			}
		}
	}
	if whole != wantWhole || pruned != wantPruned {
		t.Errorf("got %d downloads of all modules and %d of some, want %d and %d", whole, pruned, wantWhole, wantPruned)
	}
}

// TestDeterminism draws and marshals the same plan 25 times: a map that is
// ranged into a graph shows up only now and then.
func TestDeterminism(t *testing.T) {
	marshal := func() [][]byte {
		var all [][]byte
		for _, r := range example(t, "http", nil, "linux/amd64", "linux/arm64").Results {
			def, err := r.State.Marshal(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, def.Def...)
			config, err := json.Marshal(r.Image)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, config)
		}
		return all
	}
	first := marshal()
	for i := range 25 {
		if !slices.EqualFunc(first, marshal(), bytes.Equal) {
			t.Fatalf("run %d gave another graph", i)
		}
	}
}

// TestNames checks that every step of a build has its own name.
func TestNames(t *testing.T) {
	names := vertexNames(t, dumpGraph(t, example(t, "http", nil, "linux/amd64", "linux/arm64", "linux/arm/v6", "linux/arm/v7")))
	for i, n := range names {
		if i > 0 && names[i-1] == n {
			t.Errorf("two steps are called %s", n)
		}
		if !strings.HasPrefix(n, "[") {
			t.Errorf("%s: want a name such as [linux/amd64 server] go build", n)
		}
	}
}

// BenchmarkGraph draws and marshals a graph for ten platforms.
func BenchmarkGraph(b *testing.B) {
	platforms := []string{"linux/amd64", "linux/386", "linux/arm/v6", "linux/arm/v7", "linux/arm64", "linux/ppc64le", "linux/s390x", "linux/riscv64", "linux/loong64", "linux/mips64le"}
	for b.Loop() {
		for _, r := range example(b, "http", nil, platforms...).Results {
			if _, err := r.State.Marshal(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
