// The command gomodcache fills a module cache with what some builds reach. It
// runs in a step of a build, in an image with the go command.
//
// It knows no version, and nothing of the project around it: the same source
// gives the same bytes.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gopherfile/gopherfile/frontend/modcache"
)

const usage = `usage: gomodcache -want FILE -out DIR [-back FILE]

`

func main() {
	err := run(context.Background(), os.Args[1:])
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	// A go command that failed has said why.
	if !errors.Is(err, modcache.ErrGo) {
		fmt.Fprintln(os.Stderr, "gomodcache:", err)
	}
	os.Exit(1)
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("gomodcache", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	want := flags.String("want", "", "read from `FILE` what builds import, as JSON")
	out := flags.String("out", "", "write the module cache to `DIR`, which is empty")
	back := flags.String("back", "", "write to `FILE` what modules import of the source tree, as JSON")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case *want == "" || *out == "":
		return errors.New("-want and -out must be given")
	}
	return fill(ctx, *want, *out, *back)
}

func fill(ctx context.Context, want, out, back string) error {
	data, err := os.ReadFile(want)
	if err != nil {
		return err
	}
	opt := modcache.Options{Temp: os.TempDir(), Env: os.Environ(), Stderr: os.Stderr}
	if err := json.Unmarshal(data, &opt.Want); err != nil {
		return fmt.Errorf("%s: %w", want, err)
	}
	if opt.Out, err = filepath.Abs(out); err != nil {
		return err
	}
	if opt.Dir, err = os.Getwd(); err != nil {
		return err
	}
	found, err := modcache.Fill(ctx, opt)
	if err != nil || back == "" {
		return err
	}
	if data, err = json.Marshal(found); err != nil {
		return err
	}
	return os.WriteFile(back, append(data, '\n'), 0o644)
}
