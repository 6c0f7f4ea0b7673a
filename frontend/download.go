package frontend

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/gopherfile/gopherfile/frontend/diagnosis"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/llb"
)

// downloadOf is the download that a target waits for. Of several, the first one
// stands for all: their modules are of the same repository.
func (b *build) downloadOf(t *plan.Target) *plan.Download {
	if t.Test != nil {
		return t.Test.Download
	}
	for i := range t.Binaries {
		if d := t.Binaries[i].Download; d != nil {
			return d
		}
	}
	return nil
}

// downloadError says which module could not be had, and what is missing. It
// finds out by downloading once more; when that does not work, the step's own
// lines have to do.
func (b *build) downloadError(ctx context.Context, d *plan.Download, said string, err error) error {
	msg := "go mod download " + said
	if why := b.diagnose(ctx, d); why != "" {
		msg = "go mod download: " + why
	}
	return &explained{msg: msg, err: err}
}

// diagnose returns why a download failed, "" when that cannot be found out. The
// platforms of a build fail together, and are told the same.
func (b *build) diagnose(ctx context.Context, d *plan.Download) string {
	if d == nil {
		return ""
	}
	b.diagnosing.Lock()
	defer b.diagnosing.Unlock()
	why, known := b.diagnoses[d]
	if known {
		return why
	}
	if r, err := b.report(ctx, d); err == nil {
		why = r.Explain(diagnosis.Options{Netrc: d.Netrc, SSH: d.SSH, Builder: b.plan.Builder.Ref})
	} // otherwise the download's own error is the one to show
	if b.diagnoses == nil {
		b.diagnoses = map[*plan.Download]string{}
	}
	b.diagnoses[d] = why
	return why
}

// report runs a failed download again.
func (b *build) report(ctx context.Context, d *plan.Download) (*diagnosis.Report, error) {
	in, err := b.input(ctx)
	if err != nil {
		return nil, err
	}
	if in.Self, err = b.self(ctx); err != nil {
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
