package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// scanCommand writes the index of a source tree: scan [-names FILE] [-no-work]
// FROM TO MAINS... The graph runs it on the frontend's own image; package llb has its
// arguments. What is wrong with go.mod and go.work is part of the index, which
// is that of the whole tree then. A tree that changed while it was sent has none,
// see [scan.ExitChanged].
func scanCommand(args []string) error {
	flags := flag.NewFlagSet("scan", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	names := flags.String("names", "", "")
	noWork := flags.Bool("no-work", false, "")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	if flags.NArg() < 2 {
		return fmt.Errorf("scan: expected a source tree, a folder to write to and the packages that are built, found %d arguments", flags.NArg())
	}
	from, to, mains := flags.Arg(0), flags.Arg(1), flags.Args()[2:]
	if err := writeIndex(from, *names, to, scan.Options{Mains: mains, NoWork: *noWork}); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	return nil
}

func writeIndex(from, names, to string, opt scan.Options) error {
	if info, err := os.Stat(from); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("expected a source tree, found the file %s", from)
	}
	tree, err := openTree(from, names)
	if err != nil {
		return err
	}
	ix, err := scan.Noted(tree, opt)
	if err != nil {
		return err
	}
	data, err := json.Marshal(ix)
	if err != nil {
		return err
	}
	name := filepath.Join(to, scan.IndexFile)
	if err := writeFile(name, data); err != nil {
		return err
	}
	// A layer with the index has the same bytes whenever it is made.
	epoch := time.Unix(0, 0)
	return errors.Join(os.Chtimes(name, epoch, epoch), os.Chtimes(to, epoch, epoch))
}

// openTree opens a source tree. When a file lists its names, these count,
// whatever contents the tree has.
func openTree(dir, names string) (fs.FS, error) {
	if names == "" {
		return os.DirFS(dir), nil
	}
	data, err := os.ReadFile(names)
	if err != nil {
		return nil, err
	}
	tree := &scan.NamedFS{Names: &scan.Names{}, Content: os.DirFS(dir), Exact: true}
	if err := tree.Names.UnmarshalBinary(data); err != nil {
		return nil, fmt.Errorf("read %s: %w", names, err)
	}
	return tree, nil
}
