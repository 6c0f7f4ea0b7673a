package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// goTag is the builder image that the others are made of.
const goTag = "1.26-alpine"

// registry stands in front of the registry of hack/builder. It has one more
// repository, of builder images: each is that of Go with one small layer more,
// so that a build takes nothing from the cache that has the builder in its key.
type registry struct {
	*server
	upstream string
	forward  http.Handler

	mu    sync.Mutex
	base  ocispecs.Manifest
	image ocispecs.Image
	// config is the whole of it: an image has fields that the type does not know.
	config map[string]json.RawMessage
	// tags are manifests, blobs what they are made of.
	tags  map[string][]byte
	blobs map[digest.Digest][]byte
}

// builders is the repository of builder images, buildersPath where it is.
const (
	builders     = "faults/builder"
	buildersPath = "/v2/" + builders + "/"
)

// startRegistry starts a proxy in front of a registry.
func startRegistry(ctx context.Context, upstream string) (*registry, error) {
	r := &registry{upstream: upstream, tags: map[string][]byte{}, blobs: map[digest.Digest][]byte{}}
	target := &url.URL{Scheme: "http", Host: upstream}
	r.forward = &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) },
		// A client that is killed on purpose is no news.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	if err := r.readBase(ctx); err != nil {
		return nil, err
	}
	var err error
	r.server, err = startServer(http.HandlerFunc(r.serve))
	return r, err
}

// readBase reads the image that builders are made of.
func (r *registry) readBase(ctx context.Context) error {
	accept := http.Header{"Accept": {ocispecs.MediaTypeImageIndex, ocispecs.MediaTypeImageManifest}}
	repo := "http://" + r.upstream + "/v2/library/golang/"
	ref := goTag
	for range 2 {
		body, _, code, err := fetch(ctx, http.MethodGet, repo+"manifests/"+ref, accept)
		if err != nil || code != http.StatusOK {
			return errors.Join(err, fmt.Errorf("golang:%s: status %d", ref, code))
		}
		var ix ocispecs.Index
		if err := errors.Join(json.Unmarshal(body, &ix), json.Unmarshal(body, &r.base)); err != nil {
			return err
		}
		for _, m := range ix.Manifests {
			if m.Platform != nil && m.Platform.OS == "linux" && m.Platform.Architecture == runtime.GOARCH {
				ref = m.Digest.String()
			}
		}
	}
	body, _, _, err := fetch(ctx, http.MethodGet, repo+"blobs/"+r.base.Config.Digest.String(), nil)
	if err != nil {
		return err
	}
	return errors.Join(json.Unmarshal(body, &r.config), json.Unmarshal(body, &r.image))
}

// builder makes a builder image that nobody has seen, and returns its name
// and the digest of the layer that no other has.
func (r *registry) builder() (ref string, layer digest.Digest, err error) {
	tag := fmt.Sprintf("b%d", time.Now().UnixNano())
	var plain, packed bytes.Buffer
	tw := tar.NewWriter(&plain)
	err = errors.Join(
		tw.WriteHeader(&tar.Header{Name: "etc/gopherfile-faults", Mode: 0o644, Size: int64(len(tag))}),
		write(tw, tag), tw.Close())
	if err != nil {
		return "", "", err
	}
	zw := gzip.NewWriter(&packed)
	if err := errors.Join(write(zw, plain.String()), zw.Close()); err != nil {
		return "", "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rootfs := r.image.RootFS
	rootfs.DiffIDs = append(rootfs.DiffIDs[:len(rootfs.DiffIDs):len(rootfs.DiffIDs)], digest.FromBytes(plain.Bytes()))
	history := r.image.History
	history = append(history[:len(history):len(history)], ocispecs.History{CreatedBy: tag})
	config := map[string]any{}
	for name, value := range r.config {
		config[name] = value
	}
	config["rootfs"], config["history"] = rootfs, history
	configText, err := json.Marshal(config)
	if err != nil {
		return "", "", err
	}
	m := ocispecs.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispecs.MediaTypeImageManifest}
	m.Config = r.keep(ocispecs.MediaTypeImageConfig, configText)
	m.Layers = append(r.base.Layers[:len(r.base.Layers):len(r.base.Layers)], r.keep(ocispecs.MediaTypeImageLayerGzip, packed.Bytes()))
	text, err := json.Marshal(m)
	if err != nil {
		return "", "", err
	}
	r.tags[tag], r.tags[digest.FromBytes(text).String()] = text, text
	return r.addr + "/" + builders + ":" + tag, m.Layers[len(m.Layers)-1].Digest, nil
}

// keep makes a blob known. The registry is locked.
func (r *registry) keep(mediaType string, data []byte) ocispecs.Descriptor {
	d := digest.FromBytes(data)
	r.blobs[d] = bytes.Clone(data)
	return ocispecs.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
}

// serve answers for the builders, and lets the real registry answer for the
// rest.
func (r *registry) serve(w http.ResponseWriter, req *http.Request) {
	what, ok := strings.CutPrefix(req.URL.Path, buildersPath)
	if !ok {
		// Every layer is uploaded, also one that another repository has.
		if query := req.URL.Query(); query.Has("mount") {
			query.Del("mount")
			query.Del("from")
			req.URL.RawQuery = query.Encode()
		}
		r.forward.ServeHTTP(w, req)
		return
	}
	r.mu.Lock()
	manifest := r.tags[strings.TrimPrefix(what, "manifests/")]
	blob := r.blobs[digest.Digest(strings.TrimPrefix(what, "blobs/"))]
	r.mu.Unlock()
	switch {
	case manifest != nil:
		w.Header().Set("Content-Type", ocispecs.MediaTypeImageManifest)
		w.Header().Set("Docker-Content-Digest", digest.FromBytes(manifest).String())
		http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(manifest))
	case blob != nil:
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(blob))
	default:
		req.URL.Path = "/v2/library/golang/" + what
		r.forward.ServeHTTP(w, req)
	}
}

// digest is what a tag of the real registry means, "" when there is none.
func (r *registry) digest(ctx context.Context, repo, tag string) (digest.Digest, error) {
	accept := http.Header{"Accept": {ocispecs.MediaTypeImageIndex, ocispecs.MediaTypeImageManifest}}
	_, header, code, err := fetch(ctx, http.MethodHead, "http://"+r.upstream+"/v2/"+repo+"/manifests/"+tag, accept)
	switch {
	case err != nil:
		return "", err
	case code == http.StatusNotFound:
		return "", nil
	case code != http.StatusOK:
		return "", fmt.Errorf("%s:%s: status %d", repo, tag, code)
	}
	return digest.Digest(header.Get("Docker-Content-Digest")), nil
}

// path matches requests by method and path.
func path(pattern string) func(*http.Request) bool {
	re := regexp.MustCompile(pattern)
	return func(r *http.Request) bool { return re.MatchString(r.Method + " " + r.URL.Path) }
}

// old makes a tag mean something, before it is pushed to, and returns what.
func (r *registry) old(ctx context.Context, repo, tag string) (digest.Digest, error) {
	base := "http://" + r.upstream + "/v2/" + repo
	put := func(method, url, mediaType string, data []byte) (http.Header, error) {
		req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", mediaType)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			return nil, fmt.Errorf("%s %s: %s", method, url, resp.Status)
		}
		return resp.Header, nil
	}
	config := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`)
	d := ocispecs.Descriptor{MediaType: ocispecs.MediaTypeImageConfig, Digest: digest.FromBytes(config), Size: int64(len(config))}
	header, err := put(http.MethodPost, base+"/blobs/uploads/", "", nil)
	if err != nil {
		return "", err
	}
	to, err := url.Parse(header.Get("Location"))
	if err != nil {
		return "", err
	}
	query := to.Query()
	query.Set("digest", d.Digest.String())
	to.Scheme, to.Host, to.RawQuery = "http", r.upstream, query.Encode()
	if _, err := put(http.MethodPut, to.String(), "application/octet-stream", config); err != nil {
		return "", err
	}
	m := ocispecs.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispecs.MediaTypeImageManifest, Config: d, Layers: []ocispecs.Descriptor{}}
	text, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	_, err = put(http.MethodPut, base+"/manifests/"+tag, m.MediaType, text)
	return digest.FromBytes(text), err
}
