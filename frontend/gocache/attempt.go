package gocache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// Attempt runs a go build of packages whose objects others will want: args are
// go build, its flags, -- and the packages. What cannot be loaded is left out,
// and what does not compile is no error: whoever needs it will be told, in the
// words of his own go command. An error is a command that could not run at all,
// or one of which something was killed or could not be written: its objects would
// be missed for as long as the output of this is kept.
func Attempt(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	at := slices.Index(args, "--")
	if at < 2 {
		return fmt.Errorf("expected go build, its flags, -- and packages, found %q", args)
	}
	run := func(args []string) (failed bool, err error) {
		c := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // G204: it is what the caller wants to be run
		var said bytes.Buffer
		c.Stdout, c.Stderr = stdout, io.MultiWriter(stderr, &said)
		failed, err = exited(c.Run())
		if line := broken.Find(said.Bytes()); failed && line != nil {
			err = fmt.Errorf("%s %s broke off: %s", args[0], args[1], bytes.TrimSpace(line))
		}
		return failed, err
	}
	failed, err := run(args)
	if err != nil || !failed {
		return err
	}
	loadable, err := loadable(ctx, args[:at], args[at+1:], stderr)
	if err != nil || len(loadable) == 0 || len(loadable) == len(args[at+1:]) {
		return err
	}
	_, err = run(append(slices.Clone(args[:at+1]), loadable...))
	return err
}

// broken is what the go command says of a compiler that was killed, for its memory
// as a rule, and of a cache program that could not write.
var broken = regexp.MustCompile(`(?m)^.*: (signal: .*|gocache: write .*)$`)

// loadable returns the packages that can be loaded with all that they import.
func loadable(ctx context.Context, build, packages []string, stderr io.Writer) ([]string, error) {
	list := slices.Concat([]string{"list", "-e", "-f", "{{if not (or .Error .DepsErrors)}}{{.ImportPath}}{{end}}"}, build[2:], []string{"--"}, packages)
	var out bytes.Buffer
	c := exec.CommandContext(ctx, build[0], list...) //nolint:gosec // G204: it is what the caller wants to be run
	c.Stdout, c.Stderr = &out, stderr
	_, err := exited(c.Run())
	return strings.Fields(out.String()), err
}

// exited tells a command that has ended with a failure from one that did not
// come to its end.
func exited(err error) (failed bool, _ error) {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return true, nil
	}
	return err != nil, err
}
