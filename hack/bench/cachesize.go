package main

import (
	"context"
	"strings"

	digest "github.com/opencontainers/go-digest"
)

// builderImage is the repository that all contenders take their compiler from.
const builderImage = "library/golang"

// hasCache tells whether the registry still has a cache.
func (e *environment) hasCache(ctx context.Context, ref string) bool {
	_, _, err := e.readManifest(ctx, ref)
	return err == nil
}

// cacheSize adds up the blobs of a cache, and those of them that are layers of
// the builder image.
func (e *environment) cacheSize(ctx context.Context, ref, release string) (all, ofBuilder int64, err error) {
	cache, _, err := e.readManifest(ctx, ref)
	if err != nil {
		return 0, 0, err
	}
	b := &bench{registry: e.registry}
	builder, err := b.imageManifest(ctx, builderImage, release+"-alpine")
	if err != nil {
		return 0, 0, err
	}
	layers := map[digest.Digest]bool{}
	for _, l := range builder.Layers {
		layers[l.Digest] = true
	}
	// A cache is an image, or in its older form an index of blobs.
	for _, l := range append(append(cache.Layers, cache.Manifests...), cache.Config) {
		all += l.Size
		if layers[l.Digest] {
			ofBuilder += l.Size
		}
	}
	return all, ofBuilder, nil
}

func (e *environment) readManifest(ctx context.Context, ref string) (manifest, digest.Digest, error) {
	b := &bench{registry: e.registry}
	return b.manifest(ctx, repositoryOf(ref), ref[strings.LastIndexByte(ref, ':')+1:])
}
