package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/gopherfile/gopherfile/frontend/rootfs"
)

// rootfsCommand writes the files that scratch lacks. The graph runs it on the
// frontend's own image; package llb has its arguments.
func rootfsCommand(args []string) error {
	var o rootfs.Options
	flags := flag.NewFlagSet("rootfs", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	from := flags.String("from", "/", "root file system of the builder image")
	flags.BoolVar(&o.Certs, "certs", false, "copy the CA certificates")
	flags.BoolVar(&o.Tzdata, "tzdata", false, "unpack the time zones")
	flags.BoolVar(&o.Passwd, "passwd", false, "write users and groups")
	flags.BoolVar(&o.Tmp, "tmp", false, "make /tmp")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("rootfs: %w", err)
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("rootfs: expected one folder to write to, found %d", flags.NArg())
	}
	missing, err := rootfs.Write(*from, flags.Arg(0), o)
	for _, m := range missing {
		fmt.Fprintf(os.Stderr, "the builder image has no %s\n", m)
	}
	return err
}
