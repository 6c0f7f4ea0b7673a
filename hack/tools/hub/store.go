package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/singleflight"
)

// store is the registry behind the hub.
type store struct {
	transport *http.Transport
	tmp       string
	// flights keeps requests for the same image from making it twice.
	flights *singleflight.Group
}

// newStore returns the registry that listens on a unix socket. Layers are in
// the folder tmp while they are made.
func newStore(socket, tmp string) *store {
	return &store{
		transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			},
			MaxIdleConnsPerHost: 16,
		},
		tmp:     tmp,
		flights: new(singleflight.Group),
	}
}

// has tells whether the registry has an image.
func (s *store) has(ctx context.Context, repo, tag string) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, "http://registry/v2/"+repo+"/manifests/"+tag, nil)
	if err != nil {
		return false, err
	}
	for _, t := range []types.MediaType{types.OCIManifestSchema1, types.OCIImageIndex, types.DockerManifestSchema2, types.DockerManifestList} {
		req.Header.Add("Accept", string(t))
	}
	resp, err := s.transport.RoundTrip(req)
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusNotFound:
		return false, nil
	}
	return false, fmt.Errorf("registry: %s", resp.Status)
}

// ensure makes an image and stores it, unless the registry has it.
func (s *store) ensure(ctx context.Context, repo, tag string, get func(context.Context) (recipe, error)) error {
	// The image is finished for the next one who asks, even if this one is
	// tired of waiting.
	ctx = context.WithoutCancel(ctx)
	_, err, _ := s.flights.Do(repo+":"+tag, func() (any, error) {
		if ok, err := s.has(ctx, repo, tag); ok || err != nil {
			return nil, err
		}
		start := time.Now()
		r, err := get(ctx)
		if err != nil {
			return nil, err
		}
		if err := s.add(ctx, repo, tag, r); err != nil {
			return nil, err
		}
		log.Printf("assembled %s:%s in %v", repo, tag, time.Since(start).Round(time.Millisecond))
		return nil, nil
	})
	return err
}

func (s *store) add(ctx context.Context, repo, tag string, r recipe) error {
	dir, err := os.MkdirTemp(s.tmp, "image-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	index, err := r.build(dir)
	if err != nil {
		return err
	}
	// The name of the host plays no role: the transport knows one way only.
	ref, err := name.NewTag("localhost/"+repo+":"+tag, name.Insecure)
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(ref, index, remote.WithContext(ctx), remote.WithTransport(s.transport)); err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	return nil
}
