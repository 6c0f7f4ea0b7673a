// Command bench measures this frontend: its start beside that of
// docker/dockerfile, on the BuildKit that hack/builder env names, and what
// people do all day beside Dockerfiles and ko, on builders of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const usage = `usage: go run ./hack/bench [FLAG...] SCENARIO...
       go run ./hack/bench start [-runs N] [-json]

scenarios:
%s  start    memory and start of the frontend, and a build in which nothing changed

flags:
  -program NAME      %s
                     (default: coredns, and tools for a fleet)
  -only NAME,...     the contenders: %s
  -runs N            builds of each contender (default 3)
  -json FILE         where results are kept, one on a line
                     (default: bench/results.jsonl in the builder's folder)
  -resume            keep the results that are there
  -steps             print where the time went
  -frontend REPO     the frontend, tag 1 (default gopherfile/gopherfile)

Run it in the root of the checkout, after eval "$(hack/builder env)", with the
frontend pushed to $GOPHERFILE_REGISTRY/gopherfile/gopherfile:1.
`

func printUsage(w io.Writer) {
	var list strings.Builder
	for _, sc := range scenarios() {
		fmt.Fprintf(&list, "  %-8s %s\n", sc.name, sc.what)
	}
	fmt.Fprintf(w, usage, list.String(), programNames(), strings.Join(contenderNames(), ", "))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, w io.Writer) error {
	if len(args) > 0 && args[0] == "start" {
		return runStart(ctx, args[1:], w)
	}
	o, err := parseOptions(args, os.Stderr)
	if err != nil {
		return err
	}
	st, err := openStore(o.file)
	if err != nil {
		return err
	}
	if err := o.measure(ctx, st); err != nil {
		return err
	}
	asked := slices.DeleteFunc(st.records, func(r record) bool { return !o.asks(r) })
	text := table(asked)
	if o.steps {
		text += profile(asked)
	}
	_, err = io.WriteString(w, text)
	return err
}

// options are what the user asks for.
type options struct {
	scenarios     []scenario
	program       string
	only          []string
	runs          int
	dir, file     string
	frontend      string
	resume, steps bool
}

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o := &options{dir: filepath.Join(".builder", "bench")}
	if dir := os.Getenv("GOPHERFILE_BUILDER_DIR"); dir != "" {
		o.dir = filepath.Join(dir, "bench")
	}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { printUsage(stderr) }
	only := fs.String("only", "", "")
	fs.StringVar(&o.program, "program", "", "")
	fs.IntVar(&o.runs, "runs", 3, "")
	fs.StringVar(&o.file, "json", filepath.Join(o.dir, "results.jsonl"), "")
	fs.BoolVar(&o.resume, "resume", false, "")
	fs.BoolVar(&o.steps, "steps", false, "")
	fs.StringVar(&o.frontend, "frontend", "gopherfile/gopherfile", "")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() == 0 || o.runs < 1 {
		fs.Usage()
		return nil, errors.New("name a scenario, and at least one run")
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	var err error
	if o.scenarios, err = scenariosOf(fs.Args()); err != nil {
		return nil, err
	}
	for _, sc := range o.scenarios {
		p, err := programOf(o.program, sc)
		if err != nil {
			return nil, err
		}
		if sc.bumps && o.runs > len(p.bumps) {
			return nil, fmt.Errorf("%s: there are %d versions of %s to go to, and no more runs than that", sc.name, len(p.bumps), p.bumped)
		}
	}
	o.dir, err = filepath.Abs(o.dir)
	return o, err
}

// asks tells whether a record is one that the user wants to see.
func (o *options) asks(r record) bool {
	return slices.ContainsFunc(o.scenarios, func(sc scenario) bool {
		p, err := programOf(o.program, sc)
		named := sc.name == r.Scenario || sc.imports && r.Scenario == fill
		return err == nil && named && p.name == r.Program
	})
}

// measure runs what is asked for and not in the store.
func (o *options) measure(ctx context.Context, st *store) error {
	b, err := newBench(ctx)
	if err != nil {
		return err
	}
	defer b.client.Close()
	if !o.resume {
		again := func(r record) bool {
			return o.asks(r) && (len(o.only) == 0 || slices.Contains(o.only, r.Contender))
		}
		if err := st.forget(again); err != nil {
			return err
		}
	}
	for _, name := range []string{"buildkitd", "registry", "runc"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf(`%w; run: eval "$(hack/builder env)"`, err)
		}
	}
	info, err := b.client.Info(ctx)
	if err != nil {
		return err
	}
	env, err := openEnvironment(ctx, o.dir, b.registry, os.Stderr)
	if err != nil {
		return err
	}
	s := &suite{env: env, store: st, runs: o.runs, machine: machine(info.BuildkitVersion.Version)}
	if s.contenders, err = contenders(ctx, env, b, o.frontend, o.only); err == nil {
		err = s.run(ctx, o.scenarios, o.program)
	}
	return errors.Join(err, env.close())
}

func runStart(ctx context.Context, args []string, w io.Writer) error {
	fs := flag.NewFlagSet("bench start", flag.ContinueOnError)
	fs.Usage = func() { printUsage(fs.Output()) }
	runs := fs.Int("runs", 10, "")
	asJSON := fs.Bool("json", false, "")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 || *runs < 1 {
		return errors.New("start takes -runs N, at least 1, and -json")
	}
	b, err := newBench(ctx)
	if err != nil {
		return err
	}
	defer b.client.Close()
	r, err := b.start(ctx, *runs)
	if err != nil {
		return err
	}
	if *asJSON {
		return r.writeJSON(w)
	}
	return r.writeMarkdown(w)
}
