package frontend

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/solver/pb"
)

// report is what a diagnosis finds of a module behind a proxy.
const report = `{"modules":[{"Path":"git.test/lib","Version":"v1.0.0","Error":"reading https://proxy.test/git.test/lib/@v/v1.0.0.mod: 401 Unauthorized"}]}`

// findOut is the name of the step that finds out why a download failed.
const findOut = "[modules] find out why"

func count(list []string, name string) int {
	n := 0
	for _, item := range list {
		if item == name {
			n++
		}
	}
	return n
}

// TestDiagnoseOnce checks that platforms that fail at the same moment are
// diagnosed once, and told the same.
func TestDiagnoseOnce(t *testing.T) {
	list := []string{"linux/386", "linux/amd64", "linux/arm/v7", "linux/arm64", "linux/loong64", "linux/ppc64le", "linux/riscv64", "linux/s390x"}
	for i := range 10 {
		f := hello(t, "platform="+strings.Join(list, ","))
		f.report["report.json"] = &fstest.MapFile{Data: []byte(report)}
		var all sync.WaitGroup
		all.Add(2 * len(list)) // an image and its binary
		f.execErr = func(_ context.Context, command *pb.Meta) (uint32, error) {
			if !slices.Contains(command.Args, "modules") {
				return 0, nil
			}
			all.Done()
			all.Wait() // until all of every platform is here
			return 1, nil
		}
		res, err := Build(t.Context(), f)
		const want = "go mod download: git.test/lib@v1.0.0: proxy.test asks for a password"
		if res != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Fatalf("got %v and %v, want %s", res, err, want)
		}
		if n := count(f.asked, findOut); n != 1 {
			t.Errorf("%d: got %d diagnoses, want one", i, n)
		}
	}
}

// TestDiagnoseOther checks that nothing else that fails is diagnosed.
func TestDiagnoseOther(t *testing.T) {
	for _, prefix := range []string{"go build", "/bin/gopherfile rootfs", "go generate"} {
		t.Run(prefix, func(t *testing.T) {
			f := helloSpec(t, "generate: go generate ./...\n")
			f.fail(1, "/", prefix)
			if res, err := Build(t.Context(), f); res != nil || err == nil {
				t.Fatalf("got %v and %v, want an error", res, err)
			}
			if n := count(f.asked, findOut); n != 0 {
				t.Errorf("got %d diagnoses, want none", n)
			}
		})
	}
}

// TestDiagnoseSees checks that the diagnosis is the download once more: the same
// root, files, secrets, environment and network.
func TestDiagnoseSees(t *testing.T) {
	f := helloSpec(t, "builder: golang:1.26-alpine\nmodules:\n  private: git.test\n  netrc: corp\n  ssh: key\n",
		"add-hosts=git.test=192.0.2.1", "build-arg:HTTPS_PROXY=http://proxy.test:3128", "force-network-mode=host", "ulimit=nofile=10:20")
	f.report["report.json"] = &fstest.MapFile{Data: []byte(report)}
	f.fail(1, "/", "/run/gopherfile/gocache modules")
	if _, err := Build(t.Context(), f); err == nil {
		t.Fatal("got no error, want one")
	}
	what := func(e *pb.ExecOp, ops map[string]*pb.Op, op *pb.Op) []string {
		list := []string{fmt.Sprint("root ", ops[op.Inputs[0].Digest].GetSource().GetIdentifier()), "cwd " + e.Meta.Cwd, fmt.Sprint("env ", e.Meta.Env), fmt.Sprint("network ", e.Network),
			fmt.Sprint("hosts ", e.Meta.ExtraHosts), fmt.Sprint("proxy ", e.Meta.ProxyEnv), fmt.Sprint("ulimit ", e.Meta.Ulimit)}
		for _, m := range e.Mounts {
			if m.Dest == "/out" || strings.HasPrefix(m.Dest, "/run/gopherfile") || m.Dest == "/go/pkg/mod" || m.Dest == "/" {
				continue
			}
			from := ""
			if m.Input >= 0 {
				from = op.Inputs[m.Input].Digest
			}
			list = append(list, fmt.Sprintf("mount %s %v %s %v %v %v", m.Dest, m.MountType, from, m.SecretOpt, m.SSHOpt, m.Readonly))
		}
		slices.Sort(list)
		return list
	}
	got := map[string][]string{}
	for _, req := range f.solves {
		ops, _, err := parse(req.Definition)
		if err != nil {
			t.Fatal(err)
		}
		byDigest := map[string]*pb.Op{}
		for _, v := range ops {
			byDigest[v.digest] = v.op
			md := req.Definition.Metadata[v.digest]
			name := md.Description["llb.customname"]
			if e := v.op.GetExec(); e != nil && strings.HasPrefix(name, "[modules]") {
				got[name] = what(e, byDigest, v.op)
				if again := name == findOut; md.IgnoreCache != again {
					t.Errorf("%s: got ignore cache %v", name, md.IgnoreCache)
				}
			}
		}
	}
	if diff := cmp.Diff(got["[modules] download what is imported"], got[findOut]); diff != "" || len(got) != 2 {
		t.Errorf("-download +diagnosis:\n%s", diff)
	}
	text := strings.Join(got[findOut], "\n")
	for _, want := range []string{`ID:"corp"`, `ID:"key"`, "192.0.2.1", "proxy.test:3128", "network HOST", "root docker-image://docker.io/library/golang:1.26-alpine"} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %s in %s", want, text)
		}
	}
}

// TestDiagnoseCancel checks that a diagnosis ends when nobody wants it.
func TestDiagnoseCancel(t *testing.T) {
	f := hello(t, "platform=linux/amd64,linux/arm64")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.execErr = func(ctx context.Context, command *pb.Meta) (uint32, error) {
		switch strings.Join(command.Args[:2], " ") {
		case "/run/gopherfile/gocache modules":
			return 1, nil
		case "/run/gopherfile/gopherfile diagnose":
			cancel()
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return 0, nil
	}
	done := make(chan error, 1)
	go func() {
		_, err := Build(ctx, f)
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("got no answer in 10 s, want one at once")
	}
}
