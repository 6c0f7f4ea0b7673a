package frontend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	bkllb "github.com/moby/buildkit/client/llb"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/status"

	"github.com/gopherfile/gopherfile/frontend/lint"
	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/frontend/rootfs"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
	"github.com/gopherfile/gopherfile/llb"
)

func (b *build) at(p spec.Pos) bkllb.ConstraintsOpt { return b.source.Location(llb.Ranges(p, p)) }

// info is the spec as BuildKit shows it.
func (b *build) info() *pb.SourceInfo {
	return &pb.SourceInfo{
		Filename:   b.source.Filename,
		Data:       b.source.Data,
		Language:   b.source.Language,
		Definition: b.source.Definition.ToPB(),
	}
}

// explain ties an error to the lines that it is about, so that clients show
// them. An error without a place gets the start of the spec: otherwise BuildKit
// blames the syntax line for it.
func (b *build) explain(err error) error {
	if err == nil {
		return nil
	}
	var list spec.ErrorList
	var in *scan.Error
	switch {
	case errors.As(err, &list):
		for _, e := range list {
			err = errdefs.WithSource(err, b.sourceOf(e.File, e.Pos))
		}
	case errors.As(err, &in) && in.File != "":
		at := spec.Pos{Line: in.Line, Column: in.Column}
		src := &errdefs.Source{Info: &pb.SourceInfo{Filename: in.File, Data: redact.Mask(in.Data)}, Ranges: llb.Ranges(at, at)}
		err = errdefs.WithSource(err, src)
	case len(errdefs.Sources(err)) == 0:
		err = errdefs.WithSource(err, b.sourceOf(b.source.Filename, spec.Pos{}))
	}
	return shown(err, err.Error())
}

// explained is an error in our words. What BuildKit knows of it, such as its
// code and the place in the spec, stays attached. Without a status of its own
// the gateway would send the words of the innermost error
// (util/grpcerrors ToGRPC).
type explained struct {
	msg string
	err error
}

func (e *explained) Error() string { return e.msg }
func (e *explained) Unwrap() error { return e.err }

// GRPCStatus is what the gateway sends.
func (e *explained) GRPCStatus() *status.Status { return status.New(grpcerrors.Code(e.err), e.msg) }

// sourceOf shows a place of the spec, or of a go.mod or go.work of the context.
func (b *build) sourceOf(file string, p spec.Pos) *errdefs.Source {
	src := &errdefs.Source{Info: b.info(), Ranges: llb.Ranges(p, p)}
	if file != b.source.Filename && b.tree != nil {
		if data, err := fs.ReadFile(b.tree, file); err == nil {
			src.Info = &pb.SourceInfo{Filename: file, Data: redact.Mask(data)}
		}
	}
	return src
}

// builderError says which image could not be had, and what may help.
func (b *build) builderError(err error) error {
	if _, ok := errors.AsType[*defect](err); ok {
		return err
	}
	ref := b.plan.Builder
	has := func(text string) bool { return strings.Contains(err.Error(), text) }
	var help string
	switch {
	case has("not found") && !ref.Chosen:
		help = " (Go " + b.plan.Release + " may not exist, or has no image yet; see go: and builder:)"
	case has("not found"), has("access denied"):
		help = " (see builder: in the spec)"
	case has("401 Unauthorized"), has("403 Forbidden"):
		help = " (see builder: in the spec; is there a docker login for its registry?)"
	case has("429 Too Many Requests"), has("500 Internal Server Error"), has("502 Bad Gateway"), has("503 Service Unavailable"), has("504 Gateway Timeout"):
		help = " (try again later)"
	case has(spoiled):
		help = spoiledHelp
	case unreachable(err):
		help = " (is its registry reachable from the builder?)"
	}
	return errdefs.WithSource(fmt.Errorf("no builder image %s: %w%s", ref.Ref, err, help), b.sourceOf(b.source.Filename, ref.Pos))
}

// spoiled is in what BuildKit says of a part of an image that is not what its
// digest says. It keeps that part, and finds the same wrong one in the next build.
const (
	spoiled     = "unexpected commit digest"
	spoiledHelp = " (its registry, or a proxy before it, sent something else; BuildKit keeps that until docker buildx prune)"
)

// unreachable reports whether a registry did not answer.
func unreachable(err error) bool {
	text := err.Error()
	return strings.Contains(text, "failed to do request") || strings.Contains(text, "dial ") || strings.Contains(text, "timeout") ||
		strings.Contains(text, "no answer")
}

// vulnerable is the exit code of govulncheck for a finding.
const vulnerable = 3

// stepError says what was being built when a command failed. The command's own
// lines are in the log of its step.
func (b *build) stepError(ctx context.Context, t *plan.Target, err error) error {
	var exit *gatewaypb.ExitError
	switch {
	case errors.As(err, &exit):
	case strings.Contains(err.Error(), spoiled):
		return fmt.Errorf("pull an image: %w%s", err, spoiledHelp)
	case strings.HasSuffix(stepName(err), "] "+llb.StepFiles) && misplaced(err):
		return &explained{msg: fmt.Sprintf("image.files for %s: a file is in the way of a directory, or a directory in that of a file (compare to: with what is in %s)", platforms.Format(t.Platform), cmp.Or(t.Base, "scratch")), err: err}
	default:
		return err
	}
	platform := platforms.Format(t.Platform)
	said := failed(exit.ExitCode)
	text := err.Error()
	switch {
	case strings.Contains(text, "/gopherfile vuln ") && exit.ExitCode == vulnerable:
		return &explained{msg: "vulnerable code is in the binaries for " + platform + ": the lines above name it", err: err}
	case strings.Contains(text, "/gopherfile vuln "):
		return &explained{msg: "govulncheck for " + platform + " " + said, err: err}
	case strings.Contains(text, "golang.org/x/vuln/cmd/govulncheck"):
		return &explained{msg: "go build govulncheck " + said, err: err}
	case strings.HasPrefix(stepName(err), "["+llb.StepVuln+"] "):
		return &explained{msg: "go mod download of govulncheck " + said, err: err}
	case downloaded(err):
		return b.downloadError(ctx, exit.ExitCode, err)
	case strings.Contains(text, `"go test`):
		return &explained{msg: "go test " + b.goFailed(exit.ExitCode, t.Test.Dir, nil), err: err}
	case strings.Contains(text, "/gocache go build "):
		return &explained{msg: fmt.Sprintf("go build of packages that %s imports, for %s, %s", t.Name, platform, said), err: err}
	}
	for _, own := range []string{"rootfs", "checksums", "sbom", "size"} {
		if strings.Contains(text, "/gopherfile "+own+" ") {
			return &explained{msg: fmt.Sprintf("gopherfile %s for %s %s", own, platform, said), err: err}
		}
	}
	for _, bin := range t.Binaries {
		if strings.Contains(text, `"go build `) && strings.Contains(text, " "+bin.Main+`"`) {
			said = b.goFailed(exit.ExitCode, bin.Dir, bin.Files)
			return &explained{msg: fmt.Sprintf("go build %s for %s %s", bin.Main, platform, said), err: err}
		}
	}
	return fmt.Errorf("%s for %s: %w", t.Name, platform, err)
}

// misplaced reports whether a copy met a file in place of a directory, or a
// directory in place of a file. BuildKit tells of them in paths of its own.
func misplaced(err error) bool {
	text := err.Error()
	return strings.Contains(text, "cannot copy to non-directory") || strings.Contains(text, "cannot replace to directory") || strings.Contains(text, "not a directory")
}

// downloaded reports whether it was a download of modules that failed.
func downloaded(err error) bool {
	text := err.Error()
	return strings.Contains(text, `/gocache download"`) || strings.Contains(text, "/gocache modules ")
}

// stepName is the title of the step that failed, "" when BuildKit does not say.
func stepName(err error) string {
	if e, ok := errors.AsType[*errdefs.SolveError](err); ok {
		return e.Description[llb.TitleKey]
	}
	return ""
}

// killedCode is the exit code of a command that SIGKILL has ended.
const killedCode = 128 + 9

// failed says how a command ended.
func failed(code uint32) string {
	if code == killedCode {
		return fmt.Sprintf("was killed, exit code %d: is there enough memory?", code)
	}
	return fmt.Sprintf("failed with exit code %d: its own lines above say why", code)
}

// generateError says which command of the spec failed.
func (b *build) generateError(ctx context.Context, err error) error {
	var exit *gatewaypb.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	said := failed(exit.ExitCode)
	if downloaded(err) {
		return b.downloadError(ctx, exit.ExitCode, err)
	}
	for _, c := range b.plan.Generate {
		if command := strings.Join(c.Args, " "); strings.Contains(err.Error(), strconv.Quote(command)) {
			return &explained{msg: "generate: " + command + " " + said, err: err}
		}
	}
	return fmt.Errorf("generate: %w", err)
}

// rootfs is what the plan writes into its images: all of its targets are the
// same image.
func (b *build) rootfs() plan.Rootfs {
	for i := range b.plan.Targets {
		if r := b.plan.Targets[i].Rootfs; !r.IsZero() {
			return r
		}
	}
	return plan.Rootfs{}
}

// checkRootfs looks for files that the builder image could not give, beside the
// build, which makes them. What it returns is to be called with the error of the
// build: it ends that, and warns of what is missing in a build that did not fail.
func (b *build) checkRootfs(ctx context.Context, g *llb.Graph) (func(error) error, error) {
	if g.Rootfs == nil {
		return func(failed error) error { return failed }, nil
	}
	def, err := b.marshal(ctx, *g.Rootfs)
	if err != nil {
		return nil, err
	}
	var missing []plan.Warning
	looking, cancel := context.WithCancel(ctx)
	looked := beside(func() (err error) {
		missing, err = b.missingRootfs(looking, def)
		return err
	})
	return func(failed error) error {
		defer cancel()
		if failed != nil {
			cancel()
			_ = looked() // error ignored: it is the same, or that it was canceled
			return failed
		}
		if err := looked(); err != nil {
			return err
		}
		return b.tell(ctx, lint.Tell(b.lintInput(), b.lintConfig, missing...))
	}, nil
}

// missingRootfs returns what is missing.
func (b *build) missingRootfs(ctx context.Context, def *pb.Definition) ([]plan.Warning, error) {
	ref, err := b.solve(ctx, def)
	if err != nil {
		return nil, err
	}
	files := &tree{ctx: ctx, ref: ref}
	r := b.rootfs()
	var missing []plan.Warning
	for _, f := range []struct {
		on               bool
		path, rule, what string
	}{
		{r.Certs, rootfs.CertsPath, "CertsMissing", "CA certificates: TLS connections will fail (certs: false says that this is meant)"},
		{r.Tzdata, rootfs.ZoneinfoPath, "TzdataMissing", "time zones: time.LoadLocation will fail (tzdata: false says that this is meant)"},
	} {
		if !f.on {
			continue
		}
		_, err := files.Stat(strings.TrimPrefix(f.path, "/"))
		if errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, plan.Warning{Pos: r.Pos, Rule: f.rule, Msg: "builder image " + b.plan.Builder.Ref + " has no " + f.what})
		} else if err != nil {
			return nil, fmt.Errorf("read the rootfs files: %w", err)
		}
	}
	return missing, nil
}
