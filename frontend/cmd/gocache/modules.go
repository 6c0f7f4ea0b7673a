package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gopherfile/gopherfile/frontend/modcache"
)

// The go command waits for an answer without an end. After silence people are
// told, after limit it is ended: no proxy takes so long to begin an answer.
const (
	silence = 30 * time.Second
	limit   = 10 * time.Minute
)

const modulesUsage = `usage: gocache modules -want FILE -out DIR [-back FILE]

`

// modules fills a module cache with what some builds reach.
func modules(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("gocache modules", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), modulesUsage)
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

// options are those of all downloads.
func options() (modcache.Options, error) {
	dir, err := os.Getwd()
	return modcache.Options{Dir: dir, Temp: os.TempDir(), Env: os.Environ(), Stderr: os.Stderr, Silence: silence, Limit: limit}, err
}

// download fills the module cache that others read as it is.
func download(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	opt, err := options()
	if err != nil {
		return err
	}
	return modcache.Download(ctx, opt)
}

func fill(ctx context.Context, want, out, back string) error {
	data, err := os.ReadFile(want)
	if err != nil {
		return err
	}
	opt, err := options()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &opt.Want); err != nil {
		return fmt.Errorf("%s: %w", want, err)
	}
	if opt.Out, err = filepath.Abs(out); err != nil {
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
