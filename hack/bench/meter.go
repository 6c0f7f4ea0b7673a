package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// measured is where the benchmark's own images and caches are: in a registry of
// their own, which is deleted with the benchmark's folder.
const measured = "measured/"

// meter stands before the registries and counts the bytes that pass.
type meter struct {
	mu sync.Mutex
	// pulled is by repository.
	pulled map[string]int64
	pushed int64

	hub, own *httputil.ReverseProxy
}

// newMeter leads to the hub at an address, and to our own registry.
func newMeter(hub, own string, ownTransport http.RoundTripper) *meter {
	m := &meter{pulled: map[string]int64{}}
	m.hub = m.proxy(hub, &http.Transport{DisableCompression: true})
	m.own = m.proxy(own, ownTransport)
	return m
}

func (m *meter) proxy(host string, rt http.RoundTripper) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", host
			r.Out.Host = r.In.Host
			if r.Out.ContentLength != 0 { // a body in disguise would be sent where there is none
				r.Out.Body = &counted{ReadCloser: r.Out.Body, add: m.push}
			}
		},
		ModifyResponse: func(resp *http.Response) error {
			repo := repository(resp.Request.URL.Path)
			resp.Body = &counted{ReadCloser: resp.Body, add: func(n int64) { m.pull(repo, n) }}
			return nil
		},
		Transport:     rt,
		FlushInterval: -1,
	}
}

func (m *meter) pull(repo string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pulled[repo] += n
}

func (m *meter) push(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pushed += n
}

// ServeHTTP implements http.Handler.
func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(repository(r.URL.Path), measured) {
		m.own.ServeHTTP(w, r)
		return
	}
	m.hub.ServeHTTP(w, r)
}

var contentPath = regexp.MustCompile(`^/v2/(.+)/(?:blobs|manifests|tags|referrers)/`)

// repository is the one that a path of the registry's protocol names.
func repository(path string) string {
	if found := contentPath.FindStringSubmatch(path); found != nil {
		return found[1]
	}
	return ""
}

// traffic is what passed.
type traffic struct {
	pulled map[string]int64
	pushed int64
}

// reset returns what passed since the last reset.
func (m *meter) reset() traffic {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := traffic{m.pulled, m.pushed}
	m.pulled, m.pushed = map[string]int64{}, 0
	return t
}

// of adds up what was pulled from repositories whose name starts so.
func (t traffic) of(prefix string) int64 {
	var sum int64
	for repo, n := range t.pulled {
		if strings.HasPrefix(repo, prefix) {
			sum += n
		}
	}
	return sum
}

// counted tells how much is read.
type counted struct {
	io.ReadCloser
	add func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.add(int64(n))
	return n, err
}

// startRegistry starts our own registry, on a socket, and returns the way to it.
func startRegistry(ctx context.Context, dir, socket string) (*process, http.RoundTripper, error) {
	config := filepath.Join(dir, "registry.yaml")
	text := fmt.Sprintf("version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: %q\n"+
		"  cache:\n    blobdescriptor: inmemory\nhttp:\n  net: unix\n  addr: %q\n  relativeurls: true\n", filepath.Join(dir, "registry"), socket)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, nil, err
	}
	p, err := startProcess(filepath.Join(dir, "registry.log"), "registry", "serve", config)
	if err != nil {
		return nil, nil, err
	}
	rt := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	err = p.wait(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://registry/v2/", nil)
		if err != nil {
			return err
		}
		resp, err := rt.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	})
	return p, rt, err
}
