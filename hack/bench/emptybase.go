package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// pushEmptyBase pushes an image with nothing in it, for platforms: what FROM
// scratch is to others.
func (e *environment) pushEmptyBase(ctx context.Context, repo string, platforms []string) error {
	index := ocispecs.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispecs.MediaTypeImageIndex}
	for _, name := range platforms {
		fields := append(strings.Split(name, "/"), "")
		p := ocispecs.Platform{OS: fields[0], Architecture: fields[1], Variant: fields[2]}
		config := ocispecs.Image{Platform: p, RootFS: ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{}}}
		configDesc, err := e.pushBlob(ctx, repo, ocispecs.MediaTypeImageConfig, config)
		if err != nil {
			return err
		}
		m := ocispecs.Manifest{
			Versioned: index.Versioned, MediaType: ocispecs.MediaTypeImageManifest,
			Config: configDesc, Layers: []ocispecs.Descriptor{},
		}
		desc, err := e.pushManifest(ctx, repo, "", m.MediaType, m)
		if err != nil {
			return err
		}
		desc.Platform = &p
		index.Manifests = append(index.Manifests, desc)
	}
	_, err := e.pushManifest(ctx, repo, "latest", index.MediaType, index)
	return err
}

func (e *environment) pushBlob(ctx context.Context, repo, mediaType string, content any) (ocispecs.Descriptor, error) {
	desc, data, err := describe(mediaType, content)
	if err != nil {
		return desc, err
	}
	resp, err := e.send(ctx, http.MethodPost, "/v2/"+repo+"/blobs/uploads/", "", nil)
	if err != nil {
		return desc, err
	}
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		return desc, err
	}
	q := to.Query()
	q.Set("digest", desc.Digest.String())
	_, err = e.send(ctx, http.MethodPut, to.Path+"?"+q.Encode(), "application/octet-stream", data)
	return desc, err
}

func (e *environment) pushManifest(ctx context.Context, repo, tag, mediaType string, content any) (ocispecs.Descriptor, error) {
	desc, data, err := describe(mediaType, content)
	if err != nil {
		return desc, err
	}
	if tag == "" {
		tag = desc.Digest.String()
	}
	_, err = e.send(ctx, http.MethodPut, "/v2/"+repo+"/manifests/"+tag, mediaType, data)
	return desc, err
}

func describe(mediaType string, content any) (ocispecs.Descriptor, []byte, error) {
	data, err := json.Marshal(content)
	return ocispecs.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}, data, err
}

// send makes a request to the registry. The body of the answer is not wanted.
func (e *environment) send(ctx context.Context, method, path, mediaType string, data []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+e.registry+path, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body) // error ignored: it is there to explain another one
	if resp.StatusCode >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s %s: %s %s", method, path, resp.Status, text)
	}
	return resp, nil
}
