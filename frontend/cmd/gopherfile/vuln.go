package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"time"

	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/frontend/vuln"
)

// errVulnerable is the error of a binary with code that is known to be
// vulnerable, where that is one.
var errVulnerable = errors.New("vulnerable code found")

// errUnread is the error of a binary that govulncheck cannot look into. Nobody
// knows what is in it, which is no error unless a finding would be one.
var errUnread = errors.New("look into the binary for another platform")

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
	found := false
	for _, name := range flags.Args()[2:] {
		b, vulnerable, err := lookUp(*program, *db, from, name)
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

// vulnLimit is how long govulncheck may take for a binary: it waits for a database
// on the network without an end.
const vulnLimit = 10 * time.Minute

// lookUp asks govulncheck about a binary, and reports whether it has code that
// is vulnerable. The binary with symbols says what is linked; the sum is that of
// the one that is shipped.
func lookUp(program, db, from, name string) (vuln.Binary, bool, error) {
	dir, base := path.Split(name)
	whole := filepath.Join(from, path.Clean(dir)+"-symbols", base)
	b := vuln.Binary{Name: base}
	facts, err := readFile(whole)
	if err != nil {
		return b, false, err
	}
	switch facts.Format {
	case verify.FormatELF, verify.FormatPE, verify.FormatMachO:
	default: // as of Plan 9, of AIX and WebAssembly
		b.Text, b.SARIF, b.VEX = []byte("govulncheck cannot read a binary of this format."), []byte("{}"), []byte("{}")
		return b, false, fmt.Errorf("govulncheck cannot read %s: %w", facts.Format, errUnread)
	}
	b.Module = facts.Go.Main.Path
	shipped, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		return b, false, err
	}
	b.SHA256 = fmt.Sprintf("%x", sha256.Sum256(shipped))
	var stream bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), vulnLimit)
	defer cancel()
	look := exec.CommandContext(ctx, program, "-mode=binary", "-format=json", "-db="+db, whole)
	look.Stdout, look.Stderr = &stream, os.Stderr
	switch err := look.Run(); {
	case ctx.Err() != nil:
		return b, false, fmt.Errorf("govulncheck took more than %v: does %s answer?", vulnLimit, db)
	case err != nil:
		return b, false, fmt.Errorf("govulncheck: %w", err)
	}
	vulnerable := false
	for _, form := range []struct {
		name string
		out  *[]byte
	}{{"text", &b.Text}, {"sarif", &b.SARIF}, {"openvex", &b.VEX}} {
		var out bytes.Buffer
		convert := exec.Command(program, "-mode=convert", "-format="+form.name)
		convert.Stdin, convert.Stdout, convert.Stderr = bytes.NewReader(stream.Bytes()), &out, os.Stderr
		err := convert.Run()
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit) && exit.ExitCode() == 3:
			vulnerable = true
		case err != nil:
			return b, false, fmt.Errorf("govulncheck -format=%s: %w", form.name, err)
		}
		*form.out = out.Bytes()
	}
	return b, vulnerable, nil
}
