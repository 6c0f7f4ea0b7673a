package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httputil"
	"regexp"
	"strings"
)

// errNotFound is what an assembler returns for a tag that no image can have.
var errNotFound = errors.New("no such image")

// assembler makes the images of one repository.
type assembler interface {
	// image makes sure that the registry has the image for the tag, and
	// returns the tag under which it is there.
	image(ctx context.Context, tag string) (string, error)
}

// hub is the registry's proxy.
type hub struct {
	store *store
	proxy *httputil.ReverseProxy
	// images holds an assembler for each repository that has one.
	images map[string]assembler
}

func newHub(st *store) *hub {
	return &hub{
		store: st,
		proxy: &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Scheme, r.Out.URL.Host = "http", "registry"
				r.Out.Host = r.In.Host
			},
			Transport:     st.transport,
			FlushInterval: -1,
		},
	}
}

// manifestPath matches a request for a manifest by tag. A digest has a colon,
// which a tag cannot have.
var manifestPath = regexp.MustCompile(`^/v2/(.+)/manifests/([\w][\w.-]{0,127})$`)

// ServeHTTP passes requests on to the registry. One for an image that the
// registry lacks, and that can be assembled, is answered with what is
// assembled. So an image that was pushed under such a name goes first.
func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		fmt.Fprintln(w, "ok")
		return
	}
	if m := manifestPath.FindStringSubmatch(r.URL.Path); m != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		repo, tag := m[1], m[2]
		stored, err := h.stored(r.Context(), repo, tag)
		if err != nil {
			log.Printf("%s:%s: %v", repo, tag, err)
			refuse(w, err)
			return
		}
		r.URL.Path = strings.TrimSuffix(r.URL.Path, tag) + stored
		r.URL.RawPath = ""
	}
	h.proxy.ServeHTTP(w, r)
}

// stored returns the tag under which the registry has the image for repo:tag.
// It is the same tag if the registry has that, or if nobody has.
func (h *hub) stored(ctx context.Context, repo, tag string) (string, error) {
	images := h.images[repo]
	if images == nil {
		return tag, nil
	}
	if ok, err := h.store.has(ctx, repo, tag); ok || err != nil {
		return tag, err
	}
	stored, err := images.image(ctx, tag)
	if errors.Is(err, errNotFound) {
		log.Printf("%s:%s: %v", repo, tag, err)
		return tag, nil
	}
	return stored, err
}

// refuse answers with an error in the form of the distribution specification.
func refuse(w http.ResponseWriter, err error) {
	type item struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	body := struct {
		Errors []item `json:"errors"`
	}{[]item{{"UNAVAILABLE", err.Error()}}}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadGateway)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}
