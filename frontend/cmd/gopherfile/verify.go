package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/gopherfile/gopherfile/frontend/verify"
)

const verifyUsage = `usage: gopherfile verify [--json] FILE...

Verify prints what each file is: format and machine, how it is linked, symbols,
and what the go command wrote into it. It fails when one of them is damaged or
was not built by the go command.

  --json  print a list of objects
`

// verified is what is known of one file.
type verified struct {
	File string `json:"file"`
	*verify.Facts
	Error string `json:"error,omitempty"`
}

// verifyCommand prints what files are: verify [--json] FILE...
func verifyCommand(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("verify", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	asJSON := fs.Bool("json", false, "")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, err = io.WriteString(out, verifyUsage)
		return err
	case err != nil:
		return fmt.Errorf("verify: %w", err)
	case fs.NArg() == 0:
		return errors.New("verify: expected files, found none")
	}
	var errs []error
	all := make([]verified, fs.NArg())
	for i, name := range fs.Args() {
		all[i].File = name
		facts, err := readFile(name)
		if all[i].Facts = facts; err != nil {
			all[i].Error = err.Error()
			errs = append(errs, fmt.Errorf("verify: %w", err))
		}
	}
	if err := printVerified(out, all, *asJSON); err != nil {
		return err
	}
	return errors.Join(errs...)
}

// readFile reads the facts of a file. There may be some beside an error.
func readFile(name string) (*verify.Facts, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: expected a regular file", name)
	}
	facts, err := verify.Read(f, info.Size())
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(facts.Damage) > 0:
		return facts, fmt.Errorf("%s: %s", name, facts.Damage[0])
	case facts.Go == nil:
		return facts, fmt.Errorf("%s: the go command wrote nothing into it", name)
	}
	return facts, nil
}

// printVerified prints a page for each file, or all as JSON.
func printVerified(out io.Writer, all []verified, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	for _, v := range all {
		if v.Facts == nil {
			continue // the error says why
		}
		if err := v.WritePage(out, v.File); err != nil {
			return err
		}
	}
	return nil
}
