package integration

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	apicapspb "github.com/moby/buildkit/util/apicaps/pb"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"

	"github.com/gopherfile/gopherfile/frontend"
)

// jsonField returns a string field of a JSON object, "" when there is none.
func jsonField(data []byte, name string) string {
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		return ""
	}
	s, _ := m[name].(string)
	return s
}

// optFlag collects key=value.
type optFlag map[string]string

func (f optFlag) String() string { return "" }

func (f optFlag) Set(s string) error {
	k, v, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("%q: expected key=value", s)
	}
	f[k] = v
	return nil
}

// inprocess builds a context with frontend.Build in this process, against the
// real daemon: inprocess [-opt k=v] [-output k=v] [-metadata file] [-without cap] DIR.
func inprocess() {
	opts, output := optFlag{}, optFlag{}
	flags := flag.NewFlagSet("inprocess", flag.ExitOnError)
	flags.Var(opts, "opt", "frontend option")
	flags.Var(output, "output", "exporter attribute")
	metadata := flags.String("metadata", "", "file for the exporter's answer")
	without := flags.String("without", "", "capabilities that the daemon shall not have, with commas between")
	_ = flags.Parse(os.Args[1:])
	build := func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		return frontend.Build(ctx, limited{c, strings.Split(*without, ",")})
	}
	if err := buildInProcess(flags.Arg(0), build, opts, output, *metadata); err != nil {
		for _, s := range errdefs.Sources(err) {
			_ = s.Print(os.Stderr)
		}
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		os.Exit(1)
	}
}

// limited is the client of a daemon that lacks capabilities.
type limited struct {
	gateway.Client
	without []string
}

// BuildOpts returns the options without the capabilities.
func (l limited) BuildOpts() gateway.BuildOpts {
	opts := l.Client.BuildOpts()
	caps := slices.DeleteFunc(pb.Caps.All(), func(c *apicapspb.APICap) bool { return slices.Contains(l.without, c.ID) })
	opts.LLBCaps = pb.Caps.CapSet(caps)
	return opts
}

func buildInProcess(dir string, build gateway.BuildFunc, opts, output map[string]string, metadata string) error {
	ctx := context.Background()
	c, err := client.New(ctx, os.Getenv("BUILDKIT_HOST"))
	if err != nil {
		return err
	}
	defer c.Close()
	tree, err := fsutil.NewFS(dir)
	if err != nil {
		return err
	}
	so := client.SolveOpt{
		FrontendAttrs: opts,
		LocalMounts:   map[string]fsutil.FS{"context": tree, "dockerfile": tree},
	}
	if kind := output["type"]; kind != "" {
		delete(output, "type")
		e := client.ExportEntry{Type: kind, Attrs: output}
		if dest := output["dest"]; dest != "" {
			delete(output, "dest")
			e.OutputDir = dest
		}
		so.Exports = []client.ExportEntry{e}
	}
	ch := make(chan *client.SolveStatus)
	eg, ctx := errgroup.WithContext(ctx)
	var res *client.SolveResponse
	eg.Go(func() error {
		var err error
		res, err = c.Build(ctx, so, "", build, ch)
		return err
	})
	eg.Go(func() error {
		d, err := progressui.NewDisplay(os.Stderr, progressui.PlainMode)
		if err != nil {
			return err
		}
		_, err = d.UpdateFrom(context.WithoutCancel(ctx), ch)
		return err
	})
	if err := eg.Wait(); err != nil || metadata == "" {
		return err
	}
	dt, err := json.Marshal(res.ExporterResponse)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Clean(metadata), dt, 0o644)
}
