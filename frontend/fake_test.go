package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing/fstest"

	"github.com/containerd/platforms"
	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/llb"
)

// fake is a BuildKit that runs nothing: it serves trees, answers from tables
// and remembers what it was asked.
type fake struct {
	opts     map[string]string
	locals   map[string]fstest.MapFS // by the name of the local source
	inputs   map[string]bkllb.State
	images   map[string]image  // references that a registry has
	policy   map[string]string // references that a source policy changes
	rootfs   fstest.MapFS      // what the rootfs step gives
	made     fstest.MapFS      // what the generate steps add to the context
	report   fstest.MapFS      // what a diagnosis gives, below the folder of the download
	back     func() []string   // what modules import of the context, nil for nothing
	needs    []string          // files without which a compile fails
	self     *bkllb.State      // CurrentFrontend, as behind the gateway
	caps     []string          // LLB capabilities that are missing
	commit   *sourceresolver.ResolveGitResponse
	index    *string      // what the scan writes, nil for what it finds
	maxFiles int          // how many files the scan accepts, 0 for as many as it does
	base     fstest.MapFS // what an image holds beside its binaries
	compiler compiler
	print    string // what of the answer to a subrequest is dumped, "" for the text

	// resolveErr and execErr fail a look-up or a command. They may also block
	// or panic. An exit code that is not 0 fails the command as runc does. The
	// look-up of a commit fails with commitErr.
	resolveErr func(ref string) error
	execErr    func(ctx context.Context, command *pb.Meta) (exitCode uint32, err error)
	commitErr  error
	// resolveHangs is in the names of images whose registry does not answer.
	resolveHangs string
	// cut are files that change while they are sent: half of them arrives.
	cut []string
	// gone are files that are deleted before they are sent.
	gone []string
	// transferErr fails the transfers of names.
	transferErr error

	mu       sync.Mutex
	asked    []string              // all solves, by the name of the last step
	solves   []client.SolveRequest // all but those of local sources
	locally  []*pb.SourceOp        // local sources, in order
	resolved []string
	warnings []string
}

// image is an image of a registry.
type image struct {
	// platforms it is for. None: it is for all.
	platforms []string
	// single is true when there is no index: the image is what it is, whatever
	// platform is asked for.
	single bool
	// named is true for an image of the archive, which may give its config.
	named  bool
	config []byte
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
	ops, head, err := parse(req.Definition)
	if err != nil {
		return nil, err
	}
	name := req.Definition.Metadata[ops[len(ops)-1].digest].Description["llb.customname"]
	f.mu.Lock()
	f.asked = append(f.asked, name)
	f.mu.Unlock()
	if err := ctx.Err(); err != nil {
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
	tree, err := f.output(name, ops)
	res.SetRef(&fakeRef{tree: tree})
	return res, err
}

// output is what the last step of a definition leaves.
func (f *fake) output(name string, ops []vertex) (fstest.MapFS, error) {
	step, _, _ := strings.Cut(name, "]")
	switch {
	case step == "[rootfs":
		return f.rootfs, nil
	case name == llb.StepScan:
		return f.scan(ops)
	case strings.HasSuffix(name, "] bytes by module"):
		return fstest.MapFS{"size.txt": {Data: []byte("the sizes of " + step + "]\n")}, "size.json": {Data: []byte("{}\n")}}, nil
	case strings.HasSuffix(name, " vuln] govulncheck"):
		return fstest.MapFS{"vuln.txt": {Data: []byte("what " + step + "] found\n")}}, nil
	case strings.Contains(name, "] copy /"), strings.HasSuffix(name, " "+plan.TargetBinaries+"] copy"):
		return f.compiler.compiled(ops), nil
	case strings.HasSuffix(name, "] image"):
		return f.base, nil
	case strings.HasSuffix(name, "] find out why"):
		return f.diagnosis(ops[len(ops)-1].op.GetExec().Meta.Cwd)
	case name == "[modules] download what is imported" && f.back != nil:
		return f.ledBack()
	case step != "[generate":
		return fstest.MapFS{}, nil
	}
	all := fstest.MapFS{}
	for _, v := range ops {
		if src := v.op.GetSource(); src != nil && !strings.HasPrefix(src.Identifier, "docker-image://") {
			tree, err := f.source(src)
			if err != nil {
				return nil, err
			}
			maps.Copy(all, tree)
		}
	}
	maps.Copy(all, f.made)
	return all, nil
}

// diagnosis is the report on the download in a folder, or that on all.
func (f *fake) diagnosis(dir string) (fstest.MapFS, error) {
	for _, name := range []string{path.Join(dir[1:], "report.json"), "report.json"} {
		if file := f.report[name]; file != nil {
			return fstest.MapFS{"report.json": file}, nil
		}
	}
	return fstest.MapFS{}, nil
}

// run plays the commands of a definition.
func (f *fake) run(ctx context.Context, def *pb.Definition, ops []vertex) error {
	for _, v := range ops {
		e := v.op.GetExec()
		if e == nil {
			continue
		}
		var code uint32
		var err error
		if f.execErr != nil {
			code, err = f.execErr(ctx, e.Meta)
		}
		if err != nil {
			return err
		}
		if code == 0 && f.lacks(e.Meta, ops) {
			code = 1
		}
		if code != 0 {
			return travel(solveError(withLocation(commandError(code, strings.Join(e.Meta.Args, " "), v.digest), def, v.digest), v.op, def.Metadata[v.digest].Description))
		}
	}
	return nil
}

// fail makes the commands that start like this fail in a folder, besides others.
func (f *fake) fail(code uint32, dir, prefix string) {
	others := f.execErr
	f.execErr = func(ctx context.Context, command *pb.Meta) (uint32, error) {
		if strings.HasPrefix(command.Cwd, dir) && strings.HasPrefix(strings.Join(command.Args, " "), prefix) {
			return code, nil
		}
		if others == nil {
			return 0, nil
		}
		return others(ctx, command)
	}
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
	tree, err := filter(tree, src.Attrs)
	if err == nil && src.Attrs[pb.AttrMetadataTransfer] != "" {
		if f.transferErr != nil {
			return nil, travel(f.transferErr)
		}
		tree, err = metadataOnly(tree, src.Attrs[pb.AttrMetadataTransferExclude])
	}
	for _, name := range f.cut {
		if file := tree[name]; err == nil && file != nil {
			tree = maps.Clone(tree)
			tree[name] = &fstest.MapFile{Mode: file.Mode, Data: file.Data[:len(file.Data)/2]}
		}
	}
	for _, name := range f.gone {
		tree = maps.Clone(tree)
		delete(tree, name)
	}
	return tree, err
}

// scan runs the scan on what its step sees.
func (f *fake) scan(ops []vertex) (fstest.MapFS, error) {
	tree := &scan.NamedFS{Names: &scan.Names{}, Exact: true}
	var opt scan.Options
	for _, v := range ops {
		if src := v.op.GetSource(); src != nil && strings.HasPrefix(src.Identifier, "local://") {
			content, err := f.source(src)
			if err != nil {
				return nil, err
			}
			tree.Content = content
		}
		for _, a := range v.op.GetFile().GetActions() {
			if file := a.GetMkfile(); file != nil {
				if err := tree.Names.UnmarshalBinary(file.Data); err != nil {
					return nil, err
				}
			}
		}
		if e := v.op.GetExec(); e != nil {
			opt.NoWork = e.Meta.Args[4] == "-no-work"
			at := slices.Index(e.Meta.Args, "/out")
			opt.Mains = e.Meta.Args[at+1:]
		}
	}
	opt.MaxFiles = f.maxFiles
	ix, err := scan.Noted(tree, opt)
	if errors.Is(err, scan.ErrChanged) {
		return nil, travel(commandError(scan.ExitChanged, "/bin/gopherfile scan", ops[len(ops)-1].digest))
	}
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(ix)
	if f.index != nil {
		data = []byte(*f.index)
	}
	return fstest.MapFS{scan.IndexFile: {Data: data}}, err
}

// imageDigest is the digest of every image.
func imageDigest() digest.Digest { return digest.FromString("image") }

// ResolveImageConfig answers from the table.
func (f *fake) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	f.mu.Lock()
	f.resolved = append(f.resolved, fmt.Sprintf("%s as %q", ref, opt.LogName))
	f.mu.Unlock()
	if f.resolveHangs != "" && strings.Contains(ref, f.resolveHangs) {
		<-ctx.Done()
		return "", "", nil, travel(ctx.Err())
	}
	var p ocispecs.Platform
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		p = *opt.ImageOpt.Platform
	}
	im, ok := f.images[ref]
	var err error
	if f.resolveErr != nil {
		err = f.resolveErr(ref)
	}
	switch {
	case err != nil:
	case !ok:
		// The code of the status stands before the message.
		err = errors.New("NotFound: " + ref + ": not found")
	case im.single:
		p = platforms.MustParse(im.platforms[0])
	case len(im.platforms) > 0 && !slices.Contains(im.platforms, platforms.Format(p)):
		err = errors.New("NotFound: no match for platform in manifest: not found")
	}
	if err != nil {
		return "", "", nil, fmt.Errorf("failed to resolve source metadata for %s: %w", ref, travel(err))
	}
	if to := f.policy[ref]; to != "" {
		ref = to
	}
	img := dockerspec.DockerOCIImage{Config: dockerspec.DockerOCIImageConfig{ImageConfig: ocispecs.ImageConfig{Env: []string{"PATH=/image/bin:/bin"}}}}
	if im.config != nil {
		img = dockerspec.DockerOCIImage{}
		if err := json.Unmarshal(im.config, &img); err != nil {
			return "", "", nil, err
		}
	}
	img.Platform = p
	config, err := json.Marshal(img)
	return ref, imageDigest(), config, err
}

// ResolveSourceMetadata knows the commit of every git source.
func (f *fake) ResolveSourceMetadata(_ context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	if f.commitErr != nil {
		return nil, travel(f.commitErr)
	}
	if f.commit == nil {
		return &sourceresolver.MetaResponse{Op: op}, nil
	}
	git := *f.commit
	if opt.GitOpt == nil || !opt.GitOpt.ReturnObject {
		git.CommitObject = nil
	}
	return &sourceresolver.MetaResponse{Op: op, Git: &git}, nil
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
