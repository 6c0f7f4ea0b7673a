package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/moby/buildkit/client"
)

// bench is where the measuring is done.
type bench struct {
	client   *client.Client
	registry string
}

func newBench(ctx context.Context) (*bench, error) {
	host, registry := os.Getenv("BUILDKIT_HOST"), os.Getenv("GOPHERFILE_REGISTRY")
	if host == "" || registry == "" {
		return nil, errors.New(`BUILDKIT_HOST or GOPHERFILE_REGISTRY is not set; run: eval "$(hack/builder env)"`)
	}
	c, err := client.New(ctx, host)
	if err != nil {
		return nil, err
	}
	return &bench{client: c, registry: registry}, nil
}

// peer is a frontend, with its definition of the build of one program.
type peer struct {
	name string
	// dir holds the definition, file is its name.
	dir, file string
	image     image
}

const hello = "examples/hello"

func (b *bench) peers(ctx context.Context) ([]peer, error) {
	list := []peer{
		{name: "gopherfile/gopherfile", dir: hello, file: "Gopherfile.yaml"},
		{name: "docker/dockerfile", dir: "hack/bench", file: "Dockerfile"},
	}
	for i := range list {
		var err error
		if list[i].image, err = b.image(ctx, list[i].name); err != nil {
			return nil, fmt.Errorf("image of %s: %w", list[i].name, err)
		}
	}
	return list, nil
}

// start measures both frontends in turns. Every round is a build on the clock,
// and a build whose process is watched, which is not free.
func (b *bench) start(ctx context.Context, runs int) (*report, error) {
	info, err := b.client.Info(ctx)
	if err != nil {
		return nil, err
	}
	r := &report{
		Scenario: "start", Program: hello, Runs: runs,
		BuildKit: info.BuildkitVersion.Version, Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(),
	}
	peers, err := b.peers(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range peers {
		if _, err := b.build(ctx, p, ""); err != nil {
			return nil, err
		}
		r.Peers = append(r.Peers, result{Name: p.name, Image: p.image.ref, ImageBytes: p.image.size})
	}
	for i := range runs {
		turn := []int{0, 1}
		if i%2 == 1 {
			slices.Reverse(turn)
		}
		for _, k := range turn {
			if err := b.round(ctx, peers[k], &r.Peers[k]); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

func (b *bench) round(ctx context.Context, p peer, r *result) error {
	t, err := b.build(ctx, p, "")
	if err != nil {
		return err
	}
	mark := fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano())
	peak := watch("bench=" + mark)
	_, err = b.build(ctx, p, mark)
	mem := peak()
	if err != nil {
		return err
	}
	if mem.resident == 0 {
		return fmt.Errorf("the process of %s was not seen: BuildKit must run on this machine, and this program as its user", p.name)
	}
	r.ResidentBytes = append(r.ResidentBytes, float64(mem.resident))
	r.AnonymousBytes = append(r.AnonymousBytes, float64(mem.anonymous))
	r.DefinitionMS = append(r.DefinitionMS, milliseconds(t.definition))
	r.ProcessMS = append(r.ProcessMS, milliseconds(t.process))
	r.BuildMS = append(r.BuildMS, milliseconds(t.build))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
