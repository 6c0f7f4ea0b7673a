package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gopherfile/gopherfile/frontend/draft"
	"github.com/gopherfile/gopherfile/frontend/scan"
)

// specName is what a spec is called unless somebody says otherwise.
const specName = "Gopherfile.yaml"

const initUsage = `usage: gopherfile init [-f] [-o FILE] [DIR]

Writes DIR/Gopherfile.yaml for the Go module in DIR, the current directory by
default: what differs from the defaults, and comments on what was found.

  -f, -force   replace a file that exists
  -o FILE      write FILE instead; - is standard output
  -print       the same as -o -
`

// initOptions are the arguments of init.
type initOptions struct {
	dir, file string
	force     bool
}

// initCommand writes a first spec for the Go module in a directory.
func initCommand(args []string) error {
	o, err := parseInit(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(initUsage)
		return nil
	}
	if err == nil {
		err = o.run()
	}
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	return nil
}

// parseInit takes flags before and behind the directory.
func parseInit(args []string) (initOptions, error) {
	o := initOptions{dir: "."}
	flags := flag.NewFlagSet("init", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	flags.BoolVar(&o.force, "f", false, "")
	flags.BoolVar(&o.force, "force", false, "")
	flags.StringVar(&o.file, "o", "", "")
	flags.BoolFunc("print", "", func(string) error {
		o.file = "-"
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		o.dir = flags.Arg(0)
		if err := flags.Parse(flags.Args()[1:]); err != nil {
			return o, err
		}
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("expected one directory, found another one: %s", flags.Arg(0))
	}
	if o.file == "" {
		o.file = filepath.Join(o.dir, specName)
	}
	return o, nil
}

func (o initOptions) run() error {
	if abs, err := filepath.Abs(o.dir); err == nil && abs == filepath.Dir(abs) {
		// In a container without a volume. There is much to walk and nothing to find.
		return fmt.Errorf(`expected the directory of a Go module, found %s (in a container: docker run -v "$PWD:/src" -w /src)`, abs)
	}
	if info, err := os.Stat(o.dir); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("expected the directory of a Go module, found the file %s", o.dir)
	}
	printed := o.file == "-"
	if _, err := os.Lstat(o.file); err == nil && !o.force && !printed {
		return fmt.Errorf("%s exists: nothing was changed (-f replaces it)", o.file)
	}
	d, err := o.draft()
	if err != nil {
		return err
	}
	if printed {
		for _, n := range d.Notes {
			fmt.Fprintln(os.Stderr, "note:", n)
		}
		_, err := os.Stdout.Write(d.Text)
		return err
	}
	if err := writeFile(o.file, d.Text); err != nil {
		return err
	}
	fmt.Print(d.Report(o.file, o.dir))
	return nil
}

// draft reads the directory. Errors name files as the caller would.
func (o initOptions) draft() (*draft.Draft, error) {
	file := o.file
	if file == "-" {
		file = filepath.Join(o.dir, specName)
	}
	opt := draft.Options{File: filepath.Base(file)}
	for _, name := range []string{file + ".dockerignore", filepath.Join(o.dir, ".dockerignore")} {
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		opt.Ignore, opt.IgnoreFile = data, filepath.Base(name)
		break
	}
	d, err := draft.New(os.DirFS(o.dir), opt)
	var in *scan.Error
	switch {
	case errors.As(err, &in):
		e := *in
		e.File = filepath.Join(o.dir, filepath.FromSlash(in.File))
		return nil, &e
	case errors.Is(err, draft.ErrNoModule):
		return nil, o.noModule()
	}
	return d, err
}

// noModule says where a module is when there is none in the directory.
func (o initOptions) noModule() error {
	for dir := filepath.Join(o.dir, ".."); ; dir = filepath.Join(dir, "..") {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return fmt.Errorf("no go.mod in %s: the module's root is %s, run gopherfile init there", o.dir, dir)
		}
		if abs, err := filepath.Abs(dir); err != nil || abs == filepath.Dir(abs) {
			return fmt.Errorf("no go.mod in %s: expected the directory of a Go module", o.dir)
		}
	}
}

// writeFile writes a file or leaves everything as it was. The file belongs to
// the owner of its directory when root writes it, as in a container with a
// volume of the user's.
func writeFile(name string, data []byte) (err error) {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, ".gopherfile-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // the first error is the one to tell
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	chownLike(f, dir)
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
