// Command builder starts and ends the private BuildKit of a checkout:
// buildkitd, an image registry, and the hub that stands in for docker.io.
// It is run by hack/builder, which builds it and tells it where things are.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: hack/builder COMMAND

  up            build what is missing, start what is not running
  env           print the shell's exports: eval "$(hack/builder env)"
  status        tell what is running; exit status 1 if something is not
  down          end what up started, keep the data
  down --data   end it and delete the data: images, build cache

environment of up:
  BUILDKIT_HOST           use that BuildKit; start none
  GOPHERFILE_ASSEMBLE     auto, always or never: assemble golang and
                          docker/dockerfile images here (auto: where docker.io
                          does not answer)
  GOPHERFILE_BUILDER_DIR  keep everything there instead of in .builder
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "hack/builder:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("builder", flag.ContinueOnError)
	fs.Usage = func() { fmt.Fprint(fs.Output(), usage) }
	var l layout
	fs.StringVar(&l.root, "root", "", "the checkout")
	fs.StringVar(&l.dir, "dir", "", "where the builder keeps its things")
	if err := fs.Parse(args); err != nil {
		return ignoreHelp(err)
	}
	if l.root == "" || l.dir == "" {
		return errors.New("-root and -dir are needed; run hack/builder")
	}
	return command(ctx, l, fs.Args())
}

func command(ctx context.Context, l layout, args []string) error {
	name := "help"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.Usage = func() { fmt.Fprint(fs.Output(), usage) }
	data := new(bool)
	if name == "down" {
		data = fs.Bool("data", false, "delete the data too")
	}
	if err := fs.Parse(args); err != nil {
		return ignoreHelp(err)
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("%s takes no argument %q", name, fs.Arg(0))
	}

	switch name {
	case "up":
		return up(ctx, l)
	case "env":
		return printEnv(os.Stdout, l)
	case "status":
		return printStatus(ctx, os.Stdout, l)
	case "down":
		return down(ctx, l, *data)
	case "help":
		fmt.Print(usage)
		return nil
	}
	fmt.Fprint(os.Stderr, usage)
	return fmt.Errorf("unknown command %q", name)
}

func ignoreHelp(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	return err
}

// progress prints a line for the person who waits.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
