package frontend

import (
	"cmp"
	"context"

	"github.com/moby/buildkit/frontend/subrequests/outline"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/llb"
)

// outline lists what a client can pass to the build: arguments, secrets and ssh
// agents. It works for a spec whose arguments are still to be given.
func (b *build) outline(ctx context.Context) (*outline.Outline, error) {
	if err := b.parse(); err != nil {
		return nil, err
	}
	o := &outline.Outline{Name: redact.Value(b.ui.Target), Sources: [][]byte{b.source.Data}}
	for i := range b.spec.Args {
		a := &b.spec.Args[i]
		arg := outline.Arg{Name: a.Name, Location: location(b.spec.At(&a.Name))}
		if v, ok := b.ui.BuildArgs[a.Name]; ok {
			arg.Value = redact.Value(v)
		} else if a.Default != nil {
			arg.Value = redact.Value(*a.Default)
		}
		o.Args = append(o.Args, arg)
	}
	if d := b.outlineDownload(ctx); d != nil {
		m := &b.spec.Modules
		o.Secrets = []outline.Secret{{Name: d.Netrc, Location: location(b.spec.At(&m.Netrc, m))}}
		o.SSH = []outline.SSH{{Name: d.SSH, Location: location(b.spec.At(&m.SSH, m))}}
	}
	o.Cache = []outline.CacheMount{{ID: b.ui.CacheIDNamespace + "/" + llb.BuildCacheID, Location: location(b.spec.At(&b.spec.Build))}}
	return o, nil
}

// outlineDownload is a download of the build, nil for none. Where that cannot be
// known yet, it is what the spec says of them.
func (b *build) outlineDownload(ctx context.Context) *plan.Download {
	if err := b.resolve(ctx, true); err == nil {
		if all := downloads(b.plan); len(all) > 0 {
			return all[0]
		}
		return nil
	}
	m := &b.spec.Modules
	if !b.spec.Pos(m).IsValid() {
		return nil
	}
	return &plan.Download{Netrc: cmp.Or(m.Netrc, "netrc"), SSH: cmp.Or(m.SSH, "default")}
}
