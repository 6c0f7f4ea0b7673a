package frontend

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"golang.org/x/tools/txtar"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// described returns what the frontend says that it serves.
func described(t *testing.T) []subrequests.Request {
	t.Helper()
	res, err := Build(t.Context(), hello(t, "requestid="+subrequests.RequestSubrequestsDescribe))
	if err != nil {
		t.Fatal(err)
	}
	var list []subrequests.Request
	if err := json.Unmarshal(res.Metadata["result.json"], &list); err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if name := strings.TrimPrefix(r.Name, "frontend."); !strings.Contains(string(res.Metadata["result.txt"]), "\n"+name+" ") {
			t.Errorf("the text has no line for %s", name)
		}
	}
	return list
}

// TestDescribe checks that every subrequest that is listed is served: with the
// version and the results that the list promises, and with no image.
func TestDescribe(t *testing.T) {
	list := described(t)
	for i, r := range list {
		t.Run(r.Name, func(t *testing.T) {
			if r.Type != subrequests.TypeRPC || r.Description == "" || strings.Contains(r.Description, "Dockerfile") {
				t.Errorf("got type %q and description %q, want a request and words on a spec", r.Type, r.Description)
			}
			if slices.ContainsFunc(list[:i], func(o subrequests.Request) bool { return o.Name == r.Name }) {
				t.Error("the name is listed twice")
			}
			res, err := Build(t.Context(), hello(t, "requestid="+r.Name))
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(res.Metadata["result.json"]) || string(res.Metadata["version"]) != r.Version {
				t.Errorf("got version %s of %s, want version %s", res.Metadata["version"], res.Metadata["result.json"], r.Version)
			}
			for _, md := range r.Metadata {
				if _, ok := res.Metadata[md.Name]; !ok {
					t.Errorf("got no %s, which is promised", md.Name)
				}
			}
			if res.Ref != nil || len(res.Refs) > 0 {
				t.Error("got an image, want an answer only")
			}
		})
	}
}

// TestDescribeAll checks that every subrequest that is served is listed: those
// of our own, and those for which dockerui has a handler of ours.
func TestDescribeAll(t *testing.T) {
	handlers := map[string]string{
		"Outline":     outline.RequestSubrequestsOutline,
		"ListTargets": targets.RequestTargets,
		"Lint":        lint.RequestLint,
		"ConvertLLB":  convertllb.RequestConvertLLB,
	}
	want := []string{subrequests.RequestSubrequestsDescribe, requestPlan, requestSchema, requestSize}
	v := reflect.ValueOf((&build{}).requests())
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case f.Type.Kind() == reflect.Bool:
			if v.Field(i).Bool() {
				t.Errorf("%s is set: a subrequest that nobody knows would build", f.Name)
			}
		case handlers[f.Name] == "":
			t.Errorf("dockerui has a new kind of subrequest: %s", f.Name)
		case !v.Field(i).IsNil():
			want = append(want, handlers[f.Name])
		}
	}
	var got []string
	for _, r := range described(t) {
		got = append(got, r.Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-served +listed:\n%s", diff)
	}
}

// TestUnknownSubrequest checks that other subrequests are refused in the way
// that clients understand, and that nothing is built for them.
func TestUnknownSubrequest(t *testing.T) {
	for _, name := range []string{"", "frontend.nothing", "frontend.gopherfile", "frontend.gopherfile.", "frontend.gopherfile.plans", "gopherfile.plan", "Frontend.Lint"} {
		t.Run(name, func(t *testing.T) {
			f := hello(t, "requestid="+name)
			res, err := Build(t.Context(), f)
			var unsupported *errdefs.UnsupportedSubrequestError
			if res != nil || !errors.As(travel(err), &unsupported) || unsupported.Name != name {
				t.Errorf("got %v and %v, want the error of an unsupported request", res, err)
			}
			if len(f.solves) > 0 {
				t.Errorf("got %q, want no step", f.asked)
			}
		})
	}
}

// TestConvertLLB checks that the graph that is printed is that of the build, as
// a whole: every step with its name and place.
func TestConvertLLB(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []string
		spec string
	}{
		{"one platform", nil, "main: .\n"},
		{"platforms", []string{"platform=linux/amd64,linux/arm64,windows/amd64"}, "main: .\n"},
		{"binaries", []string{"target=binaries", "platform=linux/amd64,linux/arm64"}, "main: .\n"},
		{"test", []string{"target=test"}, "main: .\n"},
		{"generate", []string{"platform=linux/amd64,linux/arm64"}, "generate:\n  - run: go generate ./...\n    network: default\n"},
		{"files and base", []string{"context:assets=local:assets"}, "image:\n  from: golang:1.26-alpine\n  files:\n    - from: context:assets/dist\n      to: /srv/\n"},
		{"no rootfs", nil, "image: {certs: false, tzdata: false, passwd: false, tmp: false}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := func(opts ...string) *fake {
				return helloSpec(t, tt.spec, append(opts, tt.opts...)...)
			}
			built := start()
			if _, err := Build(t.Context(), built); err != nil {
				t.Fatal(err)
			}
			asked := start("requestid=" + convertllb.RequestConvertLLB)
			res, err := Build(t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Def      map[digest.Digest]json.RawMessage
				Metadata map[digest.Digest]bkllb.OpMetadata
				Source   json.RawMessage
			}
			if err := json.Unmarshal(res.Metadata["result.json"], &got); err != nil {
				t.Fatal(err)
			}
			var source pb.Source
			if err := protojson.Unmarshal(got.Source, &source); err != nil {
				t.Fatal(err)
			}
			steps := 0
			for _, req := range built.solves {
				ops, _, err := parse(req.Definition)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range ops {
					steps++
					name := req.Definition.Metadata[v.digest].Description["llb.customname"]
					var op pb.Op
					if err := protojson.Unmarshal(got.Def[digest.Digest(v.digest)], &op); err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					if !proto.Equal(v.op, &op) {
						t.Errorf("%s: got %v, want %v", name, &op, v.op)
					}
					if md := got.Metadata[digest.Digest(v.digest)]; md.Description["llb.customname"] != name {
						t.Errorf("%s: got metadata %v", name, md)
					}
					if len(source.Locations[v.digest].GetLocations()) == 0 && len(req.Definition.Source.Locations[v.digest].GetLocations()) > 0 {
						t.Errorf("%s has no place", name)
					}
				}
			}
			if steps == 0 || len(source.Infos) == 0 {
				t.Errorf("got %d steps and %d files, want some", steps, len(source.Infos))
			}
		})
	}
}

// helloSpec is hello with another spec.
func helloSpec(t *testing.T, text string, opts ...string) *fake {
	t.Helper()
	return newFake(t, &txtar.Archive{Files: []txtar.File{
		{Name: "Gopherfile.yaml", Data: []byte(text)},
		{Name: "context/go.mod", Data: []byte("module example.com/hello\n\ngo 1.26.0\n\nrequire example.com/dep v1.0.0\n")},
		{Name: "context/main.go", Data: []byte("package main\n\nimport _ \"example.com/dep\"\n\nfunc main() {}\n")},
		{Name: "assets.d/dist/index.html", Data: []byte("<p>\n")},
		{Name: "opts", Data: []byte("filename=Gopherfile.yaml\n" + strings.Join(opts, "\n"))},
	}})
}

// TestSchemaRequest checks that the schema is that of the command, as it is.
func TestSchemaRequest(t *testing.T) {
	res, err := Build(t.Context(), hello(t, "requestid="+requestSchema))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"result.json", "result.txt"} {
		if !bytes.Equal(res.Metadata[name], spec.Schema()) {
			t.Errorf("%s is not the schema", name)
		}
	}
}

// TestPlanRequest checks that the plan as JSON loses nothing that the text has,
// and that it has the same bytes every time, whoever else asks.
func TestPlanRequest(t *testing.T) {
	const requests = 8
	answers := make([]map[string][]byte, requests)
	var wg sync.WaitGroup
	for i := range requests {
		f := hello(t, "requestid="+requestPlan, "platform=linux/amd64,linux/arm64", "label:a=1", "label:b=2", "label:c=3")
		wg.Go(func() {
			res, err := Build(t.Context(), f)
			if err != nil {
				t.Error(err)
				return
			}
			answers[i] = res.Metadata
		})
	}
	wg.Wait()
	for i := range answers {
		if diff := cmp.Diff(answers[0], answers[i]); diff != "" {
			t.Errorf("-first +other:\n%s", diff)
		}
	}
	var p plan.Plan
	if err := json.Unmarshal(answers[0]["result.json"], &p); err != nil {
		t.Fatal(err)
	}
	// Pointers to the same download become several.
	for i := range p.Targets {
		p.Targets[i].Binaries[0].Modules = p.Targets[0].Binaries[0].Modules
	}
	var text strings.Builder
	if err := p.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(answers[0]["result.txt"]), text.String()); diff != "" {
		t.Errorf("-text +text of the JSON:\n%s", diff)
	}
}
