package frontend

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/gopherfile/gopherfile/frontend/diagnosis"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/llb"
)

// downloads are those that the plan waits for, without repetitions.
func downloads(p *plan.Plan) []*plan.Download {
	var all []*plan.Download
	for i := range p.Generate {
		all = append(all, p.Generate[i].Download)
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		if t.Test != nil {
			all = append(all, t.Test.Download)
		}
		for j := range t.Binaries {
			all = append(all, t.Binaries[j].Fetch())
		}
	}
	var some []*plan.Download
	for _, d := range all {
		if d != nil && !slices.Contains(some, d) {
			some = append(some, d)
		}
	}
	return some
}

// downloadError says which module could not be had, and what is missing. It
// finds out by downloading once more; when that does not work, the step's own
// lines have to do.
func (b *build) downloadError(ctx context.Context, code uint32, err error) error {
	msg := "go mod download " + failed(code)
	if code != killedCode { // of that the go command knows nothing
		if why := b.diagnose(ctx); why != "" {
			msg = "go mod download: " + why
		}
	}
	return &explained{msg: msg, err: err}
}

// diagnose returns why a download failed, "" when that cannot be found out. The
// platforms of a build fail together, and are told the same. An error does not
// say which of several downloads failed: the first that fails again explains it.
func (b *build) diagnose(ctx context.Context) string {
	b.diagnosing.Lock()
	defer b.diagnosing.Unlock()
	if b.diagnosed {
		return b.diagnosis
	}
	b.diagnosed = true
	for _, d := range downloads(b.plan) {
		r, err := b.report(ctx, d)
		if err != nil {
			continue // the download's own error is the one to show
		}
		why := r.Explain(diagnosis.Options{Netrc: d.Netrc, SSH: d.SSH, Builder: b.plan.Builder.Ref})
		if len(r.Modules) > 0 {
			b.diagnosis = why
			break
		}
		b.diagnosis = cmp.Or(b.diagnosis, why)
	}
	return b.diagnosis
}

// report runs a failed download again.
func (b *build) report(ctx context.Context, d *plan.Download) (*diagnosis.Report, error) {
	in, err := b.input(ctx)
	if err != nil {
		return nil, err
	}
	def, err := b.marshal(ctx, llb.Diagnose(b.plan, in, d))
	if err != nil {
		return nil, err
	}
	ref, err := b.solve(ctx, def)
	if err != nil {
		return nil, err
	}
	data, err := ref.ReadFile(ctx, client.ReadRequest{Filename: diagnosis.File})
	if err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	var r diagnosis.Report
	return &r, json.Unmarshal(data, &r)
}
