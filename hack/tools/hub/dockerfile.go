package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// dockerfile assembles docker/dockerfile images: whatever the tag, the frontend
// of the BuildKit that is pinned.
type dockerfile struct {
	store   *store
	program string
}

// image implements assembler.
func (d *dockerfile) image(ctx context.Context, _ string) (string, error) {
	sum, err := fileSum(d.program)
	if err != nil {
		return "", err
	}
	stored := fmt.Sprintf("assembled-%d-%.12s", imageFormat, sum)
	return stored, d.store.ensure(ctx, "docker/dockerfile", stored, func(context.Context) (recipe, error) {
		return dockerfileRecipe(d.program), nil
	})
}

// dockerfileRecipe makes an image of the program alone, with the labels by
// which BuildKit knows what the frontend can do and that it needs no network.
func dockerfileRecipe(program string) recipe {
	var caps []string
	for _, c := range []string{"inputs", "subrequests", "contexts", "gitquerystring"} {
		caps = append(caps, "moby.buildkit.frontend."+c)
	}
	return recipe{
		config: v1.Config{
			Entrypoint: []string{"/bin/dockerfile-frontend"},
			WorkingDir: "/",
			Labels: map[string]string{
				"moby.buildkit.frontend.network.none": "true",
				"moby.buildkit.frontend.caps":         strings.Join(caps, ","),
			},
		},
		layers: []layer{{"dockerfile-frontend", func(w *tarWriter) error {
			return errors.Join(w.dir("bin", 0o755), w.copy("bin/dockerfile-frontend", program, 0o755))
		}}},
	}
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
