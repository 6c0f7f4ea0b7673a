package llb

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// dumper writes definitions as text without digests, so that a golden graph
// reads like a review and survives upgrades of BuildKit.
type dumper struct {
	t     *testing.T
	b     strings.Builder
	names map[digest.Digest]string
}

// dumpGraph writes every vertex of the results once. A Marshaler must agree.
func dumpGraph(t *testing.T, g *Graph) string {
	t.Helper()
	checkMarshaler(t, states(g))
	d := &dumper{t: t, names: map[digest.Digest]string{}}
	for i, r := range g.Results {
		def, err := r.State.Marshal(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&d.b, "result %d %s\n", i, d.definition(def))
		for _, a := range r.Annotations {
			fmt.Fprintf(&d.b, "annotation %s=%s\n", a.Name, a.Value)
		}
		if r.SBOM == nil {
			continue
		}
		if def, err = r.SBOM.Marshal(context.Background()); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&d.b, "sbom %d %s\n", i, d.definition(def))
	}
	return d.b.String()
}

func (d *dumper) definition(def *llb.Definition) string {
	var head string
	pbdef := def.ToPB()
	for _, dt := range def.Def {
		dgst := digest.FromBytes(dt)
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			d.t.Fatal(err)
		}
		inputs := make([]string, len(op.Inputs))
		for i, in := range op.Inputs {
			inputs[i] = fmt.Sprintf("%s:%d", d.names[digest.Digest(in.Digest)], in.Index)
		}
		if op.Op == nil {
			head = inputs[0]
			continue
		}
		if d.names[dgst] != "" {
			continue
		}
		d.names[dgst] = fmt.Sprintf("v%d", len(d.names))
		d.vertex(d.names[dgst], &op, inputs)
		d.metadata(def.Metadata[dgst], pbdef.Source.Locations[string(dgst)])
	}
	return head
}

func (d *dumper) line(format string, a ...any) { fmt.Fprintf(&d.b, "\t"+format+"\n", a...) }

func (d *dumper) metadata(md llb.OpMetadata, loc *pb.Locations) {
	if name := md.Description["llb.customname"]; name != "" {
		d.line("name  %s", name)
	}
	if md.IgnoreCache {
		d.line("no cache")
	}
	if loc == nil || len(loc.Locations) == 0 {
		d.t.Errorf("a vertex has no place in the spec: %v", md.Description)
		return
	}
	for _, r := range loc.Locations[0].Ranges {
		d.line("at    %d:%d", r.Start.Line, r.Start.Character+1)
	}
}

func (d *dumper) vertex(name string, op *pb.Op, inputs []string) {
	platform := ""
	if p := op.Platform; p != nil {
		platform = " on " + path.Join(p.OS, p.Architecture, p.Variant)
	}
	switch o := op.Op.(type) {
	case *pb.Op_Source:
		fmt.Fprintf(&d.b, "%s source %s%s\n", name, o.Source.Identifier, platform)
	case *pb.Op_Exec:
		fmt.Fprintf(&d.b, "%s exec%s %q\n", name, platform, o.Exec.Meta.Args)
		d.exec(o.Exec, inputs)
	case *pb.Op_File:
		fmt.Fprintf(&d.b, "%s file\n", name)
		for _, a := range o.File.Actions {
			d.action(a, inputs)
		}
	case *pb.Op_Merge:
		fmt.Fprintf(&d.b, "%s merge %s\n", name, strings.Join(inputs, " "))
	default:
		d.t.Errorf("unknown op %T", op.Op)
	}
}

func (d *dumper) exec(e *pb.ExecOp, inputs []string) {
	d.line("cwd   %s net=%s", e.Meta.Cwd, strings.ToLower(e.Network.String()))
	d.line("env   %s", strings.Join(e.Meta.Env, " "))
	if p := e.Meta.ProxyEnv; p != nil {
		d.line("proxy %s", p)
	}
	mounts := slices.Clone(e.Mounts)
	slices.SortFunc(mounts, func(a, b *pb.Mount) int { return cmp.Compare(a.Dest, b.Dest) })
	for _, m := range mounts {
		src := "scratch"
		if m.Input >= 0 {
			src = inputs[m.Input] + m.Selector
		}
		switch m.MountType {
		case pb.MountType_CACHE:
			src = fmt.Sprintf("cache %s %s", m.CacheOpt.ID, strings.ToLower(m.CacheOpt.Sharing.String()))
		case pb.MountType_TMPFS:
			src = "tmpfs"
		case pb.MountType_SECRET:
			src = fmt.Sprintf("secret %s optional=%v", m.SecretOpt.ID, m.SecretOpt.Optional)
		case pb.MountType_SSH:
			src = fmt.Sprintf("ssh %s optional=%v", m.SSHOpt.ID, m.SSHOpt.Optional)
		}
		var flags string
		if m.Readonly {
			flags += " ro"
		}
		if m.Output >= 0 {
			flags += fmt.Sprintf(" output %d", m.Output)
		}
		if m.ContentCache == pb.MountContentCache_OFF {
			flags += " nohash"
		}
		d.line("mount %s <- %s%s", m.Dest, src, flags)
	}
}

func (d *dumper) action(a *pb.FileAction, inputs []string) {
	c := a.GetCopy()
	if m := a.GetMkdir(); m != nil {
		d.line("mkdir %s mode=%o", m.Path, m.Mode)
		return
	}
	if m := a.GetMkfile(); m != nil {
		d.line("file  %s mode=%o %q", m.Path, m.Mode, m.Data)
		return
	}
	if c == nil {
		d.t.Errorf("unknown file action %T", a.Action)
		return
	}
	input := func(i int64) string {
		switch {
		case i < 0:
			return "scratch"
		case int(i) < len(inputs):
			return inputs[i]
		}
		return fmt.Sprintf("copy %d", int(i)-len(inputs))
	}
	owner := ""
	if o := c.Owner; o != nil {
		owner = fmt.Sprintf(" owner=%d:%d", o.User.GetByID(), o.Group.GetByID())
	}
	if len(c.IncludePatterns) > 0 {
		owner += " only " + strings.Join(c.IncludePatterns, " ")
	}
	d.line("copy  %s%s -> %s on %s mode=%s time=%d%s", input(a.SecondaryInput), c.Src, c.Dest, input(a.Input), cmp.Or(c.ModeStr, strconv.FormatInt(int64(max(c.Mode, 0)), 8)), c.Timestamp, owner)
	if len(c.ExcludePatterns) > 0 {
		d.line("but   %s", strings.Join(c.ExcludePatterns, " "))
	}
}

// names returns the custom names of all vertices, sorted.
func vertexNames(t *testing.T, text string) []string {
	t.Helper()
	var names []string
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "\tname  "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	sort.Strings(names)
	return names
}
