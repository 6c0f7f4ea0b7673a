package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing/fstest"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// fake is a BuildKit that runs nothing: it serves trees, answers from tables
// and remembers what it was asked.
type fake struct {
	opts   map[string]string
	locals map[string]fstest.MapFS // by the name of the local source
	inputs map[string]bkllb.State
	images map[string]bool   // references that a registry has
	policy map[string]string // references that a source policy changes
	rootfs fstest.MapFS      // what the rootfs step gives
	self   *bkllb.State      // CurrentFrontend, as behind the gateway
	caps   []string          // LLB capabilities that are missing

	// resolveErr and execErr fail a look-up or a command. They may also block
	// or panic. An exit code that is not 0 fails the command as runc does.
	resolveErr func(ref string) error
	execErr    func(ctx context.Context, args string) (exitCode uint32, err error)

	mu       sync.Mutex
	solves   []client.SolveRequest // all but those of local sources
	locally  []*pb.SourceOp        // local sources, in order
	resolved []string
	warnings []string
}

// BuildOpts returns the same map every time, as the gateway's client does.
func (f *fake) BuildOpts() client.BuildOpts {
	all := pb.Caps.All()
	all = slices.DeleteFunc(all, func(c *capability) bool { return slices.Contains(f.caps, c.ID) })
	return client.BuildOpts{
		Opts:      f.opts,
		SessionID: "session",
		Workers:   []client.WorkerInfo{{ID: "worker", Platforms: []ocispecs.Platform{{OS: "linux", Architecture: "amd64"}}}},
		Product:   "buildkit",
		LLBCaps:   pb.Caps.CapSet(all),
		Caps:      gatewaypb.Caps.CapSet(gatewaypb.Caps.All()),
	}
}

// Solve serves local and git sources, and plays every other definition.
func (f *fake) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ops, head, err := parse(req.Definition)
	if err != nil {
		return nil, err
	}
	res := client.NewResult()
	if src := head.GetSource(); src != nil {
		if len(req.CacheImports) > 0 {
			return nil, errors.New("a source waits for the import of a cache that cannot have it")
		}
		tree, err := f.source(src)
		if err != nil {
			return nil, err
		}
		res.SetRef(&fakeRef{tree: tree})
		return res, nil
	}
	f.mu.Lock()
	f.solves = append(f.solves, req)
	f.mu.Unlock()
	// A solve that nobody waits for fails for nobody.
	if req.Evaluate {
		if err := f.run(ctx, req.Definition, ops); err != nil {
			return nil, err
		}
	}
	res.SetRef(&fakeRef{tree: fstest.MapFS{}})
	if e := head.GetExec(); e != nil && slices.Contains(e.Meta.Args, "rootfs") {
		res.SetRef(&fakeRef{tree: f.rootfs})
	}
	return res, nil
}

// run plays the commands of a definition.
func (f *fake) run(ctx context.Context, def *pb.Definition, ops []vertex) error {
	for _, v := range ops {
		e := v.op.GetExec()
		if e == nil || f.execErr == nil {
			continue
		}
		args := strings.Join(e.Meta.Args, " ")
		code, err := f.execErr(ctx, args)
		if err != nil {
			return err
		}
		if code != 0 {
			return travel(withLocation(commandError(code, args, v.digest), def, v.digest))
		}
	}
	return nil
}

// commandError is what the executor and the solver say of a failed command.
func commandError(code uint32, args, dgst string) error {
	err := fmt.Errorf("process %q did not complete successfully: %w", args, &gatewaypb.ExitError{ExitCode: code})
	return errdefs.WrapVertex(err, digest.Digest(dgst))
}

// withLocation adds the places that the definition has for a vertex.
func withLocation(err error, def *pb.Definition, dgst string) error {
	for _, loc := range def.Source.Locations[dgst].GetLocations() {
		err = errdefs.WithSource(err, &errdefs.Source{Info: def.Source.Infos[loc.SourceIndex], Ranges: loc.Ranges})
	}
	return err
}

// travel is an error after its way over the gateway: the typed details arrive,
// the Go types do not.
func travel(err error) error {
	return grpcerrors.FromGRPC(grpcerrors.ToGRPC(context.Background(), err))
}

// source returns the tree of a local source, without what its filters exclude,
// or of a git source, which holds the spec and the context.
func (f *fake) source(src *pb.SourceOp) (fstest.MapFS, error) {
	name, local := strings.CutPrefix(src.Identifier, "local://")
	if !local {
		all := fstest.MapFS{}
		maps.Copy(all, f.locals["dockerfile"])
		maps.Copy(all, f.locals["context"])
		return all, nil
	}
	f.mu.Lock()
	f.locally = append(f.locally, src)
	f.mu.Unlock()
	tree, ok := f.locals[name]
	if !ok {
		return nil, travel(fmt.Errorf("no access allowed to dir %q", name))
	}
	return filter(tree, src.Attrs)
}

// imageDigest is the digest of every image.
func imageDigest() digest.Digest { return digest.FromString("image") }

// ResolveImageConfig answers from the table.
func (f *fake) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	f.mu.Lock()
	f.resolved = append(f.resolved, fmt.Sprintf("%s as %q", ref, opt.LogName))
	f.mu.Unlock()
	var err error
	switch {
	case f.resolveErr != nil:
		err = f.resolveErr(ref)
	case !f.images[ref]:
		// The code of the status stands before the message.
		err = errors.New("NotFound: " + ref + ": not found")
	}
	if err != nil {
		return "", "", nil, fmt.Errorf("failed to resolve source metadata for %s: %w", ref, travel(err))
	}
	if to := f.policy[ref]; to != "" {
		ref = to
	}
	config, err := json.Marshal(ocispecs.Image{
		Platform: ocispecs.Platform{OS: "linux", Architecture: "amd64"},
		Config:   ocispecs.ImageConfig{Env: []string{"PATH=/image/bin:/bin"}},
	})
	return ref, imageDigest(), config, err
}

// ResolveSourceMetadata knows the commit of every git source.
func (f *fake) ResolveSourceMetadata(_ context.Context, op *pb.SourceOp, _ sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	commit := "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n" +
		"author A <a@example.com> 1700000000 +0000\ncommitter A <a@example.com> 1700000001 +0000\n\nmessage\n"
	return &sourceresolver.MetaResponse{Op: op, Git: &sourceresolver.ResolveGitResponse{CommitObject: []byte(commit)}}, nil
}

// Inputs returns the states that stand behind input: contexts.
func (f *fake) Inputs(context.Context) (map[string]bkllb.State, error) { return f.inputs, nil }

// NewContainer is not used by a build.
func (f *fake) NewContainer(context.Context, client.NewContainerRequest) (client.Container, error) {
	return nil, errors.New("a build needs no container of its own")
}

// Warn remembers a warning with its place.
func (f *fake) Warn(_ context.Context, _ digest.Digest, msg string, opts client.WarnOpts) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range opts.Range {
		f.warnings = append(f.warnings, fmt.Sprintf("%s:%d:%d: %s", opts.SourceInfo.Filename, r.Start.Line, r.Start.Character, msg))
	}
	return nil
}

// CurrentFrontend is what only the gateway's client has.
func (f *fake) CurrentFrontend() (*bkllb.State, error) { return f.self, nil }
