package frontend

import (
	"context"
	"encoding/json"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/gopherfile/gopherfile/frontend/size"
	"github.com/gopherfile/gopherfile/llb"
)

// printSizes answers with what the binaries are made of: the one of --target and
// those beside it, or all. It builds them, and nothing else.
func (b *build) printSizes(ctx context.Context) (*client.Result, bool, error) {
	if b.ui.BuildOpts().Opts["requestid"] != requestSize {
		return nil, false, nil
	}
	b.builds = true
	if err := b.resolve(ctx, false); err != nil {
		return nil, true, err
	}
	if err := b.lookBack(ctx); err != nil {
		return nil, true, err
	}
	var text, data []byte
	err := b.untilBack(ctx, func() (err error) {
		text, data, err = b.sizes(ctx)
		return err
	})
	if err != nil {
		return nil, true, err
	}
	return reply(data, text, "1.0.0"), true, nil
}

// sizes returns what the planned binaries are made of, as text and as JSON.
func (b *build) sizes(ctx context.Context) (text, data []byte, err error) {
	in, err := b.graphInput(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	in.SBOM = false // an answer is no result to describe
	reports := []json.RawMessage{}
	m := b.marshaler()
	for i, r := range llb.New(b.plan, in).Results {
		def, err := define(ctx, m, r.State)
		if err != nil {
			return nil, nil, err
		}
		ref, err := b.solve(ctx, def)
		if err != nil {
			return nil, nil, b.stepError(ctx, &b.plan.Targets[i], err)
		}
		part, err := readAll(ctx, ref, size.TextFile, maxReport)
		if err != nil {
			return nil, nil, err
		}
		report, err := readAll(ctx, ref, size.JSONFile, maxReport)
		if err != nil {
			return nil, nil, err
		}
		if i > 0 {
			text = append(text, '\n')
		}
		text = append(text, part...)
		reports = append(reports, report)
	}
	data, err = json.MarshalIndent(reports, "", "  ")
	return text, append(data, '\n'), err
}

// maxReport is how much of a report is read back, in bytes. A client keeps it in
// memory, as the frontend does.
const maxReport = 64 << 20
