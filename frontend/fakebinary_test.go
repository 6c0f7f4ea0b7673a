package frontend

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// compiler is what the go command of the fake daemon does with a binary: the
// right thing, but for what it is told.
type compiler struct {
	// change changes what is compiled, and damage what was.
	change []func(*verifytest.Binary)
	damage []func([]byte) []byte
}

// misbehave makes the go command do something wrong.
func (c *compiler) misbehave(t *testing.T, how string) {
	t.Helper()
	name, value, _ := strings.Cut(how, " ")
	change := func(f func(*verifytest.Binary)) { c.change = append(c.change, f) }
	damage := func(f func([]byte) []byte) { c.damage = append(c.damage, f) }
	drop := func(b *verifytest.Binary, name string) {
		b.Settings = slices.DeleteFunc(b.Settings, func(s string) bool { return strings.HasPrefix(s, name+"=") })
	}
	switch name {
	case "port": // it compiles for another one
		os, arch, _ := strings.Cut(value, "/")
		change(func(b *verifytest.Binary) { b.Port.OS, b.Port.Arch = os, arch })
	case "set": // it is told something else
		setting, _, _ := strings.Cut(value, "=")
		change(func(b *verifytest.Binary) {
			drop(b, setting)
			b.Settings = append(b.Settings, value)
		})
	case "drop": // it does not heed a flag
		change(func(b *verifytest.Binary) { drop(b, value) })
	case "release":
		change(func(b *verifytest.Binary) { b.Release = value })
	case "package":
		change(func(b *verifytest.Binary) { b.Path = value })
	case "dep":
		change(func(b *verifytest.Binary) { b.Deps = append(b.Deps, value) })
	case "loader":
		change(func(b *verifytest.Binary) { b.Loader = value })
	case "library":
		change(func(b *verifytest.Binary) { b.Libraries = append(b.Libraries, value) })
	case "symbols":
		change(func(b *verifytest.Binary) { b.Symbols = true })
	case "cut": // the file ends early
		n, err := strconv.Atoi(value)
		if err != nil {
			t.Fatal(err)
		}
		damage(func(data []byte) []byte { return data[:min(n, len(data))] })
	default:
		t.Fatalf("unknown behavior %q of the go command", how)
	}
}

// compiled is what the copy of binaries in the last step leaves.
func (c *compiler) compiled(ops []vertex) fstest.MapFS {
	release := "go1.26.0"
	built := map[string][]byte{}
	for _, v := range ops {
		if src := v.op.GetSource(); src != nil {
			if m := regexp.MustCompile(`/golang:(\d+\.\d+)(\.\d+)?`).FindStringSubmatch(src.Identifier); m != nil {
				release = "go" + m[1] + m[2]
			}
		}
	}
	for _, v := range ops {
		if e := v.op.GetExec(); e != nil && strings.HasPrefix(strings.Join(e.Meta.Args, " "), "go build ") {
			out := e.Meta.Args[slices.Index(e.Meta.Args, "-o")+1]
			built["/"+path.Base(out)] = c.compile(e.Meta, release)
		}
	}
	tree := fstest.MapFS{}
	for _, a := range ops[len(ops)-1].op.GetFile().GetActions() {
		if cp := a.GetCopy(); cp != nil && built[cp.Src] != nil {
			tree[strings.TrimPrefix(cp.Dest, "/")] = &fstest.MapFile{Data: built[cp.Src], Mode: 0o755}
		}
	}
	return tree
}

// compile is the binary of one command.
func (c *compiler) compile(command *pb.Meta, release string) []byte {
	b := verifytest.Binary{Release: release, Settings: []string{"-compiler=gc"}}
	env := func(name string) string {
		for _, e := range command.Env {
			if v, ok := strings.CutPrefix(e, name+"="); ok {
				return v
			}
		}
		return ""
	}
	b.Port = plan.Port{OS: env("GOOS"), Arch: env("GOARCH")}
	for _, name := range []string{"GOOS", "GOARCH", "CGO_ENABLED", b.Port.LevelVar()} {
		if name != "" { // as the level of some is
			b.Settings = append(b.Settings, name+"="+env(name))
		}
	}
	stripped := false
	for _, flag := range command.Args {
		switch name, value, _ := strings.Cut(flag, "="); name {
		case "-trimpath":
			b.Settings = append(b.Settings, "-trimpath=true")
		case "-tags":
			b.Settings = append(b.Settings, flag)
		case "-buildmode":
			b.Settings = append(b.Settings, flag)
			if value == "pie" && b.Port.OS == "linux" {
				b.Loader = "/lib/ld.so"
			}
		case "-ldflags":
			stripped = strings.Contains(" "+value+" ", " -s ")
		}
	}
	b.Symbols = !stripped
	for _, f := range c.change {
		f(&b)
	}
	data := b.Bytes()
	for _, f := range c.damage {
		data = f(data)
	}
	return data
}
