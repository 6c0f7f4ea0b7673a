package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"
)

// times are those of one build.
type times struct {
	// definition is the time from the end of the load of the definition to the
	// start of the frontend's first step.
	definition time.Duration
	// process is the time from when BuildKit knows the frontend's image to the
	// start of the frontend's first step.
	process time.Duration
	// build is the time from the request to the answer.
	build time.Duration
}

// build runs one build, without output. The frontend gets the mark as an option
// that it does not know, which stands in the environment of its process.
func (b *bench) build(ctx context.Context, p peer, mark string) (times, error) {
	definition, err := fsutil.NewFS(p.dir)
	if err != nil {
		return times{}, err
	}
	source, err := fsutil.NewFS(hello)
	if err != nil {
		return times{}, err
	}
	opt := client.SolveOpt{
		// As for docker build: BuildKit's own frontend reads the definition,
		// and leaves it to the image. The build argument is what pins that.
		Frontend: "dockerfile.v0",
		FrontendAttrs: map[string]string{
			"filename":                  p.file,
			"build-arg:BUILDKIT_SYNTAX": p.image.ref,
			"bench":                     mark,
		},
		LocalMounts: map[string]fsutil.FS{"context": source, "dockerfile": definition},
	}
	ch := make(chan *client.SolveStatus)
	steps := map[digest.Digest]*vertex{}
	var eg errgroup.Group
	begin := time.Now()
	eg.Go(func() error {
		_, err := b.client.Solve(ctx, nil, opt, ch)
		return err
	})
	for s := range ch {
		for _, v := range s.Vertexes {
			at(steps, v.Digest).see(v.Name, v.Started, v.Completed)
		}
	}
	if err := eg.Wait(); err != nil {
		return times{}, fmt.Errorf("build with %s: %w", p.name, err)
	}
	total := time.Since(begin)
	t, err := timesOf(steps, p)
	t.build = total
	return t, err
}

// timesOf finds the three moments that matter. A step that another build left
// in the daemon's memory has the times of that build: those are in the past.
func timesOf(steps map[digest.Digest]*vertex, p peer) (times, error) {
	var loaded, resolved, first time.Time
	for _, s := range steps {
		switch {
		case strings.HasPrefix(s.name, "[internal] load build definition from "):
			loaded = s.stopped
		case strings.HasPrefix(s.name, "resolve image config for docker-image://"):
			resolved = s.stopped
		}
	}
	for _, s := range steps {
		pull := strings.HasPrefix(s.name, "docker-image://")
		if !pull && s.started.After(resolved) && (first.IsZero() || s.started.Before(first)) {
			first = s.started
		}
	}
	if loaded.IsZero() || resolved.IsZero() || first.IsZero() {
		return times{}, fmt.Errorf("the build with %s did not run its frontend from an image", p.name)
	}
	return times{definition: first.Sub(loaded), process: first.Sub(resolved)}, nil
}
