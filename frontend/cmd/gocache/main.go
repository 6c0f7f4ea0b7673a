// The command gocache is what build steps run beside the go command: it keeps
// the go command's cache in several places, named by GOCACHEPROG and started by
// the go command, and it fills module caches.
//
// It imports little and prints no version: the same source gives the same bytes,
// whatever changes around it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gopherfile/gopherfile/frontend/gocache"
	"github.com/gopherfile/gopherfile/frontend/modcache"
)

const usage = `usage: GOCACHEPROG='gocache [flags]' go build ...
       gocache go build FLAGS -- PACKAGES
       gocache modules -want FILE -out DIR [-back FILE]
       gocache download

The first keeps the go command's cache. The second compiles those of the
packages that can be compiled, and does not fail because of the others. The
third fills a module cache with what builds reach, the fourth with all modules.

`

func main() {
	err := run(os.Args[1:])
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	// A go command that ends early has said why.
	if !errors.Is(err, gocache.ErrAbandoned) && !errors.Is(err, modcache.ErrGo) {
		fmt.Fprintln(os.Stderr, "gocache:", err)
	}
	os.Exit(1)
}

func run(args []string) error {
	switch {
	case len(args) > 0 && args[0] == "modules":
		return modules(context.Background(), args[1:])
	case len(args) > 0 && args[0] == "download":
		return download(context.Background(), args[1:])
	case len(args) > 0 && !strings.HasPrefix(args[0], "-"):
		return gocache.Attempt(context.Background(), args, os.Stdout, os.Stderr)
	}
	opt := gocache.Options{Temp: os.TempDir(), Now: time.Now}
	flags := flag.NewFlagSet("gocache", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	layer := func(base bool) func(string) error {
		return func(dir string) error {
			opt.Layers = append(opt.Layers, gocache.Layer{Dir: dir, Base: base})
			return nil
		}
	}
	flags.Func("layer", "read objects from `DIR`; may be repeated, the first comes first", layer(false))
	flags.Func("base", "like -layer, but -out does not repeat what is found in `DIR`", layer(true))
	flags.StringVar(&opt.Store, "store", "", "read and write objects in `DIR`, which other builds may share")
	flags.StringVar(&opt.Out, "out", "", "write all objects that were used to `DIR`, as a layer")
	flags.DurationVar(&opt.Wait, "wait", 5*time.Minute, "how long to wait for a package that another build compiles")
	flags.StringVar(&opt.Stats, "stats", "", "write counts to `FILE`, as JSON")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return gocache.Serve(os.Stdin, os.Stdout, opt)
}
