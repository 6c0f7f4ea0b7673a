package modcache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// tree is what the module files say.
type tree struct {
	// own are the paths of modules whose files are in the tree.
	own map[string]bool
	// sums are the lines of go.sum files, but for those of go.mod files.
	sums map[module.Version][]string
	// replaced are modules that another version stands for.
	replaced map[string][]module.Version
}

// readTree reads the module files: those of the workspace, or of the main
// module.
func (r *run) readTree() (*tree, error) {
	t := &tree{own: map[string]bool{}, sums: map[module.Version][]string{}, replaced: map[string][]module.Version{}}
	if r.GOWORK != "" {
		return t, t.readWork(r.GOWORK)
	}
	// A build has go.mod as it is, and as the go command has changed it.
	files := map[string]bool{}
	for _, b := range r.builds {
		files[r.modfile(b.Build)] = true
		if b.modfile != "" {
			files[b.modfile] = true
		}
	}
	for name := range files {
		if err := t.readModule(name); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *tree) readWork(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return err
	}
	t.replace(f.Replace)
	for _, use := range f.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(name), dir)
		}
		if err := t.readModule(filepath.Join(dir, "go.mod")); err != nil {
			return err
		}
	}
	return t.readSums(name + ".sum")
}

func (t *tree) readModule(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return err
	}
	if f.Module != nil {
		t.own[f.Module.Mod.Path] = true
	}
	t.replace(f.Replace)
	return t.readSums(sumFile(name))
}

func (t *tree) replace(all []*modfile.Replace) {
	for _, r := range all {
		if r.New.Version == "" {
			t.own[r.Old.Path] = true
		} else {
			t.replaced[r.Old.Path] = append(t.replaced[r.Old.Path], r.New)
		}
	}
}

// readSums reads a go.sum file, leniently: the go command has read it before.
func (t *tree) readSums(name string) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) != 3 || strings.HasSuffix(f[1], "/go.mod") || !strings.HasPrefix(f[2], "h1:") {
			continue
		}
		m := module.Version{Path: f[0], Version: f[1]}
		t.sums[m] = append(t.sums[m], f[2])
	}
	return nil
}

// candidates are the modules that go.sum knows and that could provide a
// package: their path is the start of its import path.
func (t *tree) candidates(path string) []module.Version {
	var all []module.Version
	for m := range t.sums {
		if within(path, m.Path) {
			all = append(all, m)
		}
	}
	for old, versions := range t.replaced {
		if within(path, old) {
			all = append(all, versions...)
		}
	}
	return all
}

// zipHash is the content of the file that says what a module was when it was
// downloaded. With several lines in go.sum any is as good for the go command.
func (t *tree) zipHash(m module.Version) (string, bool) {
	sums := t.sums[m]
	if len(sums) == 0 {
		return "", false
	}
	return sums[0], true
}

// downloadFile is the path of a file that comes with a module.
func downloadFile(cache string, m module.Version, ext string) (string, error) {
	path, version, err := escape(m)
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "cache", "download", filepath.FromSlash(path), "@v", version+ext), nil
}

// moduleDir is where the files of a module lie.
func moduleDir(cache string, m module.Version) (string, error) {
	path, version, err := escape(m)
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, filepath.FromSlash(path)+"@"+version), nil
}

func escape(m module.Version) (path, version string, err error) {
	path, err = module.EscapePath(m.Path)
	if err != nil {
		return "", "", err
	}
	if version, err = module.EscapeVersion(m.Version); err != nil {
		return "", "", fmt.Errorf("%s: %w", m.Path, err)
	}
	return path, version, nil
}
