package frontend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/llb"
)

// maxBack is how often the plan is made again because modules import packages of
// the tree. Those may import further modules, but hardly ever do.
const maxBack = 10

// lookBack completes a plan by what other modules import of the tree. Only the
// modules know, so they are downloaded first; where none can do so, nothing is.
func (b *build) lookBack(ctx context.Context) error {
	for range maxBack {
		back, err := b.back(ctx)
		if err != nil {
			return err
		}
		if len(back) == 0 || reflect.DeepEqual(back, b.options.Back) {
			return nil
		}
		b.options.Back = back
		imported := slices.Concat(slices.Collect(maps.Values(back))...)
		slices.Sort(imported) // they are part of a key
		if b.index, err = b.scan(ctx, slices.Compact(imported)...); err != nil {
			return err
		}
		if b.plan, err = plan.Resolve(b.spec, b.index, b.options); err != nil {
			return err
		}
	}
	return errors.New("modules import packages of the context, which import other modules, and so on without an end")
}

// back returns what modules import of the tree, by binary.
func (b *build) back(ctx context.Context) (map[string][]string, error) {
	back := map[string][]string{}
	known := map[*plan.Modules][]string{}
	for i := range b.plan.Targets {
		t := &b.plan.Targets[i]
		for j := range t.Binaries {
			bin := &t.Binaries[j]
			if bin.Modules == nil || !bin.Modules.Back {
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
	def, err := b.marshal(ctx, llb.Back(b.plan, in, m))
	if err != nil {
		return nil, err
	}
	ref, err := b.solve(ctx, def)
	if err != nil {
		return nil, err
	}
	data, err := readAll(ctx, ref, llb.BackFile, maxIndex)
	if err != nil {
		return nil, fmt.Errorf("read what modules import of the context: %w", err)
	}
	var found struct{ Imports []string }
	if err := json.Unmarshal(data, &found); err != nil {
		return nil, fmt.Errorf("read what modules import of the context: %w", err)
	}
	return found.Imports, nil
}
