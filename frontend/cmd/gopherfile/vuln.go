package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/gopherfile/gopherfile/frontend/vuln"
)

// errVulnerable is the error of a binary with code that is known to be
// vulnerable, where that is one.
var errVulnerable = errors.New("vulnerable code found")

// vulnCommand writes what is known to be vulnerable in binaries: vuln [FLAGS]
// FROM TO FILES... The graph runs it in the builder image; package llb has its
// arguments. Files are where sizeCommand has them.
func vulnCommand(args []string) error {
	var report vuln.Report
	flags := flag.NewFlagSet("vuln", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	program := flags.String("govulncheck", "govulncheck", "the program that knows")
	db := flags.String("db", "", "URL of the database")
	flags.StringVar(&report.Platform, "platform", "", "what the binaries are for")
	created := flags.Int64("created", 0, "time of the documents, in seconds since 1970")
	failing := flags.Bool("fail", false, "a finding is an error")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("vuln: %w", err)
	}
	if flags.NArg() < 3 {
		return fmt.Errorf("vuln: expected a folder with binaries, a folder to write to and the names of the binaries, found %d arguments", flags.NArg())
	}
	report.Created = time.Unix(*created, 0)
	from, to := flags.Arg(0), flags.Arg(1)
	look, found := checker{program: *program, db: *db, limit: vulnLimit, most: findingsLimit}, false
	for _, name := range flags.Args()[2:] {
		b, vulnerable, err := look.up(from, name)
		if errors.Is(err, errUnread) && !*failing {
			err = nil
		}
		if err != nil {
			return fmt.Errorf("vuln: %s: %w", name, err)
		}
		found = found || vulnerable
		report.Binaries = append(report.Binaries, b)
	}
	fail := found && *failing
	if err := writeFindings(&report, to, fail); err != nil {
		return fmt.Errorf("vuln: %w", err)
	}
	if fail {
		return errVulnerable
	}
	return nil
}

// writeFindings writes the report. It shows what fails: nobody will see the files,
// and what does not fail is shown by the frontend.
func writeFindings(report *vuln.Report, to string, show bool) error {
	for _, out := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{vuln.TextFile, report.WriteText}, {vuln.SARIFFile, report.WriteSARIF}, {vuln.VEXFile, report.WriteVEX},
	} {
		var b bytes.Buffer
		if err := out.write(&b); err != nil {
			return err
		}
		if show && out.name == vuln.TextFile {
			fmt.Print(b.String())
		}
		if err := writeOutput(filepath.Join(to, out.name), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
