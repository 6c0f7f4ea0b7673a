package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tree is a folder with sources that scenarios change. A change is always one
// from the original: what a run finds does not depend on the runs before it.
type tree struct {
	dir string
	// originals are the files that were changed, nil where there was none.
	originals map[string][]byte
}

func newTree(dir string) *tree {
	return &tree{dir: dir, originals: map[string][]byte{}}
}

// write replaces a file until the next reset.
func (t *tree) write(name string, data []byte) error {
	file := filepath.Join(t.dir, name)
	if _, ok := t.originals[name]; !ok {
		original, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		t.originals[name] = original
	}
	return os.WriteFile(file, data, 0o644)
}

// add appends a line to a file until the next reset.
func (t *tree) add(name, line string) error {
	data, err := os.ReadFile(filepath.Join(t.dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return t.write(name, append(data, "\n"+line+"\n"...))
}

// reset makes the tree what it was.
func (t *tree) reset() error {
	for name, data := range t.originals {
		file := filepath.Join(t.dir, name)
		var err error
		if data == nil {
			err = os.Remove(file)
		} else {
			err = os.WriteFile(file, data, 0o644)
		}
		if err != nil {
			return err
		}
		delete(t.originals, name)
	}
	return nil
}

// mainFile is the file with func main of a main package.
func (t *tree) mainFile(pkg string) (string, error) {
	files, err := filepath.Glob(filepath.Join(t.dir, pkg, "*.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if strings.Contains("\n"+string(data), "\nfunc main()") && !strings.Contains(string(data), "//go:build") {
			return filepath.Rel(t.dir, file)
		}
	}
	return "", fmt.Errorf("%s: no file with func main", pkg)
}

// edit changes one line of the main package, so that the program is another
// one: the line is reachable, and its text is in the binary.
func (p *project) edit(run int) error {
	pkg := p.main
	if pkg == "" {
		pkg = p.edited
	}
	file, err := p.tree.mainFile(pkg)
	if err != nil {
		return err
	}
	return p.tree.add(file, fmt.Sprintf(
		`func init() { if benchmarkEdit == "" { panic("benchmark") } }; var benchmarkEdit = "edit %d"`, run))
}

// editDocs changes a line of the README.
func (p *project) editDocs(run int) error {
	return p.tree.add("README.md", fmt.Sprintf("Edit %d.", run))
}

// bump sets the dependency to the version of a run.
func (p *project) bump(ctx context.Context, run int) error {
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(p.tree.dir, name))
		if err != nil {
			return err
		}
		if err := p.tree.write(name, data); err != nil { // so that reset knows it
			return err
		}
	}
	if _, err := goOutput(ctx, p.tree.dir, "get", p.bumped+"@"+p.bumps[run-1]); err != nil {
		return err
	}
	// A go.sum that lacks something would fail in the middle of the scenario.
	_, err := goOutput(ctx, p.tree.dir, "list", "-mod=readonly", "-deps", p.main)
	return err
}
