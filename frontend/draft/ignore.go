package draft

import (
	"bytes"
	"fmt"
	"path"
	"slices"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// ignore is what keeps files of the tree from the build.
type ignore struct {
	file    string
	matcher *patternmatcher.PatternMatcher
	// hidden are files and packages that a build needs and does not see.
	hidden []string
}

// readIgnore reads the patterns of the ignore file as BuildKit does.
func (d *drafter) readIgnore() (*ignore, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(d.opt.Ignore))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.opt.IgnoreFile, err)
	}
	ig := &ignore{file: d.opt.IgnoreFile}
	if ig.matcher, err = patternmatcher.New(patterns); err != nil {
		return nil, fmt.Errorf("%s: %w", d.opt.IgnoreFile, err)
	}
	return ig, nil
}

// excludes reports whether the build does not see a file.
func (ig *ignore) excludes(name string) bool {
	// An error is one of a pattern, and New has tried all of them.
	match, err := ig.matcher.MatchesOrParentMatches(name)
	return err == nil && match
}

// hides reports whether a package of a module cannot be built, since none of
// its files or no go.mod is seen.
func (ig *ignore) hides(p *scan.Package, m *scan.Module) bool {
	if ig.excludes(path.Join(m.Dir, "go.mod")) {
		return true
	}
	return !slices.ContainsFunc(p.Files, func(f scan.File) bool { return !ig.excludes(path.Join(p.Dir, f.Name)) })
}

// look notes what is hidden of the modules of programs. Helpers are not
// missed.
func (ig *ignore) look(ix *scan.Index, programs []*program) {
	var modules []*scan.Module
	for _, p := range programs {
		if !slices.Contains(modules, p.module) {
			modules = append(modules, p.module)
		}
	}
	if ix.Work != nil && ig.excludes("go.work") {
		ig.hidden = append(ig.hidden, "go.work")
	}
	for _, m := range modules {
		if mod := path.Join(m.Dir, "go.mod"); ig.excludes(mod) {
			ig.hidden = append(ig.hidden, mod)
		}
		if sum := path.Join(m.Dir, "go.sum"); m.Sum && ig.excludes(sum) {
			ig.hidden = append(ig.hidden, sum)
		}
	}
	for i := range ix.Packages {
		p := &ix.Packages[i]
		hidden := func(f scan.File) bool { return ig.excludes(path.Join(p.Dir, f.Name)) }
		if slices.Contains(modules, ix.ModuleOf(p.Dir)) && sideOf(p.Dir) == "" && slices.ContainsFunc(p.Files, hidden) {
			ig.hidden = append(ig.hidden, arg(p.Dir))
		}
	}
}

// note says what is hidden and how a spec of that name changes it, "" when
// nothing is.
func (ig *ignore) note(spec string) string {
	if len(ig.hidden) == 0 {
		return ""
	}
	note := fmt.Sprintf("%s keeps from the build: %s", ig.file, list(ig.hidden))
	if own := spec + ".dockerignore"; own != ig.file {
		note += "; a file " + own + " is read in its place"
	}
	return note
}
