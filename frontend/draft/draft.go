// Package draft is the first spec of a source tree: what a Gopherfile.yaml must
// say for the programs that are there, and no more.
//
// A spec with the syntax line alone is complete when package plan finds the
// program by itself. Otherwise the draft names it, or several. What a reader
// may want but cannot be known, such as whether generated files are committed,
// is a comment. Ports, environment and private modules are never guessed.
//
// Main packages in directories that hold helpers (contrib, doc, docs, e2e,
// example, examples, hack, integration, internal, script, scripts, test,
// testdata, tests, tool, tools) are left out and written as comments, unless
// there are no others. A main package right in a directory cmd is no helper,
// whatever its name.
//
// Invariant: a [Draft] depends on the tree and the options alone. The package
// writes nothing.
package draft

import (
	"errors"
	"io/fs"
	"path"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// ErrNoModule says that the tree holds no Go module.
var ErrNoModule = errors.New("no go.mod: expected the directory of a Go module")

// Options says what the spec is written for.
type Options struct {
	// File is the name of the spec, for messages.
	File string
	// Ignore is the content of the file that says what the build does not see,
	// and IgnoreFile its name: .dockerignore or one beside the spec.
	Ignore     []byte
	IgnoreFile string
}

// Draft is a spec, and what its reader should know.
type Draft struct {
	// Text is the content of the spec.
	Text []byte
	// Binaries are what the spec builds, in its order.
	Binaries []Binary
	// FilesOnly is true when no image can hold the binaries: they are for
	// another system than Linux and Windows.
	FilesOnly bool
	// Notes are what stands in the way of a build, a sentence each.
	Notes []string
}

// Binary is what a spec builds.
type Binary struct {
	// Name is the name of the binary and of its target.
	Name string
	// Main is the main package as a spec names it, such as ./cmd/server.
	Main string
}

// drafter is one run of [New].
type drafter struct {
	tree     fs.FS
	opt      Options
	index    *scan.Index
	ignore   *ignore
	programs []*program // all that there are, but for what the build does not see

	port   port       // what is built for
	chosen []*program // what there is to build
	found  *program   // the one of them that is built without being named, or nil
	left   []*program // what else a spec could name
}

// New drafts the spec of a tree. An error of a go.mod or go.work file is a
// [*scan.Error]; without any such file it is [ErrNoModule].
func New(tree fs.FS, opt Options) (*Draft, error) {
	ix, err := scan.Scan(tree, scan.Options{})
	if err != nil {
		return nil, err
	}
	d := &drafter{tree: tree, opt: opt, index: ix}
	if err := d.checkModules(); err != nil {
		return nil, err
	}
	if d.ignore, err = d.readIgnore(); err != nil {
		return nil, err
	}
	d.findPrograms()
	if err := d.choose(); err != nil {
		return nil, err
	}
	text, err := d.text()
	if err != nil {
		return nil, err
	}
	return &Draft{Text: text, Binaries: d.binaries(), FilesOnly: !d.port.hasImages(), Notes: d.notes()}, nil
}

// checkModules reports that there is no module, or none that can be read.
func (d *drafter) checkModules() error {
	if len(d.index.Modules) == 0 {
		return ErrNoModule
	}
	for i := range d.index.Modules {
		if d.index.Modules[i].Err == nil {
			return nil
		}
	}
	return d.index.Modules[0].Err
}

// binaries are the chosen programs under the names that they will have.
func (d *drafter) binaries() []Binary {
	var list []Binary
	built := d.built()
	for _, p := range built {
		b := Binary{Name: p.name, Main: arg(p.dir)}
		if len(built) > 1 {
			b.Name = p.key
		}
		list = append(list, b)
	}
	return list
}

// notes are what stands in the way of a build.
func (d *drafter) notes() []string {
	var notes []string
	if n := d.ignore.note(d.opt.File); n != "" {
		notes = append(notes, n)
	}
	var cgo []string
	for _, p := range d.programs {
		if p.cgo && p.side == "" {
			cgo = append(cgo, arg(p.dir))
		}
	}
	if len(cgo) > 0 {
		notes = append(notes, "left out, since cgo is off: "+list(cgo))
	}
	if file := d.noRelease(); file != "" {
		notes = append(notes, file+" has no go line: add one, or write go: with a release into the spec")
	}
	return notes
}

// noRelease returns the go.mod that fails to name the Go release which the
// build needs, "" when there is a release.
func (d *drafter) noRelease() string {
	built := d.built()
	for _, p := range built {
		w := d.index.WorkOf(p.module.Dir)
		if p.module.Go+p.module.Toolchain != "" || w != nil && w.Go+w.Toolchain != "" {
			return "" // the newest one decides for all
		}
	}
	return path.Join(built[0].module.Dir, "go.mod")
}
