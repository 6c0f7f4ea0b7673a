package draft

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// packages are those that a reader may want a hint about: packages of modules
// with a program, without helpers.
func (d *drafter) packages() []*scan.Package {
	var modules []*scan.Module
	for _, p := range d.chosen {
		modules = append(modules, p.module)
	}
	var list []*scan.Package
	for i := range d.index.Packages {
		p := &d.index.Packages[i]
		if sideOf(p.Dir) == "" && slices.Contains(modules, d.index.ModuleOf(p.Dir)) {
			list = append(list, p)
		}
	}
	return list
}

// cgo is a comment about packages that only cgo compiles.
func (d *drafter) cgo() string {
	var dirs []string
	for _, p := range d.packages() {
		release := d.index.ModuleOf(p.Dir).Go
		if !builds(p, d.port.has(release, false)) && builds(p, d.port.has(release, true)) {
			dirs = append(dirs, arg(p.Dir))
		}
	}
	if len(dirs) == 0 {
		return ""
	}
	return "# These need cgo, which is off, and so does what imports them: " + list(dirs) + "\n"
}

// generate is a comment about directives for go generate: nobody but the
// reader knows whether the results are in the tree.
func (d *drafter) generate() (string, error) {
	var modules []string // directories, in the order of their first directive
	first := ""
	for _, p := range d.packages() {
		m := d.index.ModuleOf(p.Dir)
		for i := range p.Files {
			name := path.Join(p.Dir, p.Files[i].Name)
			found, err := d.hasDirective(name)
			if err != nil {
				return "", err
			}
			if !found {
				continue
			}
			if first == "" {
				first = name
			}
			if !slices.Contains(modules, m.Dir) {
				modules = append(modules, m.Dir)
			}
		}
	}
	if first == "" {
		return "", nil
	}
	text := "# Files such as " + first + " hold //go:generate. Where the results are not in the tree:\n# generate:"
	if len(modules) == 1 && modules[0] == "." {
		return text + " go generate ./...\n", nil
	}
	for _, dir := range modules {
		if dir == "." {
			text += "\n#   - go generate ./..."
		} else {
			text += fmt.Sprintf("\n#   - {run: go generate ./..., dir: %s}", scalar(arg(dir)))
		}
	}
	return text + "\n", nil
}

// hasDirective reports whether a file holds a directive, as go generate finds
// them: at the start of a line, be it inside of a text.
func (d *drafter) hasDirective(name string) (bool, error) {
	data, err := fs.ReadFile(d.tree, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // a link that leads nowhere
	}
	if err != nil {
		return false, err
	}
	for line := range bytes.Lines(data) {
		rest, ok := bytes.CutPrefix(line, []byte("//go:generate"))
		if ok && (bytes.HasPrefix(rest, []byte(" ")) || bytes.HasPrefix(rest, []byte("\t"))) {
			return true, nil
		}
	}
	return false, nil
}
