package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// scenario is something that happens to people who build programs.
type scenario struct {
	name, what string
	platforms  []string
	// empty gives every build a builder that has built nothing.
	empty bool
	// imports lets that builder take a cache which another one exported.
	imports bool
	// fleet builds all binaries of a module.
	fleet bool
	// bumps changes the version of a dependency.
	bumps bool
	// same tells whether all runs build the same binary.
	same bool
	// change is done to the tree before a run.
	change func(ctx context.Context, p *project, run int) error
}

func scenarios() []scenario {
	one := []string{"linux/" + runtime.GOARCH}
	edit := func(_ context.Context, p *project, run int) error { return p.edit(run) }
	docs := func(_ context.Context, p *project, run int) error { return p.editDocs(run) }
	none := func(context.Context, *project, int) error { return nil }
	bump := func(ctx context.Context, p *project, run int) error { return p.bump(ctx, run) }
	return []scenario{
		{name: "cold", what: "an empty builder, one platform", platforms: one, empty: true, same: true, change: none},
		{name: "cold4", what: "an empty builder, four platforms", platforms: four(), empty: true, same: true, change: none},
		{name: "noop", what: "nothing changed", platforms: one, same: true, change: none},
		{name: "docs", what: "a line of the README changed", platforms: one, same: true, change: docs},
		{name: "edit", what: "a line of the main package changed", platforms: one, change: edit},
		{name: "bump", what: "the version of a dependency changed", platforms: one, bumps: true, change: bump},
		{
			name: "ci-edit", what: "a line of the main package changed, an empty builder takes a cache from a registry",
			platforms: one, empty: true, imports: true, change: edit,
		},
		{name: "fleet", what: "many binaries of one module, a line of one main package changed", platforms: one, fleet: true, change: edit},
	}
}

// fill is what comes before ci-edit: a build that exports its cache. It is
// measured once for each contender.
const fill = "ci-fill"

func four() []string {
	return []string{"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/riscv64"}
}

// scenariosOf finds scenarios by name, in their usual order.
func scenariosOf(names []string) ([]scenario, error) {
	for _, name := range names {
		if !slices.ContainsFunc(scenarios(), func(sc scenario) bool { return sc.name == name }) {
			return nil, fmt.Errorf("no scenario %q; there are start, %s", name, strings.Join(scenarioNames(), ", "))
		}
	}
	return slices.DeleteFunc(scenarios(), func(sc scenario) bool { return !slices.Contains(names, sc.name) }), nil
}

func scenarioNames() []string {
	var names []string
	for _, sc := range scenarios() {
		names = append(names, sc.name)
	}
	return names
}
