package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/frontend/spec"
	"github.com/gopherfile/gopherfile/llb"
)

// The subrequests of our own, as BuildKit names them.
const (
	requestPlan   = "frontend.gopherfile.plan"
	requestSchema = "frontend.gopherfile.schema"
	requestSize   = "frontend.gopherfile.size"
)

// requests answers what a client can ask without building.
func (b *build) requests() dockerui.RequestHandler {
	return dockerui.RequestHandler{Outline: b.outline, ListTargets: b.targets, Lint: b.check, ConvertLLB: b.convertLLB}
}

// served are all subrequests. dockerui's own list leaves out some of them.
func served() []subrequests.Request {
	check, convert := lint.SubrequestLintDefinition, convertllb.SubrequestConvertLLBDefinition
	check.Description, convert.Description = "Lint the spec", "Convert the spec to LLB"
	result := []subrequests.Named{{Name: "result.json"}, {Name: "result.txt"}}
	return []subrequests.Request{
		check,
		outline.SubrequestsOutlineDefinition,
		targets.SubrequestsTargetsDefinition,
		convert,
		{Name: requestPlan, Version: "1.0.0", Type: subrequests.TypeRPC, Description: "Print what would be built, and how", Opts: []subrequests.Named{{Name: "target"}}, Metadata: result},
		{Name: requestSchema, Version: "1.0.0", Type: subrequests.TypeRPC, Description: "Print the JSON schema of the spec", Opts: []subrequests.Named{}, Metadata: result},
		{Name: requestSize, Version: "1.0.0", Type: subrequests.TypeRPC, Description: "Print what the binaries are made of, by module", Opts: []subrequests.Named{{Name: "target"}}, Metadata: result},
		subrequests.SubrequestsDescribeDefinition,
	}
}

// static answers what needs no spec: the list of subrequests, and the schema.
func (b *build) static() (*client.Result, bool, error) {
	switch b.ui.BuildOpts().Opts["requestid"] {
	case subrequests.RequestSubrequestsDescribe:
		dt, err := json.MarshalIndent(served(), "", "  ")
		if err != nil {
			return nil, true, err
		}
		var text bytes.Buffer
		if err := subrequests.PrintDescribe(dt, &text); err != nil {
			return nil, true, err
		}
		return reply(dt, text.Bytes(), subrequests.SubrequestsDescribeDefinition.Version), true, nil
	case requestSchema:
		return reply(spec.Schema(), spec.Schema(), "1.0.0"), true, nil
	}
	return nil, false, nil
}

// reply is a result without references, as a subrequest has it.
func reply(dt, text []byte, version string) *client.Result {
	res := client.NewResult()
	res.AddMeta("result.json", dt)
	res.AddMeta("result.txt", text)
	res.AddMeta("version", []byte(version))
	return res
}

// printPlan answers with the plan: that of --target, or that of all binaries.
func (b *build) printPlan(ctx context.Context) (*client.Result, bool, error) {
	if b.ui.BuildOpts().Opts["requestid"] != requestPlan {
		return nil, false, nil
	}
	if err := b.resolve(ctx, b.ui.Target == ""); err != nil {
		return nil, true, err
	}
	dt, err := json.MarshalIndent(b.plan, "", "  ")
	if err != nil {
		return nil, true, err
	}
	var text bytes.Buffer
	err = b.plan.WriteText(&text)
	return reply([]byte(redact.Text(string(dt))+"\n"), text.Bytes(), "1.0.0"), true, err
}

// convertLLB answers with the graph of all platforms.
func (b *build) convertLLB(ctx context.Context) (*convertllb.Result, error) {
	if err := b.resolve(ctx, false); err != nil {
		return nil, err
	}
	in, err := b.graphInput(ctx, nil)
	if err != nil {
		return nil, err
	}
	out := &convertllb.Result{Def: map[digest.Digest]*pb.Op{}, Metadata: map[digest.Digest]bkllb.OpMetadata{}}
	m := b.marshaler()
	for _, r := range llb.New(b.plan, in).Results {
		def, err := m.Marshal(ctx, r.State)
		if err != nil {
			return nil, fmt.Errorf("marshal the graph: %w", err)
		}
		hideTitles(def)
		for _, dt := range def.Def {
			var op pb.Op
			if err := op.UnmarshalVT(dt); err != nil {
				return nil, fmt.Errorf("read the graph: %w", err)
			}
			out.Def[digest.FromBytes(dt)] = &op
		}
		for dgst, md := range def.Metadata {
			out.Metadata[digest.Digest(dgst)] = bkllb.NewOpMetadata(md)
		}
		if out.Source == nil {
			out.Source = def.Source
		} else {
			maps.Copy(out.Source.Locations, def.Source.Locations)
		}
	}
	return out, nil
}

// targets lists what --target can name.
func (b *build) targets(ctx context.Context) (*targets.List, error) {
	if err := b.resolve(ctx, true); err != nil {
		return nil, err
	}
	list := &targets.List{Sources: [][]byte{b.source.Data}}
	for _, n := range b.plan.Names {
		t := targets.Target{Name: n.Name, Default: n.Default, Base: n.From, Location: location(n.Pos)}
		switch {
		case n.Main != "":
			t.Description = "image with " + n.Main
		case n.Name == plan.TargetBinaries:
			t.Description = "the binaries as files, with checksums"
		case n.Name == plan.TargetTest:
			t.Description = "go test"
		case n.Name == plan.TargetSize:
			t.Description = "what the binaries are made of, by module"
		case n.Name == plan.TargetVuln:
			t.Description = "govulncheck"
		}
		list.Targets = append(list.Targets, t)
	}
	return list, nil
}

func location(p spec.Pos) *pb.Location { return &pb.Location{Ranges: llb.Ranges(p, p)} }
