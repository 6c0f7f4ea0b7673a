package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/solver/errdefs"
	"golang.org/x/tools/txtar"
)

// hello is a fake with the smallest module that needs all steps.
func hello(t *testing.T, opts ...string) *fake {
	t.Helper()
	f := newFake(t, &txtar.Archive{Files: []txtar.File{
		{Name: "Gopherfile.yaml", Data: []byte("main: .\n")},
		{Name: "context/go.mod", Data: []byte("module example.com/hello\n\ngo 1.26.0\n\nrequire example.com/dep v1.0.0\n")},
		{Name: "context/main.go", Data: []byte("package main\n\nfunc main() {}\n")},
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
		{"solve", func(f *fake) { f.execErr = func(context.Context, string) (uint32, error) { panic("boom") } }},
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
			f.execErr = func(ctx context.Context, _ string) (uint32, error) {
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

// TestDescribe checks that every subrequest that is listed is served, and that
// another one is refused in the way that clients understand.
func TestDescribe(t *testing.T) {
	res, err := Build(t.Context(), hello(t, "requestid="+subrequests.RequestSubrequestsDescribe))
	if err != nil {
		t.Fatal(err)
	}
	var list []subrequests.Request
	if err := json.Unmarshal(res.Metadata["result.json"], &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 7 {
		t.Errorf("got %d subrequests, want 7", len(list))
	}
	for _, r := range list {
		res, err := Build(t.Context(), hello(t, "requestid="+r.Name))
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		if !json.Valid(res.Metadata["result.json"]) || string(res.Metadata["version"]) != r.Version {
			t.Errorf("%s: got version %s of %s, want version %s", r.Name, res.Metadata["version"], res.Metadata["result.json"], r.Version)
		}
		if res.Ref != nil || len(res.Refs) > 0 {
			t.Errorf("%s: got an image, want an answer only", r.Name)
		}
	}
	_, err = Build(t.Context(), hello(t, "requestid=frontend.nothing"))
	var unsupported *errdefs.UnsupportedSubrequestError
	if !errors.As(travel(err), &unsupported) || unsupported.Name != "frontend.nothing" {
		t.Errorf("got %v, want the error of an unsupported request", err)
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
