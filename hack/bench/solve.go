package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	digest "github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
)

// build makes all images of a job over one session, and at the same time, as
// docker buildx bake does.
func (b *daemon) build(ctx context.Context, j job) (outcome, error) {
	mounts, err := b.mounts(j.project)
	if err != nil {
		return outcome{}, err
	}
	pid := b.process.cmd.Process.Pid
	used, peak := cpuOf(pid), watchTree(pid)
	out := outcome{digests: map[string]string{}}
	tr := newTrace()
	begin := time.Now()
	err = b.inSession(ctx, filesync.StaticDirSource(mounts), func(ctx context.Context, s *session.Session) error {
		var mu sync.Mutex
		eg, ctx := errgroup.WithContext(ctx)
		if j.oneByOne {
			eg.SetLimit(1)
		}
		for _, bin := range j.project.binaries {
			eg.Go(func() error {
				dgst, err := b.solve(ctx, s, j, bin.Name, tr)
				mu.Lock()
				defer mu.Unlock()
				out.digests[bin.Name] = dgst
				return err
			})
		}
		return eg.Wait()
	})
	out.seconds = time.Since(begin).Seconds()
	out.peak = peak()
	out.cpu = cpuOf(pid) - used
	out.steps = tr.steps(begin)
	if err != nil {
		return out, fmt.Errorf("%s: %w\n%s", b.label, err, tr.logs())
	}
	return out, nil
}

// inSession runs f while the daemon can ask for the folders.
func (b *daemon) inSession(ctx context.Context, dirs filesync.StaticDirSource, f func(context.Context, *session.Session) error) error {
	s, err := session.NewSession(ctx, "bench")
	if err != nil {
		return err
	}
	s.Allow(filesync.NewFSSyncProvider(dirs, nil))
	served := make(chan error, 1)
	go func() { served <- s.Run(ctx, b.client.Dialer()) }()
	err = f(ctx, s)
	return errors.Join(err, s.Close(), ignoreCanceled(<-served))
}

func ignoreCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// solve makes one image and returns its digest.
func (b *daemon) solve(ctx context.Context, s *session.Session, j job, name string, tr *trace) (string, error) {
	attrs := map[string]string{
		"filename":                  b.file,
		"platform":                  strings.Join(j.platforms, ","),
		"build-arg:BUILDKIT_SYNTAX": b.frontend,
	}
	if len(j.project.binaries) > 1 {
		attrs["target"] = name
	}
	opt := client.SolveOpt{
		// As for docker build: BuildKit's own frontend reads the definition,
		// and leaves it to the image. The build argument is what pins that.
		Frontend: "dockerfile.v0", FrontendAttrs: attrs,
		SharedSession: s, SessionPreInitialized: true,
		Exports: []client.ExportEntry{{
			Type:  client.ExporterImage,
			Attrs: map[string]string{"name": path.Join(j.repo, name), "push": "true"},
		}},
	}
	if j.cacheFrom != "" {
		opt.CacheImports = []client.CacheOptionsEntry{{Type: "registry", Attrs: map[string]string{"ref": j.cacheFrom}}}
	}
	if j.cacheTo != "" {
		opt.CacheExports = []client.CacheOptionsEntry{{Type: "registry", Attrs: map[string]string{"ref": j.cacheTo, "mode": "max"}}}
	}
	ch := make(chan *client.SolveStatus)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for status := range ch {
			tr.add(status)
		}
	}()
	resp, err := b.client.Solve(ctx, nil, opt, ch)
	<-read
	if err != nil {
		return "", err
	}
	return resp.ExporterResponse["containerimage.digest"], nil
}

// step is a part of a build's work.
type step struct {
	Name    string  `json:"name"`
	Start   float64 `json:"start"`
	Seconds float64 `json:"seconds"`
	// Cached tells that there was nothing to do.
	Cached bool `json:"cached,omitempty"`
}

// partMark stands between the name of a step and that of a part of it.
const partMark = " › "

// compiles tells whether the step ran the compiler.
func (s step) compiles() bool {
	name := strings.ReplaceAll(s.Name, `", "`, " ") // RUN in exec form
	return !s.Cached && !strings.Contains(name, partMark) && strings.Contains(name, "go build")
}

// trace collects what the daemon tells of builds that share steps.
type trace struct {
	mu       sync.Mutex
	vertices map[digest.Digest]*vertex
	// parts are downloads and the like, inside of steps.
	parts map[string]*vertex
	text  []string
}

// vertex is a step as the daemon tells of it, more than once.
type vertex struct {
	name             string
	started, stopped time.Time
	cached           bool
}

func newTrace() *trace {
	return &trace{vertices: map[digest.Digest]*vertex{}, parts: map[string]*vertex{}}
}

func (t *trace) add(s *client.SolveStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, v := range s.Vertexes {
		at(t.vertices, v.Digest).see(v.Name, v.Started, v.Completed)
		t.vertices[v.Digest].cached = v.Cached
	}
	for _, p := range s.Statuses {
		if in := t.vertices[p.Vertex]; in != nil {
			at(t.parts, p.Vertex.String()+p.ID).see(in.name+partMark+p.ID, p.Started, p.Completed)
		}
	}
	for _, l := range s.Logs {
		t.text = append(t.text, string(l.Data))
	}
}

// at returns what a map has at a key, and makes it if there is nothing.
func at[K comparable](m map[K]*vertex, key K) *vertex {
	if m[key] == nil {
		m[key] = &vertex{}
	}
	return m[key]
}

func (v *vertex) see(name string, started, stopped *time.Time) {
	v.name = name
	if started != nil && (v.started.IsZero() || started.Before(v.started)) {
		v.started = *started
	}
	if stopped != nil && stopped.After(v.stopped) {
		v.stopped = *stopped
	}
}

// steps lists the steps that ran since begin, and those that were cached, by
// their start. What another build left in the daemon's memory has the times of
// that build.
func (t *trace) steps(begin time.Time) []step {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []step
	take := func(v *vertex, least time.Duration) {
		if v.started.Before(begin) || v.stopped.Sub(v.started) < least {
			return
		}
		list = append(list, step{v.name, seconds(v.started.Sub(begin)), seconds(v.stopped.Sub(v.started)), v.cached})
	}
	for _, v := range t.vertices {
		take(v, 0)
	}
	for _, v := range t.parts {
		take(v, 100*time.Millisecond)
	}
	slices.SortFunc(list, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), strings.Compare(a.Name, b.Name))
	})
	return list
}

// seconds keeps milliseconds: more is noise in a file that people read.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// logs is the end of what the steps wrote.
func (t *trace) logs() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := strings.Join(t.text, "")
	return all[max(0, len(all)-4000):]
}
