package frontend

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/lint"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
	"github.com/gopherfile/gopherfile/llb"
)

// Build answers one build request. It is a gateway client.BuildFunc: it runs
// behind the gateway as well as in the process of a client.
func Build(ctx context.Context, c client.Client) (_ *client.Result, err error) {
	defer caught(&err)
	c = discreet{c}
	ui, err := dockerui.NewClient(c)
	if err != nil {
		return nil, shown(err, err.Error())
	}
	b := &build{client: c, ui: ui}
	ctx, cancel := context.WithCancel(ctx)
	defer b.end(cancel)
	if res, ok, err := b.static(); ok || err != nil {
		return res, err
	}
	if err := b.read(ctx); err != nil {
		return nil, shown(err, "read the build definition: "+err.Error())
	}
	if res, ok, err := b.printPlan(ctx); ok || err != nil {
		return res, b.explain(err)
	}
	if res, ok, err := b.printSizes(ctx); ok || err != nil {
		return res, b.explain(err)
	}
	if res, ok, err := ui.HandleSubrequest(ctx, b.requests()); ok || err != nil {
		return res, b.explain(err)
	}
	res, err := b.run(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return res, b.explain(err)
}

// end stops what nobody waits for.
func (b *build) end(cancel context.CancelFunc) {
	cancel()
	if b.lookup != nil {
		_ = b.lookup.wait() // error ignored: what it is about was not needed
	}
}

// caught turns a panic into an error. It is deferred in every goroutine of
// ours: nobody else's recover reaches there.
func caught(err *error) {
	if p := recover(); p != nil {
		// The stack goes to the daemon's log; the user gets one line.
		fmt.Fprintf(os.Stderr, "panic: %v\n%s", p, debug.Stack())
		*err = &defect{p}
	}
}

// defect is a panic of ours as an error.
type defect struct{ value any }

func (d *defect) Error() string {
	return redact.Text(fmt.Sprintf("gopherfile stopped because of a defect of its own: %v; please report it", d.value))
}

// beside runs a function in a goroutine of its own. What it returns waits for the
// end, and returns the error, however often it is called.
func beside(f func() error) func() error {
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() { done <- err }()
		defer caught(&err)
		err = f()
	}()
	return sync.OnceValue(func() error { return <-done })
}

// build is one request on its way.
type build struct {
	client client.Client
	ui     *dockerui.Client
	// source is the build definition as it is shown, written what it says, and
	// sourceDef where it comes from.
	source    *dockerui.Source
	written   []byte
	sourceDef *pb.Definition
	spec      *spec.Spec
	context   *bkllb.State
	// excludes are the patterns of .dockerignore.
	excludes []string
	// contextDef is the definition of the context.
	contextDef *pb.Definition
	// sources is what the scan reads of the context, nil when it reads the tree.
	sources *sources
	// beside are the files that compile steps read and that did not come along
	// with the names.
	beside []string
	// tree is what there is to compile. Of some files it may have the name alone.
	tree       files
	index      *scan.Index
	options    plan.Options
	plan       *plan.Plan
	lintConfig lint.Config
	// builds says that there is more to do than to tell about the spec.
	builds bool
	// lookup is that of the builder image, nil before it began.
	lookup *lookup
	// diagnosis is why a download failed, once it is diagnosed.
	diagnosing sync.Mutex
	diagnosed  bool
	diagnosis  string
}

// run builds what was asked for.
func (b *build) run(ctx context.Context) (*client.Result, error) {
	b.builds = true
	given, err := givenEpoch(b.ui.BuildArgs[epochArg])
	if err != nil {
		return nil, err
	}
	if err := b.resolve(ctx, false); err != nil {
		return nil, err
	}
	if err := b.lookBack(ctx); err != nil {
		return nil, err
	}
	if err := b.lint(ctx); err != nil {
		return nil, err
	}
	epoch, err := b.epoch(ctx, given)
	if err != nil {
		return nil, err
	}
	var res *client.Result
	err = b.untilBack(ctx, func() (err error) {
		res, err = b.runPlan(ctx, epoch)
		return err
	})
	return res, err
}

// runPlan builds what is planned.
func (b *build) runPlan(ctx context.Context, epoch *time.Time) (*client.Result, error) {
	in, err := b.graphInput(ctx, epoch)
	if err != nil {
		return nil, err
	}
	graph := llb.New(b.plan, in)
	checkRootfs, err := b.checkRootfs(ctx, graph)
	if err != nil {
		return nil, err
	}
	rb, sboms, proofs, err := b.solveAll(ctx, graph, in, epoch)
	if err = b.checkContext(ctx, &in, err); err == nil {
		err = b.proven(proofs)
	}
	if err := checkRootfs(err); err != nil {
		return nil, err
	}
	b.annotate(rb, graph)
	if err := b.addReport(ctx, rb, graph, proofs); err != nil {
		return nil, err
	}
	res, err := rb.Finalize()
	if err != nil {
		return nil, err
	}
	b.attest(res, sboms)
	return res, nil
}

// solveAll runs the graph for all platforms, and reads the binaries back. It
// returns the images, and of each target what it is made of, where that is asked
// for, and what its binaries were found to be.
func (b *build) solveAll(ctx context.Context, graph *llb.Graph, in llb.Input, epoch *time.Time) (*dockerui.ResultBuilder, []client.Reference, []*proof, error) {
	var err error
	m := b.marshaler()
	defs, sbomDefs := make([]*pb.Definition, len(graph.Results)), make([]*pb.Definition, len(graph.Results))
	for i, r := range graph.Results {
		if defs[i], err = define(ctx, m, r.State); err != nil {
			return nil, nil, nil, err
		}
		if r.SBOM == nil {
			continue
		}
		if sbomDefs[i], err = define(ctx, m, *r.SBOM); err != nil {
			return nil, nil, nil, err
		}
	}
	proofs, err := b.proofs(ctx, m, graph)
	if err != nil {
		return nil, nil, nil, err
	}
	limit := make(chan struct{}, maxProofs)
	sboms := make([]client.Reference, len(graph.Results))
	rb, err := b.ui.Build(ctx, func(ctx context.Context, _ *ocispecs.Platform, i int) (_ *dockerui.BuildResult, err error) {
		defer caught(&err)
		ref, err := b.proveTarget(ctx, proofs[i], defs[i], limit)
		if err != nil {
			return nil, err
		}
		if sbomDefs[i] != nil {
			if sboms[i], err = b.solve(ctx, sbomDefs[i]); err != nil {
				return nil, b.stepError(ctx, &b.plan.Targets[i], err)
			}
		}
		return &dockerui.BuildResult{Reference: ref, Image: graph.Results[i].Image, BaseImage: in.Bases[i].Config, Epoch: epoch}, nil
	})
	return rb, sboms, proofs, err
}

// annotate gives every manifest its annotations.
func (b *build) annotate(rb *dockerui.ResultBuilder, graph *llb.Graph) {
	for i, r := range graph.Results {
		// The key of a platform is an error where the result is no index.
		var p *ocispecs.Platform
		if b.ui.MultiPlatformRequested {
			p = &b.plan.Targets[i].Platform
		}
		for _, a := range r.Annotations {
			rb.AddMeta(exptypes.AnnotationManifestKey(p, a.Name), []byte(a.Value))
		}
	}
}

// graphInput is what the graph is drawn on. It tells dockerui for which
// platforms.
func (b *build) graphInput(ctx context.Context, epoch *time.Time) (llb.Input, error) {
	in, err := b.input(ctx)
	if err != nil {
		return llb.Input{}, err
	}
	in.Created = time.Unix(0, 0).UTC()
	if epoch != nil {
		in.Created, in.Dated = epoch.UTC(), true
	}
	b.ui.TargetPlatforms = nil
	for i := range b.plan.Targets {
		b.ui.TargetPlatforms = append(b.ui.TargetPlatforms, b.plan.Targets[i].Platform)
	}
	if len(b.plan.Targets) > 1 {
		b.ui.MultiPlatformRequested = true
	}
	return in, nil
}

// marshaler writes states for what this daemon can do.
func (b *build) marshaler() *llb.Marshaler {
	return llb.NewMarshaler(bkllb.WithCaps(b.ui.BuildOpts().LLBCaps))
}

// marshal writes the graph up to a state that shares little with others.
func (b *build) marshal(ctx context.Context, st bkllb.State) (*pb.Definition, error) {
	return define(ctx, b.marshaler(), st)
}

// define writes the graph up to a state.
func define(ctx context.Context, m *llb.Marshaler, st bkllb.State) (*pb.Definition, error) {
	def, err := m.Marshal(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("marshal the graph: %w", err)
	}
	if size := def.SizeVT(); size > maxGraph {
		return nil, fmt.Errorf("the graph has %d MB, and BuildKit takes %d: build fewer binaries at a time (--target NAME)", size>>20, maxGraph>>20)
	}
	return def, nil
}

// maxGraph is how many bytes a graph may have: a message of the gateway has 16 MB
// (frontend/gateway, DefaultMaxRecvMsgSize), and holds little else.
const maxGraph = 15 << 20

// solve runs a graph and returns when it has run, so that a failure is known
// while it can still be explained.
func (b *build) solve(ctx context.Context, def *pb.Definition) (client.Reference, error) {
	res, err := b.client.Solve(ctx, client.SolveRequest{
		Definition:   def,
		CacheImports: b.ui.CacheImports,
		Evaluate:     true,
	})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}
