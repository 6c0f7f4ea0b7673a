package frontend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// hello is a fake with the smallest module that needs all steps.
func hello(t *testing.T, opts ...string) *fake {
	t.Helper()
	f := newFake(t, &txtar.Archive{Files: []txtar.File{
		{Name: "Gopherfile.yaml", Data: []byte("main: .\n")},
		{Name: "context/go.mod", Data: []byte("module example.com/hello\n\ngo 1.26.0\n\nrequire example.com/dep v1.0.0\n")},
		{Name: "context/main.go", Data: []byte("package main\n\nimport _ \"example.com/dep\"\n\nfunc main() {}\n")},
		{Name: "opts", Data: []byte("filename=Gopherfile.yaml\n" + strings.Join(opts, "\n"))},
	}})
	return f
}

// TestPanic checks that a defect becomes one error, whatever goroutine it
// happens in.
func TestPanic(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func(*fake)
	}{
		{"resolve", func(f *fake) { f.resolveErr = func(string) error { panic("boom") } }},
		{"solve", func(f *fake) { f.execErr = func(context.Context, *pb.Meta) (uint32, error) { panic("boom") } }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := hello(t, "platform=linux/amd64,linux/arm64")
			tt.damage(f)
			res, err := Build(t.Context(), f)
			const want = "gopherfile stopped because of a defect of its own: boom; please report it"
			if res != nil || err == nil || err.Error() != want {
				t.Errorf("got result %v and error %v, want %s", res, err, want)
			}
		})
	}
}

// TestCancel checks that a build ends when nobody wants it any more, wherever
// it is.
func TestCancel(t *testing.T) {
	for _, tt := range []struct {
		name string
		stop func(*fake, context.CancelFunc)
	}{
		{"before", func(_ *fake, cancel context.CancelFunc) { cancel() }},
		{"resolve", func(f *fake, cancel context.CancelFunc) {
			f.resolveErr = func(string) error { cancel(); return context.Canceled }
		}},
		{"solve", func(f *fake, cancel context.CancelFunc) {
			f.execErr = func(ctx context.Context, _ *pb.Meta) (uint32, error) {
				cancel()
				<-ctx.Done()
				return 0, ctx.Err()
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f := hello(t, "platform=linux/amd64,linux/arm64")
			tt.stop(f, cancel)
			done := make(chan error, 1)
			go func() {
				_, err := Build(ctx, f)
				done <- err
			}()
			select {
			case err := <-done:
				// Over the gateway the words are all that is left of it.
				if err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
					t.Errorf("got %v, want %v", err, context.Canceled)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("got no answer in 10 s, want one at once")
			}
		})
	}
}

// TestRegistryHangs checks that a build does not wait forever for a registry
// that does not answer, and says for which image.
func TestRegistryHangs(t *testing.T) {
	for _, tt := range []struct{ name, hangs, spec, opt, want string }{
		{"builder", "golang", "main: .\n", "", "no builder image golang:1.26-alpine: no answer from its registry in 2m0s (is its registry reachable from the builder?)"},
		{"chosen builder", "registry.test", "builder: registry.test/go\n", "", "no builder image registry.test/go: no answer from its registry in 2m0s (is its registry reachable from the builder?)"},
		{
			"context for the builder", "registry.test", "main: .\n", "context:golang:1.26-alpine=docker-image://registry.test/go",
			"no builder image golang:1.26-alpine: no answer from its registry in 2m0s (is its registry reachable from the builder?)",
		},
		{
			"context of files", "registry.test", "image: {files: {from: context:words/w, to: /words}}\n", "context:words=docker-image://registry.test/words",
			"load the context words: no answer from its registry in 2m0s",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := helloSpec(t, tt.spec, tt.opt)
				f.resolveHangs = tt.hangs
				if _, err := Build(t.Context(), f); err == nil || err.Error() != tt.want {
					t.Errorf("got error %v, want %s", err, tt.want)
				}
			})
		})
	}
}

// TestCancelRead checks that reading the context ends with the request.
func TestCancelRead(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	files := &tree{ctx: ctx, ref: &fakeRef{tree: fstest.MapFS{"a": {}}}}
	if _, err := files.Open("a"); !errors.Is(err, context.Canceled) {
		t.Errorf("open: got %v, want %v", err, context.Canceled)
	}
	if _, err := files.ReadDir("."); !errors.Is(err, context.Canceled) {
		t.Errorf("readdir: got %v, want %v", err, context.Canceled)
	}
}

// TestBuildTwice builds twice with the same options: dockerui writes into
// the client's map, and what it writes must mean the same.
func TestBuildTwice(t *testing.T) {
	f := hello(t, "build-arg:BUILDKIT_MULTI_PLATFORM=1", "build-arg:BUILDKIT_SANDBOX_HOSTNAME=box")
	first, err := Build(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	want := f.dump(t, first)
	second, err := Build(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.dump(t, second); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestBuilderOnce checks that the builder is looked up once, even when files
// are generated first.
func TestBuilderOnce(t *testing.T) {
	f := helloSpec(t, "generate: go generate ./...\n")
	f.fail(1, "/", "go build")
	if _, err := Build(t.Context(), f); err == nil {
		t.Fatal("got no error, want one")
	}
	f.resolved = slices.DeleteFunc(f.resolved, func(s string) bool { return !strings.Contains(s, "golang") })
	if len(f.resolved) != 1 {
		t.Errorf("got %q, want it once", f.resolved)
	}
}

// TestSpoiledLayer checks that a part of an image that is not what it should be
// is explained when a step needs it: the image itself was found.
func TestSpoiledLayer(t *testing.T) {
	f := hello(t)
	f.execErr = func(context.Context, *pb.Meta) (uint32, error) {
		return 0, travel(errors.New(`failed to compute cache key: failed commit on ref "layer-sha256:1": unexpected commit digest sha256:2, expected sha256:1: failed precondition`))
	}
	_, err := Build(t.Context(), f)
	if want := "docker buildx prune"; err == nil || !strings.HasPrefix(err.Error(), "pull an image: ") || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one with %q", err, want)
	}
}

// TestMisplaced checks that a copy onto what a base has is told of without paths
// of BuildKit's own.
func TestMisplaced(t *testing.T) {
	target := &plan.Target{Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, Name: "hello", Base: "example.com/base:1"}
	for said, step := range map[string]string{
		"cannot copy to non-directory: /var/lib/buildkit/snapshots/5/fs/w":       "files",
		"cannot replace to directory /var/lib/buildkit/snapshots/5/fs/w with it": "files",
		"mkdir /x: not a directory":         "files",
		"something else is not a directory": "image",
		"no space left on device":           "files",
	} {
		failed := travel(solveError(errors.New(said), &pb.Op{}, map[string]string{"llb.customname": "[linux/amd64 hello] " + step}))
		got := (&build{}).stepError(t.Context(), target, failed).Error()
		want := "image.files for linux/amd64: a file is in the way of a directory, or a directory in that of a file (compare to: with what is in example.com/base:1)"
		if step != "files" || strings.HasPrefix(said, "no space") {
			want = failed.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", said, got, want)
		}
	}
}
