package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/llb"
)

// maxBack is how often the plan is made again because modules import packages of
// the tree. Those may import further modules, but hardly ever do.
const maxBack = 10

// errBack is the error of a plan that never is complete.
var errBack = errors.New("modules import packages of the context, which import other modules, and so on without an end")

// lookBack completes a plan by what other modules import of the tree, where the
// plan says that they are likely to. Only the modules know, so they are downloaded
// first.
func (b *build) lookBack(ctx context.Context) error {
	for range maxBack {
		more, err := b.planBack(ctx, func(bin *plan.Binary) bool { return bin.Modules.Back })
		if err != nil || !more {
			return err
		}
	}
	return errBack
}

// untilBack builds, and does so again with another plan when a compile has failed
// that was not given what modules import of the tree. Nothing tells that before
// the download, and to wait for that would cost every build what hardly any needs.
func (b *build) untilBack(ctx context.Context, build func() error) error {
	for range maxBack {
		err := build()
		name := failedCompile(err)
		if name == "" {
			return err
		}
		more, lookErr := b.planBack(ctx, func(bin *plan.Binary) bool { return bin.Name == name })
		if lookErr != nil || !more {
			return err // the compile's own error is the one to show
		}
	}
	return errBack
}

// failedCompile returns the name of the binary whose compile has failed, "" when
// it was something else.
func failedCompile(err error) string {
	exit, ok := errors.AsType[*gatewaypb.ExitError](err)
	if !ok || exit.ExitCode == killedCode {
		return ""
	}
	_, step, _ := strings.Cut(stepName(err), " ") // behind the platforms
	name, _, ok := strings.Cut(step, "] go build ")
	if !ok {
		return ""
	}
	return name
}

// planBack plans again with what the modules of some binaries import of the tree,
// and reports whether that made a difference.
func (b *build) planBack(ctx context.Context, some func(*plan.Binary) bool) (bool, error) {
	back, err := b.back(ctx, some)
	if err != nil || reflect.DeepEqual(back, b.options.Back) {
		return false, err
	}
	imported := slices.Concat(slices.Collect(maps.Values(back))...)
	slices.Sort(imported) // they are part of a key
	index, err := b.scan(ctx, slices.Compact(imported)...)
	if err != nil {
		return false, err
	}
	opt := b.options
	opt.Back = back
	p, err := plan.Resolve(b.spec, index, opt)
	if err != nil {
		return false, err
	}
	before := b.plan
	b.options, b.index, b.plan = opt, index, p
	return !reflect.DeepEqual(before, p), nil
}

// back returns what modules import of the tree, by binary: what is known, and what
// is found of some binaries. Nil: nothing.
func (b *build) back(ctx context.Context, some func(*plan.Binary) bool) (map[string][]string, error) {
	back := maps.Clone(b.options.Back)
	known := map[*plan.Modules][]string{}
	for i := range b.plan.Targets {
		t := &b.plan.Targets[i]
		for j := range t.Binaries {
			bin := &t.Binaries[j]
			if bin.Modules == nil || !some(bin) {
				continue
			}
			imports, ok := known[bin.Modules]
			if !ok {
				var err error
				if imports, err = b.importsBack(ctx, bin.Modules); err != nil {
					return nil, b.stepError(ctx, t, err)
				}
				known[bin.Modules] = imports
			}
			if len(imports) > 0 {
				if back == nil {
					back = map[string][]string{}
				}
				back[bin.Name] = imports
			}
		}
	}
	return back, nil
}

// importsBack downloads modules and returns what they import of the tree.
func (b *build) importsBack(ctx context.Context, m *plan.Modules) ([]string, error) {
	in, err := b.input(ctx)
	if err != nil {
		return nil, err
	}
	st, name := llb.Back(b.plan, in, m)
	def, err := b.marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	ref, err := b.solve(ctx, def)
	if err != nil {
		return nil, err
	}
	data, err := readAll(ctx, ref, name, maxIndex)
	switch {
	case err != nil && !m.Back && errors.Is(pathError("open", name, err), fs.ErrNotExist):
		return nil, nil // a module cache says nothing of nothing
	case err != nil:
		return nil, fmt.Errorf("read what modules import of the context: %w", err)
	}
	var found struct{ Imports []string }
	if err := json.Unmarshal(data, &found); err != nil {
		return nil, fmt.Errorf("read what modules import of the context: %w", err)
	}
	return found.Imports, nil
}
