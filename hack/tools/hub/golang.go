package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// golang assembles golang images.
type golang struct {
	store *store
	local toolchain

	mu sync.Mutex
	// newest is the release that a line was found to stand for. It stays so
	// while the hub runs.
	newest map[string]string
}

func newGolang(st *store, local toolchain) *golang {
	return &golang{store: st, local: local, newest: make(map[string]string)}
}

// image implements assembler. The tags of a release are two images: one with
// tools and one without.
func (g *golang) image(ctx context.Context, tag string) (string, error) {
	asked, ok := parseTag(tag)
	if !ok {
		return "", fmt.Errorf("%w: the tag names no Go release", errNotFound)
	}
	release, err := g.release(ctx, asked.release)
	if err != nil {
		return "", err
	}
	stored := "go" + release + "-assembled-" + strconv.Itoa(imageFormat)
	if asked.tools {
		stored += "-tools"
	}
	return stored, g.store.ensure(ctx, "library/golang", stored, func(ctx context.Context) (recipe, error) {
		return g.recipe(ctx, release, asked.tools)
	})
}

func (g *golang) release(ctx context.Context, asked string) (string, error) {
	if chooseLocal(asked, g.local.release) {
		return g.local.release, nil
	}
	g.mu.Lock()
	release := g.newest[asked]
	g.mu.Unlock()
	if release != "" {
		return release, nil
	}
	known, err := knownReleases(ctx)
	if err != nil {
		return "", err
	}
	release, err = choose(asked, known)
	if err != nil {
		return "", err
	}
	g.mu.Lock()
	g.newest[asked] = release
	g.mu.Unlock()
	return release, nil
}

func (g *golang) toolchain(ctx context.Context, release string) (toolchain, error) {
	if release == g.local.release && g.local.standsAlone() {
		return g.local, nil
	}
	tc, err := download(ctx, release)
	if err == nil && !tc.standsAlone() {
		return toolchain{}, fmt.Errorf("%w: the go command of Go %s needs a C library, which an assembled image has not", errNotFound, release)
	}
	return tc, err
}

func (g *golang) recipe(ctx context.Context, release string, tools bool) (recipe, error) {
	tc, err := g.toolchain(ctx, release)
	if err != nil {
		return recipe{}, err
	}
	if !tools {
		return golangRecipe(tc), nil
	}
	return addTools(ctx, golangRecipe(tc))
}

// golangRecipe makes an image that looks like the official one to who runs the
// go command in it, but has no other program, not even a shell.
func golangRecipe(tc toolchain) recipe {
	return recipe{
		config: v1.Config{
			Env: []string{
				"PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"GOLANG_VERSION=" + tc.release,
				"GOTOOLCHAIN=local",
				"GOPATH=/go",
			},
			WorkingDir: "/go",
		},
		layers: []layer{
			{"base system", writeBase},
			{"go" + tc.release, func(w *tarWriter) error { return writeToolchain(w, tc.root) }},
		},
	}
}
