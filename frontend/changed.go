package frontend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	bkllb "github.com/moby/buildkit/client/llb"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/llb"
)

// checkContext makes sure that what was built is of files as they were when the
// client listed them. It is asked when all has been transferred, with the error of
// the build: a file that changed is the reason why a command failed.
func (b *build) checkContext(ctx context.Context, in *llb.Input, failed error) error {
	if b.sources == nil || failed != nil && !commandFailed(failed) {
		return failed
	}
	if err := b.checkSent(ctx, in.Beside, b.beside); err != nil && (failed == nil || errors.Is(err, scan.ErrChanged)) {
		return err
	}
	if failed != nil {
		return failed
	}
	return b.checkSent(ctx, in.Context, b.imageFiles())
}

func commandFailed(err error) bool {
	_, ok := errors.AsType[*gatewaypb.ExitError](err)
	return ok
}

// imageFiles are the files of the context that images hold.
func (b *build) imageFiles() []string {
	found := map[string]bool{}
	for i := range b.plan.Targets {
		for _, f := range b.plan.Targets[i].Files {
			if f.Context != "" || f.URL != "" {
				continue
			}
			found[f.Path] = true
		}
	}
	var names []string
	for _, p := range slices.Sorted(maps.Keys(found)) {
		root, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "*")
		if at := strings.IndexAny(root, `?[\`); at >= 0 {
			root = root[:at]
		}
		names = append(names, b.sources.files.Names.Starting(root)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkSent compares files of a transfer with what the client said of them when
// it listed the names. A client sends what it can read when it comes to a file:
// of one that was deleted nothing, of one that is being written a part. BuildKit
// takes that. The scan checks what it reads itself.
func (b *build) checkSent(ctx context.Context, st bkllb.State, names []string) error {
	if len(names) == 0 {
		return nil
	}
	def, err := b.marshal(ctx, st)
	if err != nil {
		return err
	}
	// It has been transferred for a step: this does not do it again.
	sent, err := b.load(ctx, def)
	if err != nil {
		return err
	}
	dirs := map[string][]string{}
	for _, name := range names {
		dirs[path.Dir(name)] = append(dirs[path.Dir(name)], name)
	}
	for _, name := range names { // in order: the first that is wrong is the error
		if some := dirs[path.Dir(name)]; some[0] == name {
			if err := b.checkDir(sent, some); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkDir compares files of one directory.
func (b *build) checkDir(sent *tree, names []string) error {
	entries, err := sent.ReadDir(path.Dir(names[0]))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // without its files, a folder does not arrive
		return fmt.Errorf("read the build context: %w", err)
	}
	for _, name := range names {
		size, known := b.sources.files.Names.Size(name)
		if !known {
			continue // a link, or what the go command will miss
		}
		at, found := slices.BinarySearchFunc(entries, path.Base(name), func(e fs.DirEntry, base string) int {
			return strings.Compare(e.Name(), base)
		})
		if !found {
			return fmt.Errorf("%s is gone: %w: build again", name, scan.ErrChanged)
		}
		if info, err := entries[at].Info(); err == nil && info.Size() != size {
			return fmt.Errorf("%s has %d bytes instead of %d: %w: build again", name, info.Size(), size, scan.ErrChanged)
		}
	}
	return nil
}
