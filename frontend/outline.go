package frontend

import (
	"cmp"
	"context"

	"github.com/moby/buildkit/frontend/subrequests/outline"

	"github.com/gopherfile/gopherfile/llb"
)

// outline lists what a client can pass to the build: arguments, secrets and ssh
// agents. It works for a spec whose arguments are still to be given.
func (b *build) outline(ctx context.Context) (*outline.Outline, error) {
	if err := b.parse(); err != nil {
		return nil, err
	}
	o := &outline.Outline{Name: b.ui.Target, Sources: [][]byte{b.source.Data}}
	for i := range b.spec.Args {
		a := &b.spec.Args[i]
		arg := outline.Arg{Name: a.Name, Location: location(b.spec.At(&a.Name))}
		if v, ok := b.ui.BuildArgs[a.Name]; ok {
			arg.Value = v
		} else if a.Default != nil {
			arg.Value = *a.Default
		}
		o.Args = append(o.Args, arg)
	}
	if b.downloads(ctx) {
		m := &b.spec.Modules
		o.Secrets = []outline.Secret{{Name: cmp.Or(m.Netrc, "netrc"), Location: location(b.spec.At(&m.Netrc, m))}}
		o.SSH = []outline.SSH{{Name: cmp.Or(m.SSH, "default"), Location: location(b.spec.At(&m.SSH, m))}}
	}
	o.Cache = []outline.CacheMount{{ID: b.ui.CacheIDNamespace + "/" + llb.BuildCacheID, Location: location(b.spec.At(&b.spec.Build))}}
	return o, nil
}

// downloads reports whether the build downloads modules. Where that cannot be
// known yet, it is what the spec says of them.
func (b *build) downloads(ctx context.Context) bool {
	if err := b.resolve(ctx, true); err != nil {
		return b.spec.Pos(&b.spec.Modules).IsValid()
	}
	for i := range b.plan.Targets {
		if b.downloadOf(&b.plan.Targets[i]) != nil {
			return true
		}
	}
	return false
}
