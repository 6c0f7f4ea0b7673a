package modcache

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// listFields are what is asked of every package.
const listFields = "ImportPath,Dir,Standard,Module,Imports,GoFiles,EmbedPatterns,EmbedFiles,CgoFiles,CFiles,CXXFiles,MFiles,HFiles,FFiles,SFiles,SwigFiles,SwigCXXFiles,Error"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Dir        string
	Standard   bool
	Module     *mod
	Imports    []string
	sources
	EmbedPatterns, EmbedFiles []string
	Error                     *struct{ Err string }
}

// sources are the files of a package that are compiled.
type sources struct {
	GoFiles, CgoFiles                                []string
	CFiles, CXXFiles, MFiles, HFiles, FFiles, SFiles []string
	SwigFiles, SwigCXXFiles                          []string
}

// mod is what go list says of a module.
type mod struct {
	Path, Version, Dir string
	Main               bool
	Replace            *mod
	Error              *struct{ Err string }
}

// actual is the module that the files are of.
func (m *mod) actual() *mod {
	if m.Replace != nil {
		return m.Replace
	}
	return m
}

// external reports whether a package was found in the module cache.
func (p *pkg) external() bool {
	return p.Dir != "" && !p.Standard && p.Module != nil && !p.Module.Main && p.Module.actual().Version != ""
}

// listLimit is how many bytes of import paths the go command is given at once.
// Linux takes about 2 MB with the environment.
const listLimit = 256 << 10

// listAll lists all builds.
func (r *run) listAll(ctx context.Context) error {
	err := parallel(2, r.builds, func(b *build) (err error) {
		b.packages, err = r.list(ctx, b, b.modfile, nil)
		return err
	})
	if err != nil {
		return r.say(err)
	}
	r.tree, err = r.readTree()
	return err
}

// nowhere is an import path that no module has. The go command reads the whole
// module graph before it says so, as it does for any import that is misspelled:
// the compiler is to say that, and not which go.mod file it lacks.
const nowhere = "gopherfile.invalid/nowhere"

// list asks which packages a build reaches.
func (r *run) list(ctx context.Context, b *build, modfile string, env []string) (map[string]*pkg, error) {
	args := []string{"list", "-deps", "-e", "-json=" + listFields}
	args = append(args, b.Flags...)
	args = append(args, "-modcacherw")
	imports := b.Imports
	if modfile == "" {
		imports = append(imports[:len(imports):len(imports)], nowhere)
	} else {
		args = append(args, "-modfile="+modfile)
	}
	args = append(args, "--")
	packages := map[string]*pkg{}
	for _, some := range chunks(imports, listLimit) {
		out, err := r.goCommand(ctx, append(b.Env[:len(b.Env):len(b.Env)], env...), append(args[:len(args):len(args)], some...)...)
		if err != nil {
			return nil, err
		}
		for d := json.NewDecoder(bytes.NewReader(out)); ; {
			p := new(pkg)
			if err := d.Decode(p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			packages[p.ImportPath] = p
		}
	}
	if p := packages[nowhere]; p != nil && !r.private && p.Error != nil && corrupt.MatchString(p.Error.Err) {
		return nil, fmt.Errorf("%w: go list finds something wrong", errSuspect)
	}
	delete(packages, nowhere)
	return packages, nil
}

// chunks splits a list into lists of not too many bytes.
func chunks(list []string, limit int) [][]string {
	var all [][]string
	start, size := 0, 0
	for i, s := range list {
		if size += len(s) + 1; size > limit && i > start {
			all = append(all, list[start:i])
			start, size = i, len(s)+1
		}
	}
	return append(all, list[start:])
}

// incomplete reports whether a package is missing that might be downloaded.
func (r *run) incomplete() bool {
	for _, b := range r.builds {
		for _, p := range b.packages {
			if p.Module != nil && p.Module.Error != nil || r.missing(p) {
				return true
			}
		}
	}
	return false
}

// missing reports whether a package of elsewhere was not found.
func (r *run) missing(p *pkg) bool {
	return p.Dir == "" && !p.Standard && !r.ours(p.ImportPath, p)
}

// ours reports whether an import path is that of a package of the tree, which
// has no files here.
func (r *run) ours(path string, p *pkg) bool {
	if p != nil && (p.Standard || p.external()) {
		return false
	}
	for own := range r.tree.own {
		if within(path, own) {
			return true
		}
	}
	return false
}

// within reports whether an import path is that of a module or below it.
func within(path, module string) bool {
	return path == module || strings.HasPrefix(path, module+"/")
}

// inside returns where a file lies in a directory, with slashes.
func inside(dir, name string) (string, bool) {
	rel, err := filepath.Rel(dir, name)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}
