package modcache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// trace lists all builds again, in what was written. The go command copies the
// go.mod files that it reads from the cache, which is a proxy now. What it does
// not read there, nobody needs.
func (r *run) trace(ctx context.Context) error {
	proxy := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(r.cache, "cache", "download"))}
	env := []string{
		"GOMODCACHE=" + r.Out, "GOPROXY=" + proxy.String(),
		"GONOPROXY=none", "GONOSUMDB=none", "GOSUMDB=off",
	}
	traces, err := r.traces()
	if err != nil {
		return err
	}
	err = r.listOut(ctx, traces, env)
	// The go command goes on when it cannot write a go.mod file.
	if err == nil && scarce(r.Out) {
		if err := r.listOut(ctx, traces, append(env, "GOPROXY=off")); err != nil {
			return fmt.Errorf("write the module cache: the disk is nearly full, and something is missing: %w", r.say(err))
		}
	}
	switch {
	case err == nil || r.private:
		return r.say(err)
	case ctx.Err() != nil:
		return err
	}
	var e *goError
	if errors.As(err, &e) {
		err = errors.New(strings.TrimSpace(e.text))
	}
	return fmt.Errorf("%w: %w", errSuspect, err)
}

// listOut lists builds in what was written, and compares them.
func (r *run) listOut(ctx context.Context, builds []*build, env []string) error {
	inOut := &run{Options: r.Options, private: r.private, settings: r.settings}
	return parallel(2, builds, func(b *build) error {
		again, err := inOut.list(ctx, b, b.modfile, env)
		if err != nil || b.packages == nil {
			return err
		}
		if path := r.differ(b.packages, again); path != "" {
			return fmt.Errorf("package %s is another one without the rest of the module cache", path)
		}
		return nil
	})
}

// traces are the builds as they were listed, and, where that has changed go.mod,
// also with go.mod as it is: that may ask for more. What is found then is not
// compared, as nothing can be looked up.
func (r *run) traces() ([]*build, error) {
	all := slices.Clone(r.builds)
	for i, b := range r.builds {
		if b.modfile == "" {
			continue
		}
		modfile, err := r.copyModule(b.Build, fmt.Sprintf("trace%d", i))
		if err != nil {
			return nil, err
		}
		all = append(all, &build{Build: b.Build, modfile: modfile})
	}
	return all, nil
}

// differ returns a package that is not the same in what was written.
func (r *run) differ(before, after map[string]*pkg) string {
	paths := slices.Sorted(maps.Keys(before))
	for _, path := range slices.AppendSeq(paths, maps.Keys(after)) {
		b, a := before[path], after[path]
		if a == nil || b == nil {
			return path
		}
		same := reflect.DeepEqual(b.sources, a.sources) && slices.Equal(b.Imports, a.Imports) &&
			slices.Equal(b.EmbedFiles, a.EmbedFiles) && place(r.cache, b.Dir) == place(r.Out, a.Dir)
		if !same {
			return path
		}
	}
	return ""
}

// place is a directory without the module cache that it is in.
func place(cache, dir string) string {
	if rel, ok := inside(cache, dir); ok && dir != "" {
		return rel
	}
	return dir
}
