package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// image is the image of a frontend.
type image struct {
	// ref names it by digest: no build asks a registry what its tag means.
	ref string
	// size is how many bytes are pulled for the layers.
	size int64
}

// image finds tag 1 of a repository of docker.io, as the builder sees it, for
// this machine's architecture.
func (b *bench) image(ctx context.Context, repo string) (image, error) {
	_, top, err := b.manifest(ctx, repo, "1")
	if err != nil {
		return image{}, err
	}
	m, err := b.imageManifest(ctx, repo, "1")
	if err != nil {
		return image{}, err
	}
	found := image{ref: fmt.Sprintf("docker.io/%s:1@%s", repo, top)}
	for _, l := range m.Layers {
		found.size += l.Size
	}
	return found, nil
}

// imageManifest is the manifest for this machine's architecture.
func (b *bench) imageManifest(ctx context.Context, repo, tag string) (manifest, error) {
	m, _, err := b.manifest(ctx, repo, tag)
	for _, d := range m.Manifests {
		if p := d.Platform; p != nil && p.OS == "linux" && p.Architecture == runtime.GOARCH {
			m, _, err = b.manifest(ctx, repo, d.Digest.String())
			break
		}
	}
	if err == nil && len(m.Layers) == 0 {
		err = fmt.Errorf("%s:%s has no image for linux/%s", repo, tag, runtime.GOARCH)
	}
	return m, err
}

// manifest is an index or the manifest of one image.
type manifest struct {
	Manifests []ocispecs.Descriptor
	Layers    []ocispecs.Descriptor
	Config    ocispecs.Descriptor
}

// manifest reads from the builder's registry, which speaks plain HTTP.
func (b *bench) manifest(ctx context.Context, repo, ref string) (m manifest, dgst digest.Digest, err error) {
	url := fmt.Sprintf("http://%s/v2/%s/manifests/%s", b.registry, repo, ref)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return m, "", err
	}
	req.Header.Add("Accept", ocispecs.MediaTypeImageIndex)
	req.Header.Add("Accept", ocispecs.MediaTypeImageManifest)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return m, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return m, "", err
	}
	if resp.StatusCode != http.StatusOK {
		return m, "", fmt.Errorf("%s: %s", url, resp.Status)
	}
	err = json.Unmarshal(data, &m)
	return m, digest.FromBytes(data), err
}
