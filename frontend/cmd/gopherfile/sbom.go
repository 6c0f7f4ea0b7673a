package main

import (
	"crypto/sha1" //nolint:gosec // SPDX wants this sum of every file
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gopherfile/gopherfile/frontend/sbom"
	"github.com/gopherfile/gopherfile/frontend/verify"
)

// sbomCommand writes what binaries are made of: sbom [FLAGS] FROM TO FILES...
// The graph runs it on the frontend's own image; package llb has its arguments.
// A file is DIR/NAME below FROM, and called NAME in the document: each binary
// has a folder of its own.
func sbomCommand(args []string) error {
	var in sbom.Input
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	flags.StringVar(&in.Name, "name", "", "name of the image or of the folder")
	flags.BoolVar(&in.Image, "image", false, "the files are in an image")
	created := flags.Int64("created", 0, "time of the document, in seconds since 1970")
	flags.StringVar(&in.Revision, "revision", "", "what was built")
	flags.StringVar(&in.Source, "source", "", "where it is from")
	flags.StringVar(&in.Base.Name, "base", "", "image below the files")
	flags.StringVar(&in.Base.Digest, "base-digest", "", "digest of that image")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("sbom: %w", err)
	}
	if flags.NArg() < 2 {
		return fmt.Errorf("sbom: expected a folder with binaries, a folder to write to and the names of the binaries, found %d arguments", flags.NArg())
	}
	in.Created = time.Unix(*created, 0)
	if err := writeSBOM(in, flags.Arg(0), flags.Arg(1), flags.Args()[2:]); err != nil {
		return fmt.Errorf("sbom: %w", err)
	}
	return nil
}

func writeSBOM(in sbom.Input, from, to string, names []string) error {
	for _, name := range names {
		f, err := describe(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if f.Info == nil {
			fmt.Fprintf(os.Stderr, "%s has no build info that can be read: its modules are not listed\n", name)
		}
		_, f.Name, _ = strings.Cut(name, "/")
		in.Files = append(in.Files, f)
	}
	data, err := sbom.Write(in)
	if err != nil {
		return err
	}
	return writeOutput(filepath.Join(to, sbom.FileName), data)
}

// describe reads a binary. One without build info is a file like any other.
func describe(name string) (sbom.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return sbom.File{}, err
	}
	defer f.Close()
	first, second := sha1.New(), sha256.New() //nolint:gosec // SPDX wants it
	if _, err := io.Copy(io.MultiWriter(first, second), f); err != nil {
		return sbom.File{}, err
	}
	out := sbom.File{SHA1: fmt.Sprintf("%x", first.Sum(nil)), SHA256: fmt.Sprintf("%x", second.Sum(nil))}
	st, err := f.Stat()
	if err != nil {
		return sbom.File{}, err
	}
	facts, err := verify.Read(f, st.Size())
	if err != nil {
		return sbom.File{}, err
	}
	// A WebAssembly module may have a release and nothing else.
	if facts.Go != nil && facts.Go.Path != "" {
		out.Info = facts.Go
	}
	return out, nil
}

// writeOutput writes a file that has the same time whenever it is made.
func writeOutput(name string, data []byte) error {
	if err := os.WriteFile(name, data, 0o644); err != nil {
		return err
	}
	epoch := time.Unix(0, 0)
	return os.Chtimes(name, epoch, epoch)
}
