package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fake is a contender that writes down what it is told to do.
type fake struct {
	label, version, why string
	log                 *[]string
	fail                bool
}

func (f *fake) name() string                     { return f.label }
func (f *fake) unable(scenario, *project) string { return f.why }
func (f *fake) setup(*project) string            { return f.version }
func (f *fake) open(context.Context) (builder, error) {
	*f.log = append(*f.log, f.label+" open")
	return &fakeBuilder{f}, nil
}

type fakeBuilder struct{ *fake }

func (b *fakeBuilder) close() error {
	*b.log = append(*b.log, b.label+" close")
	return nil
}

func (b *fakeBuilder) build(_ context.Context, j job) (outcome, error) {
	what := b.label + " build"
	if j.cacheFrom != "" {
		what += " from " + j.cacheFrom
	}
	if j.cacheTo != "" {
		what += " to " + j.cacheTo
	}
	*b.log = append(*b.log, what)
	if b.fail {
		return outcome{}, errors.New("it broke")
	}
	// b is what was changed, and the others are always the same images.
	return outcome{seconds: 1, digests: map[string]string{"a": "1", "b": fmt.Sprint("b", len(*b.log)), "c": "3"}}, nil
}

// fakeSuite has a registry with one manifest for everything.
func fakeSuite(t *testing.T, file string, log *[]string, runs int) (*suite, *project) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"config":{"size":1},"layers":[{"size":10,"digest":"sha256:1"}]}`)
	}))
	t.Cleanup(srv.Close)
	var text strings.Builder
	e := &environment{registry: srv.Listener.Addr().String(), meter: newMeter("", "", nil), log: &text}
	s := &suite{env: e, store: open(t, file), runs: runs, contenders: []contender{
		&fake{label: "x", version: "1", log: log}, &fake{label: "y", version: "1", log: log}, &fake{label: "z", why: "too slow", log: log},
	}}
	p := &project{
		program: program{name: "p", edited: "./b"}, tree: newTree(t.TempDir()), release: "1.26",
		binaries: []binary{{"a", "./a"}, {"b", "./b"}, {"c", "./c"}},
	}
	return s, p
}

// during makes a scenario that writes down when it changes the tree, and fails
// if it is changed already.
func during(log *[]string, sc scenario) scenario {
	sc.change = func(_ context.Context, p *project, run int) error {
		*log = append(*log, fmt.Sprintf("change %d", run))
		if _, err := os.Stat(filepath.Join(p.tree.dir, "changed")); err == nil {
			return errors.New("the last change is still there")
		}
		return p.tree.write("changed", nil)
	}
	return sc
}

func TestEmptyAlternatesAndResumes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.jsonl")
	var log []string
	s, p := fakeSuite(t, file, &log, 2)
	sc := during(&log, scenario{name: "cold", empty: true})
	if err := s.empty(t.Context(), sc, p); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"change 1", "x open", "x build", "x close", "y open", "y build", "y close",
		"change 2", "y open", "y build", "y close", "x open", "x build", "x close",
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if list := s.store.of("cold", "p", "z"); len(list) != 1 || list[0].Unable != "too slow" {
		t.Errorf("of the contender that cannot there is %+v", list)
	}

	log = nil
	s, p = fakeSuite(t, file, &log, 3)
	if err := s.empty(t.Context(), sc, p); err != nil {
		t.Fatal(err)
	}
	if want := []string{"change 3", "x open", "x build", "x close", "y open", "y build", "y close"}; !cmp.Equal(want, log) {
		t.Errorf("with two runs there already: %q, want %q", log, want)
	}

	log = nil
	s, p = fakeSuite(t, file, &log, 1)
	s.contenders[0].(*fake).version = "2"
	if err := s.empty(t.Context(), sc, p); err != nil {
		t.Fatal(err)
	}
	if want := []string{"change 1", "x open", "x build", "x close"}; !cmp.Equal(want, log) {
		t.Errorf("with another frontend: %q, want %q", log, want)
	}
	if list := s.store.of("cold", "p", "x"); len(list) != 1 {
		t.Errorf("%d results of x, want 1: those of the other frontend do not count", len(list))
	}
}

func TestImportsFillOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.jsonl")
	for i, want := range []string{
		"x open; x build from R/measured/cache-p-x:1 to R/measured/cache-p-x:1; x close; change 1; x open; x build from R/measured/cache-p-x:1; x close",
		"change 2; x open; x build from R/measured/cache-p-x:1; x close",
	} {
		var log []string
		s, p := fakeSuite(t, file, &log, i+1)
		s.contenders = s.contenders[:1]
		if err := s.empty(t.Context(), during(&log, scenario{name: "ci-edit", empty: true, imports: true}), p); err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(strings.Join(log, "; "), s.env.registry, "R"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if list := s.store.of(fill, "p", "x"); len(list) != 1 || list[0].CacheBytes != 11 {
			t.Errorf("the export of the cache: %+v, want 11 bytes", list)
		}
	}
}

func TestWarmSharesBuilders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.jsonl")
	var log []string
	s, p := fakeSuite(t, file, &log, 2)
	list := []scenario{during(&log, scenario{name: "noop"}), during(&log, scenario{name: "fleet"})}
	if err := s.warm(t.Context(), list, p); err != nil {
		t.Fatal(err)
	}
	want := "x open; x build; x build; y open; y build; y build; " +
		"change 1; x build; y build; change 2; y build; x build; " +
		"change 1; x build; y build; change 2; y build; x build; "
	if got := strings.Join(log, "; "); !strings.HasPrefix(got, want) || strings.Count(got, "close") != 2 {
		t.Errorf("got  %s\nwant %s… and two that are closed", got, want)
	}
	for _, r := range s.store.of("fleet", "p", "x") {
		if r.Images != 3 || r.Kept != 2 || !strings.HasPrefix(r.Digest, "b") {
			t.Errorf("%d images, %d kept, digest %s; want 3, 2 and that of b", r.Images, r.Kept, r.Digest)
		}
	}

	log = nil
	s, p = fakeSuite(t, file, &log, 2)
	if err := s.warm(t.Context(), list, p); err != nil {
		t.Fatal(err)
	}
	if len(log) > 0 {
		t.Errorf("with all results there: %q, want nothing", log)
	}
}

func TestBuildersAreClosedAfterAFailure(t *testing.T) {
	var log []string
	s, p := fakeSuite(t, filepath.Join(t.TempDir(), "r.jsonl"), &log, 1)
	s.contenders[1].(*fake).fail = true
	err := s.warm(t.Context(), []scenario{during(&log, scenario{name: "noop"})}, p)
	if err == nil || !strings.Contains(err.Error(), "it broke") {
		t.Errorf("error %v", err)
	}
	if got := strings.Join(log, " "); strings.Count(got, "open") != 2 || strings.Count(got, "close") != 2 {
		t.Errorf("not all that was opened is closed: %s", got)
	}
}
