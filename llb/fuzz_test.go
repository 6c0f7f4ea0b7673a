package llb

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// FuzzGraph checks that no value of a spec, no name of a file, no module path and
// no import path becomes an option, a word of its own, or a path outside of its
// place in any step.
func FuzzGraph(f *testing.F) {
	seeds := []string{"../examples/hello/Gopherfile.yaml", "../examples/http/Gopherfile.yaml"}
	for _, glob := range []string{"../frontend/spec/testdata/ok/*.txtar", "../frontend/plan/testdata/*.txtar"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			f.Fatalf("no files: %v", err)
		}
		seeds = append(seeds, files...)
	}
	for i, file := range seeds {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		data := ar.Comment
		if len(ar.Files) > 0 {
			data = ar.Files[0].Data
		}
		f.Add(data, "module example.com/hello\n\ngo 1.26.0\n", "cmd/server/-o.go", "package main\n\nimport _ \"net/http\"\n", uint8(i))
	}
	f.Add([]byte("main: ./-x\n"), "module -o\n\ngo 1.26\n\nrequire example.com/-toolexec v1.0.0\n", "-x/main.go", "package main\n\nimport (\n\t_ \"-toolexec=x\"\n\t_ \"example.com/-toolexec/p\"\n\t_ \"../../etc\"\n)\n", uint8(0))
	f.Add([]byte("binaries: {a: ./cmd/a}\n"), "module m\n\nreplace x => ../../etc\n", "cmd/a/a\nb.go", "package main\n\nimport \"embed\"\n\n//go:embed -o ../* all:.\nvar x embed.FS\n", uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, goMod, name, source string, mode uint8) {
		s, err := spec.Parse("f", data)
		if err != nil || !fs.ValidPath(name) || name == "." {
			return
		}
		tree := fstest.MapFS{"main.go": {Data: []byte("package main\n")}}
		tree["go.mod"] = &fstest.MapFile{Data: []byte(goMod)}
		tree["cmd/server/main.go"] = &fstest.MapFile{Data: []byte(source)}
		tree[name] = &fstest.MapFile{Data: []byte(source)}
		ix, err := scan.Scan(tree, scan.Options{Mains: plan.Mains(s)})
		if err != nil {
			return
		}
		opt := plan.Options{BuildPlatform: amd64(), Every: mode&4 != 0}
		targets := []string{"", "server", plan.TargetBinaries, plan.TargetTest, plan.TargetSize, plan.TargetVuln}
		opt.Target = targets[int(mode>>3)%len(targets)]
		opt.Platforms = []ocispecs.Platform{{OS: "windows", Architecture: "arm64"}, {OS: "linux", Architecture: "arm", Variant: "v6"}}
		p, err := plan.Resolve(s, ix, opt)
		if err != nil {
			return
		}
		checkGraph(t, p, data)
	})
}

// checkGraph draws a plan and looks at every step.
func checkGraph(t *testing.T, p *plan.Plan, data []byte) {
	t.Helper()
	sm := llb.NewSourceMap(nil, "f", "yaml", data)
	g := New(p, Input{
		Context: llb.Local("context", llb.SessionID("session")), Builder: llb.Image("golang", llb.Platform(amd64())),
		Self: llb.Image("gopherfile", llb.Platform(amd64())), BuildPlatform: amd64(), SourceMap: sm,
		Created: time.Unix(0, 0), Merge: true, NoCache: func(string) bool { return false },
	})
	for _, r := range g.Results {
		def, err := r.State.Marshal(t.Context())
		if err != nil {
			return // a graph that cannot be marshaled runs nothing
		}
		for _, dt := range def.Def {
			var op pb.Op
			if err := op.UnmarshalVT(dt); err != nil {
				t.Fatal(err)
			}
			switch o := op.Op.(type) {
			case *pb.Op_Exec:
				checkExec(t, p, o.Exec)
			case *pb.Op_File:
				checkFile(t, o.File)
			}
		}
	}
}

// checkExec looks at a command. Those of generate and the arguments of tests are
// the user's own.
func checkExec(t *testing.T, p *plan.Plan, e *pb.ExecOp) {
	t.Helper()
	args := e.Meta.Args
	generated := slices.ContainsFunc(p.Generate, func(c plan.Command) bool { return slices.Equal(c.Args, args) })
	online := generated || slices.Equal(args, []string{cacheCommand, "download"}) || slices.Equal(args[:2], []string{cacheCommand, "modules"}) ||
		slices.Equal(args[:2], []string{toolDir + "/gopherfile", "vuln"})
	if e.Network != pb.NetMode_NONE && !online {
		t.Errorf("%q has a network", args)
	}
	if e.Security != pb.SecurityMode_SANDBOX {
		t.Errorf("%q is not in the sandbox", args)
	}
	if !inside(e.Meta.Cwd, "/") || !generated && e.Meta.Cwd != "/" && !inside(e.Meta.Cwd, sourceDir) && e.Meta.Cwd != homeDir && !inside(e.Meta.Cwd, "/go") {
		t.Errorf("%q runs in %q", args, e.Meta.Cwd)
	}
	for _, m := range e.Mounts {
		if !inside(m.Dest, "/") || m.Selector != "" && !inside(m.Selector, "/") {
			t.Errorf("%q has a mount at %q of %q", args, m.Dest, m.Selector)
		}
		if m.SecretOpt != nil && e.Network == pb.NetMode_NONE {
			t.Errorf("%q has a secret and no network", args)
		}
	}
	for _, env := range e.Meta.Env {
		if name, value, _ := strings.Cut(env, "="); name == "" || strings.Contains(env, "\x00") || name == "GOPROXY" && value != "off" && e.Network == pb.NetMode_NONE {
			t.Errorf("%q has the variable %q", args, env)
		}
	}
	if slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "\x00") }) {
		t.Errorf("%q has a NUL byte", args)
	}
	if !generated {
		checkArgs(t, args)
	}
}

// checkArgs looks at the words of a command of ours.
func checkArgs(t *testing.T, args []string) {
	t.Helper()
	switch {
	case slices.Equal(args, []string{cacheCommand, "download"}):
	case args[0] == "go" && args[1] == "test":
	case args[0] == "go" && args[1] == "build":
		i := slices.Index(args, "-o")
		if i < 0 || len(args) != i+3 || !inside(args[i+1], outputDir) || args[i+1] == outputDir {
			t.Fatalf("%q does not end with -o, a file and a package", args)
		}
		checkFlags(t, args[2:i])
		if main := args[i+2]; main != "." && !strings.HasPrefix(main, "./") && main != "golang.org/x/vuln/cmd/govulncheck" {
			t.Errorf("%q is no directory of the module", main)
		}
	case args[0] == cacheCommand && args[1] == "go" && args[2] == "build":
		i := slices.Index(args, "--")
		if i < 0 {
			t.Fatalf("%q has no end of its flags", args)
		}
		checkFlags(t, args[3:i])
	case args[0] == cacheCommand && args[1] == "modules":
	case args[0] == selfCommand, args[0] == toolDir+"/gopherfile":
	default:
		t.Errorf("%q is no command of ours", args)
	}
}

// checkFlags looks at flags of go build: each is one word with its value.
func checkFlags(t *testing.T, flags []string) {
	t.Helper()
	for _, flag := range flags {
		name, _, valued := strings.Cut(flag, "=")
		switch name {
		case "-trimpath":
			valued = true
		case "-tags", "-ldflags", "-gcflags", "-asmflags", "-buildmode", "-pgo", "-buildvcs", "-mod":
		default:
			t.Errorf("%q is no flag that a spec can set", flag)
		}
		if !valued {
			t.Errorf("the value of %q is the next word", flag)
		}
	}
}

// checkFile looks at what is copied or written.
func checkFile(t *testing.T, op *pb.FileOp) {
	t.Helper()
	for _, a := range op.Actions {
		if c := a.GetCopy(); c != nil && (!inside(strings.TrimSuffix(c.Dest, "/"), "") || !inside(c.Src, "")) {
			t.Errorf("copy of %q to %q", c.Src, c.Dest)
		}
		if m := a.GetMkfile(); m != nil && !inside(m.Path, "/") {
			t.Errorf("file %q", m.Path)
		}
	}
}

// inside reports whether a path is an absolute one below a directory.
func inside(name, dir string) bool {
	clean := path.Clean("/" + name)
	return (name == "" || path.IsAbs(name)) && !slices.Contains(strings.Split(name, "/"), "..") &&
		(clean == path.Clean("/"+dir) || strings.HasPrefix(clean, strings.TrimSuffix(path.Clean("/"+dir), "/")+"/"))
}
