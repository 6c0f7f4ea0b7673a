package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Where the parts of a builder image are asked for.
const (
	builderManifest = `^\w+ /v2/faults/builder/manifests/`
	anyUpload       = `^(POST|PUT|PATCH) /v2/faults/app\d+/blobs/uploads/`
	anyManifest     = `^PUT /v2/faults/app\d+/manifests/`
)

// registryBreaks makes the registry answer some requests with a fault.
func registryBreaks(pattern string, a answer) func(context.Context, *world) error {
	return func(_ context.Context, w *world) error {
		w.registry.breaks(w.registry.on(path(pattern), a))
		return nil
	}
}

// layerBreaks does so for the layer that no other builder image has.
func layerBreaks(a answer) func(context.Context, *world) error {
	return func(_ context.Context, w *world) error {
		w.registry.breaks(w.registry.on(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/blobs/"+w.layer.String()) }, a))
		return nil
	}
}

// layerHangs makes that layer not arrive until the registry is healed.
func layerHangs(ctx context.Context, w *world) error { return layerBreaks(w.registry.hang)(ctx, w) }

// configBreaks does so for the image config of the builder.
func configBreaks(a answer) func(context.Context, *world) error {
	return func(_ context.Context, w *world) error {
		w.registry.breaks(w.registry.on(func(r *http.Request) bool {
			return strings.HasPrefix(r.URL.Path, buildersPath+"blobs/") && !strings.HasSuffix(r.URL.Path, w.layer.String())
		}, a))
		return nil
	}
}

// builderFaults are about the registry of the builder image.
func builderFaults() []fault {
	const group = "The registry of the builder image"
	const image = `no builder image REGISTRY/golang:1.26-alpine: .*`
	return list{
		{name: "refuses connections, also for the frontend's image", want: `(?i)connection refused`, before: func(_ context.Context, w *world) error { return w.registry.stop() }},
		{name: "cuts connections", want: image, met: true, before: registryBreaks(builderManifest, reset)},
		{name: "does not answer", want: image + `no answer`, met: true, limit: 5 * time.Minute, before: func(_ context.Context, w *world) error {
			w.registry.breaks(w.registry.on(path(builderManifest), w.registry.hang))
			return nil
		}},
		{name: "answers with a manifest that is none", remedy: collected, want: image, met: true, quick: true, before: registryBreaks(`^GET /v2/faults/builder/manifests/`, changed(garbage, false))},
		{name: "answers with an image config that is none", remedy: collected, want: image, met: true, before: configBreaks(changed(garbage, false))},
		{name: "answers 401", want: image, met: true, before: registryBreaks(builderManifest, denied(401, "UNAUTHORIZED"))},
		{name: "answers 403", want: image, met: true, before: registryBreaks(builderManifest, denied(403, "DENIED"))},
		{name: "answers 404", want: image + `not found`, met: true, before: registryBreaks(builderManifest, denied(404, "MANIFEST_UNKNOWN"))},
		{name: "answers 429", want: image, met: true, before: registryBreaks(builderManifest, denied(429, "TOOMANYREQUESTS"))},
		{name: "answers 500", want: image, met: true, before: registryBreaks(builderManifest, denied(500, "UNKNOWN"))},
		{name: "does not have a layer", want: `not found`, met: true, before: layerBreaks(denied(404, "BLOB_UNKNOWN"))},
		{name: "answers 500 for a layer", want: `500`, met: true, before: layerBreaks(denied(500, "UNKNOWN"))},
		{name: "sends half of a layer and cuts the connection", want: `EOF|reset|short|unexpected`, met: true, before: layerBreaks(changed(half, true))},
		{name: "sends a shorter layer", want: `size|EOF|digest|length`, met: true, before: layerBreaks(changed(half, false))},
		{name: "sends another layer", remedy: collected, want: `digest`, met: true, quick: true, before: layerBreaks(changed(garbage, false))},
		{name: "sends a layer slowly", works: true, toRegistry: true, met: true, before: layerBreaks(slow(5 * time.Second))},
	}.in(group)
}

// collected makes the daemon look for what nobody needs any more.
func collected(ctx context.Context, w *world) error {
	cmd := exec.CommandContext(ctx, "docker", "buildx", "prune", "--force", "--filter", "until=1000h")
	cmd.Env = w.env()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("buildx prune: %w\n%s", err, out)
	}
	return nil
}

// list is faults of one group.
type list []fault

func (l list) in(group string) []fault {
	for i := range l {
		l[i].group = group
	}
	return l
}

// pushFaults are about the registry that an image is pushed to.
func pushFaults() []fault {
	var b []fault
	for _, f := range []fault{
		{name: "answers 401", want: `401|(?i)unauthorized|authorization`, before: registryBreaks(anyUpload, denied(401, "UNAUTHORIZED"))},
		{name: "answers 403", want: `403|(?i)denied|forbidden`, quick: true, before: registryBreaks(anyUpload, denied(403, "DENIED"))},
		{name: "answers 500 to a layer", want: `failed to push .*said by the fault with 500`, before: registryBreaks(anyUpload, denied(500, "UNKNOWN"))},
		{name: "answers 500 to the manifest", want: `failed to push .*said by the fault with 500`, before: registryBreaks(anyManifest, denied(500, "UNKNOWN"))},
		{name: "answers 429 to the manifest", want: `failed to push .*said by the fault with 429`, before: registryBreaks(anyManifest, denied(429, "TOOMANYREQUESTS"))},
		{name: "cuts the connection in the middle of a layer", want: `EOF|reset|pipe|closed`, before: registryBreaks(`^(PUT|PATCH) /v2/faults/app\d+/blobs/uploads/`, cutUpload)},
		{name: "cuts the connection at the manifest", want: `EOF|reset|pipe|closed`, before: registryBreaks(anyManifest, reset)},
		{name: "refuses connections from then on", at: stepPush, want: `refused|reset|EOF`,
			before: uploadsHang,
			then:   func(w *world, _ *running) error { return w.registry.stop() }},
	} {
		f.group, f.toRegistry = "The registry that is pushed to", true
		f.met = f.then == nil
		b = append(b, f)
	}
	return b
}

// The cache that builds import, and requests for its parts.
const (
	cacheRepo     = "faults/cache"
	cacheManifest = `^\w+ /v2/faults/cache/manifests/`
)

// exported writes the cache of a build to the registry, and makes the daemon
// forget the outputs of its steps.
func exported(ctx context.Context, w *world) error {
	ref := w.registry.addr + "/" + cacheRepo + ":1"
	if err := w.works(ctx, request{cacheFrom: ref, cacheTo: ref}); err != nil {
		return err
	}
	return w.prune(ctx)
}

// importBreaks is exported, and then a registry with a fault.
func importBreaks(pattern string, a answer) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		if err := exported(ctx, w); err != nil {
			return err
		}
		return registryBreaks(pattern, a)(ctx, w)
	}
}

// blobBreaks does so for the config of the cache, or for its layers.
func blobBreaks(config bool, a answer) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		if err := exported(ctx, w); err != nil {
			return err
		}
		body, _, code, err := fetch(ctx, http.MethodGet, "http://"+w.registry.upstream+"/v2/"+cacheRepo+"/manifests/1", http.Header{"Accept": {ocispecs.MediaTypeImageManifest}})
		if err != nil || code != http.StatusOK {
			return errors.Join(err, fmt.Errorf("the manifest of the cache: status %d", code))
		}
		var m ocispecs.Manifest
		if err := json.Unmarshal(body, &m); err != nil {
			return err
		}
		w.registry.breaks(w.registry.on(func(r *http.Request) bool {
			return strings.HasPrefix(r.URL.Path, "/v2/"+cacheRepo+"/blobs/") && strings.HasSuffix(r.URL.Path, m.Config.Digest.String()) == config
		}, a))
		return nil
	}
}

// importFaults are about a cache that is imported or exported.
func importFaults() []fault {
	all := []fault{
		{name: "the cache is not there", works: true, before: registryBreaks(cacheManifest, denied(404, "MANIFEST_UNKNOWN"))},
		{name: "its registry answers 500", works: true, before: registryBreaks(cacheManifest, denied(500, "UNKNOWN"))},
		{name: "its manifest is none", works: true, quick: true, before: importBreaks(`^GET /v2/faults/cache/manifests/`, changed(garbage, false))},
		{name: "its config is none", works: true, before: blobBreaks(true, changed(garbage, false))},
		{name: "its layers are not there", works: true, before: blobBreaks(false, denied(404, "BLOB_UNKNOWN"))},
		{name: "its layers are cut short", works: true, before: blobBreaks(false, changed(half, true))},
	}
	for i := range all {
		all[i].imports = true
		all[i].group, all[i].met, all[i].toRegistry = "A cache is imported", true, true
	}
	return all
}
