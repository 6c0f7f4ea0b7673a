// Command bench measures this frontend beside docker/dockerfile, in turns and
// in one run, on the BuildKit that hack/builder env names.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: go run ./hack/bench SCENARIO [-runs N] [-json]

scenarios:
  start   memory and start of the frontend, and a build in which nothing changed

Run it in the root of the checkout, after eval "$(hack/builder env)", with the
frontend pushed to $GOPHERFILE_REGISTRY/gopherfile/gopherfile:1.
`

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
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.Usage = func() { fmt.Fprint(fs.Output(), usage) }
	runs := fs.Int("runs", 10, "")
	asJSON := fs.Bool("json", false, "")
	if len(args) == 0 || args[0] != "start" {
		fs.Usage()
		return errors.New("name a scenario")
	}
	if err := fs.Parse(args[1:]); err != nil {
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
