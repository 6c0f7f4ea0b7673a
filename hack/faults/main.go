// Command faults breaks things around builds on purpose and looks at what comes
// of it: it kills daemons, clients and programs, fills disks, damages caches,
// and puts itself between a build and its registries and module proxy. It also
// makes many builds at once. What it sees becomes docs/reliability.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
)

const usage = `usage: go run ./hack/faults [FLAG...]

Tries all faults, and builds of different projects at once. It needs root, the
environment of hack/builder, and the frontend of this checkout in
$GOPHERFILE_REGISTRY/gopherfile/gopherfile:1.

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// options are what the user asks for.
type options struct {
	only   *regexp.Regexp
	builds int
	doc    string
}

func parseOptions(args []string) (*options, error) {
	o := &options{only: regexp.MustCompile("")}
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	flags.Func("run", "try only the faults whose group and name match `REGEXP`", func(s string) (err error) {
		o.only, err = regexp.Compile(s)
		return err
	})
	flags.IntVar(&o.builds, "builds", 50, "make `N` builds at once, 0 for none")
	flags.StringVar(&o.doc, "doc", "", "write the tables into `FILE`, between its markers")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

// dataDir is where the daemon's data is kept from run to run.
func dataDir(root string) string {
	if dir := os.Getenv("GOPHERFILE_BUILDER_DIR"); dir != "" {
		return filepath.Join(dir, "faults")
	}
	return filepath.Join(root, ".builder", "faults")
}

func run(ctx context.Context, args []string, w io.Writer) (err error) {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(dataDir("."))
	if err != nil {
		return err
	}
	world, err := newWorld(ctx, dir, w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.close()) }()
	if err := world.begin(ctx); err != nil {
		return err
	}
	rec, err := readRecord(dir)
	if err != nil {
		return err
	}
	wrong, err := world.tryAll(ctx, o.only, rec)
	if err != nil {
		return err
	}
	if o.builds > 0 {
		fmt.Fprintf(w, "%d builds at once\n", o.builds)
		if rec.Loads, err = world.gather(ctx, o.builds); err != nil {
			return err
		}
	}
	fmt.Fprint(w, rec.tables())
	err = rec.write(dir)
	if o.doc != "" {
		err = errors.Join(err, rewriteDoc(o.doc, rec.tables()))
	}
	if wrong > 0 {
		err = errors.Join(err, fmt.Errorf("%d faults did not end as they should", wrong))
	}
	return err
}

// tryAll tries the faults that match, and returns how many did not end as they
// should.
func (w *world) tryAll(ctx context.Context, only *regexp.Regexp, rec *record) (wrong int, err error) {
	for _, f := range allFaults() {
		if !only.MatchString(f.group + ": " + f.name) {
			continue
		}
		s := w.try(ctx, &f)
		fmt.Fprintln(w.log, s)
		if ctx.Err() != nil {
			return wrong, ctx.Err()
		}
		if s.Wrong != "" {
			wrong++
		}
		rec.add(s)
		if err := rec.write(w.dir); err != nil {
			return wrong, err
		}
	}
	return wrong, nil
}

// String is a fault and what it did, for those who watch.
func (s *seen) String() string {
	text := fmt.Sprintf("%s: %s\n\t%.1fs  %s\n\tnext %.1fs", s.Group, s.Name, s.Took.Seconds(), s.Said, s.Next.Seconds())
	if s.Wrong != "" {
		text += "\n\tWRONG: " + s.Wrong
	}
	return text
}
