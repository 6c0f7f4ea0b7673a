package modcache

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// selected is what is copied of a module.
type selected struct {
	module.Version
	dir string
	// whole is true for all files.
	whole bool
	// dirs are directories of packages, and the patterns of what they embed.
	dirs map[string][]string
}

// selection is what is copied, by module.
func (r *run) selection() (map[module.Version]*selected, error) {
	sel := map[module.Version]*selected{}
	for _, b := range r.builds {
		for _, p := range b.packages {
			m, dir, ok := p.moduleOf()
			if !ok {
				continue
			}
			s := sel[m]
			if s == nil {
				s = &selected{Version: m, dir: dir, dirs: map[string][]string{}}
				sel[m] = s
			}
			rel, ok := inside(dir, p.Dir)
			if !ok {
				return nil, fmt.Errorf("package %s is outside of its module", p.ImportPath)
			}
			s.dirs[rel] = append(s.dirs[rel], p.EmbedPatterns...)
			s.whole = s.whole || p.includes()
		}
	}
	return sel, nil
}

// moduleOf returns the module that a package is copied of. What the go command
// unpacks of the standard library with GOFIPS140 is none: it unpacks that again
// where the copies are, and nobody else writes there.
func (p *pkg) moduleOf() (m module.Version, dir string, ok bool) {
	if !p.external() {
		return m, "", false
	}
	a := p.Module.actual()
	return module.Version{Path: a.Path, Version: a.Version}, p.Module.Dir, true
}

// includes reports whether a package may read files of other directories while
// it is compiled.
func (p *pkg) includes() bool {
	if len(p.CgoFiles)+len(p.SwigFiles)+len(p.SwigCXXFiles) > 0 {
		return true
	}
	for _, list := range [][]string{p.SFiles, p.HFiles, p.CFiles, p.CXXFiles, p.MFiles, p.FFiles} {
		for _, name := range list {
			data, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil || elsewhere.Match(bytes.ReplaceAll(data, []byte("\\\n"), nil)) {
				return true
			}
		}
	}
	return false
}

// elsewhere matches an include of a path, or of what a macro says.
var elsewhere = regexp.MustCompile(`(?m)^[ \t]*#[ \t]*(include|include_next|import)\b([^\n]*/|[ \t]*[^" \t<])`)

// names lists the files to copy.
func (s *selected) names(man *manifest) []string {
	var names []string
	for name := range man.files {
		dir := path.Dir(name)
		_, wanted := s.dirs[dir]
		wanted = wanted || s.whole && !slices.Contains(strings.Split(dir, "/"), "testdata")
		if wanted && !strings.HasSuffix(name, "_test.go") || s.embeds(name) {
			names = append(names, name)
		}
	}
	return names
}

// embeds reports whether a package embeds a file. It is not asked what the go
// command has found: in a directory that is embedded it does not miss a file.
func (s *selected) embeds(name string) bool {
	for dir := name; dir != "."; {
		dir = path.Dir(dir)
		for _, pattern := range s.dirs[dir] {
			rel := name
			if dir != "." {
				rel = name[len(dir)+1:]
			}
			if embeds(pattern, rel) {
				return true
			}
		}
	}
	return false
}

// embeds reports whether a pattern matches a file, or a directory that it is in
// without being hidden.
func embeds(pattern, name string) bool {
	pattern, all := strings.CutPrefix(pattern, "all:")
	for dir := name; dir != "."; dir = path.Dir(dir) {
		if ok, err := path.Match(pattern, dir); ok && err == nil {
			return all || !hidden.MatchString(name[len(dir):])
		}
	}
	return false
}

// hidden matches what is not embedded with a directory.
var hidden = regexp.MustCompile(`/[._]`)

// missed looks for packages that were not found although they are in a module
// that go.sum knows: they have been deleted in the shared cache.
func (r *run) missed() error {
	if r.private {
		return nil
	}
	for _, b := range r.builds {
		for _, p := range b.packages {
			if !r.missing(p) {
				continue
			}
			for _, m := range r.tree.candidates(p.ImportPath) {
				if err := r.missedIn(p, m); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *run) missedIn(p *pkg, m module.Version) error {
	dir, err := moduleDir(r.cache, m)
	if err != nil || !within(p.ImportPath, m.Path) {
		return nil // no module that the go command would look at
	}
	if _, err := os.Stat(dir); err != nil {
		return nil // another version
	}
	man, err := r.manifest(m, dir)
	if err != nil {
		return err
	}
	in := path.Clean(strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, m.Path), "/"))
	for _, name := range man.dirs[in] {
		if strings.HasSuffix(name, ".go") {
			return fmt.Errorf("%w: package %s is in %s and was not found", errSuspect, p.ImportPath, m)
		}
	}
	return nil
}
