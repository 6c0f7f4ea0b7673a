package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/gopherfile/gopherfile/frontend/size"
)

// sizeCommand writes what binaries are made of: size -platform P FROM TO FILES...
// The graph runs it on the frontend's own image; package llb has its arguments.
// A file DIR/NAME below FROM is what is shipped; DIR-symbols/NAME is the same
// with a symbol table.
func sizeCommand(args []string) error {
	var report size.Report
	flags := flag.NewFlagSet("size", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	flags.StringVar(&report.Platform, "platform", "", "what the binaries are for")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("size: %w", err)
	}
	if flags.NArg() < 3 {
		return fmt.Errorf("size: expected a folder with binaries, a folder to write to and the names of the binaries, found %d arguments", flags.NArg())
	}
	from, to := flags.Arg(0), flags.Arg(1)
	for _, name := range flags.Args()[2:] {
		b, err := sizeOf(from, name)
		if err != nil {
			return fmt.Errorf("size: %w", err)
		}
		report.Binaries = append(report.Binaries, b)
	}
	for _, out := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{size.TextFile, report.WriteText}, {size.JSONFile, report.WriteJSON}, {size.HTMLFile, report.WriteHTML},
	} {
		var b bytes.Buffer
		if err := out.write(&b); err != nil {
			return fmt.Errorf("size: %w", err)
		}
		if err := writeOutput(filepath.Join(to, out.name), b.Bytes()); err != nil {
			return fmt.Errorf("size: %w", err)
		}
	}
	return nil
}

// sizeOf reads a binary with symbols. The size of the file is that of the one
// that is shipped.
func sizeOf(from, name string) (size.Binary, error) {
	shipped, err := os.Stat(filepath.Join(from, name))
	if err != nil {
		return size.Binary{}, err
	}
	dir, base := path.Split(name)
	f, err := os.Open(filepath.Join(from, path.Clean(dir)+"-symbols", base))
	if err != nil {
		return size.Binary{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return size.Binary{}, err
	}
	b, err := size.Read(f, base, info.Size())
	b.File = shipped.Size()
	return b, err
}
