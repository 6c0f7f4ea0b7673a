package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// suite runs scenarios with contenders.
type suite struct {
	env        *environment
	contenders []contender
	store      *store
	runs       int
	machine    string
}

// turn is a contender that has runs left in a scenario.
type turn struct {
	scenario  scenario
	project   *project
	contender contender
	setup     string
}

func (t turn) key(run int) key { return key{t.scenario.name, t.project.name, t.contender.name(), run} }

// turns are the contenders that can do a scenario. Of those that cannot it
// writes down why.
func (s *suite) turns(sc scenario, p *project) ([]turn, error) {
	var list []turn
	for _, c := range s.contenders {
		t := turn{sc, p, c, c.setup(p)}
		err := s.store.forget(func(r record) bool {
			return r.Scenario == sc.name && r.Program == p.name && r.Contender == c.name() && r.Setup != t.setup
		})
		if err != nil {
			return nil, err
		}
		why := c.unable(sc, p)
		if why == "" {
			list = append(list, t)
			continue
		}
		s.env.progress("%s %s without %s: %s", p.name, sc.name, c.name(), why)
		r := s.blank(t, 1)
		r.Unable = why
		if err := s.store.add(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// left are the turns of a run that have no record yet. Every other run goes
// through the contenders backwards.
func (s *suite) left(turns []turn, run int) []turn {
	list := slices.DeleteFunc(slices.Clone(turns), func(t turn) bool { return s.store.has(t.key(run), t.setup) })
	if run%2 == 0 {
		slices.Reverse(list)
	}
	return list
}

// empty runs a scenario in which every build has an empty builder.
func (s *suite) empty(ctx context.Context, sc scenario, p *project) error {
	turns, err := s.turns(sc, p)
	if err != nil {
		return err
	}
	if sc.imports {
		if err := s.fill(ctx, turns); err != nil {
			return err
		}
	}
	for run := 1; run <= s.runs; run++ {
		left := s.left(turns, run)
		if len(left) == 0 {
			continue
		}
		if err := sc.change(ctx, p, run); err != nil {
			return err
		}
		for _, t := range left {
			j := s.job(t)
			if sc.imports {
				j.cacheFrom = s.cache(t)
			}
			if err := s.once(ctx, t, j, run); err != nil {
				return err
			}
		}
		if err := p.tree.reset(); err != nil {
			return err
		}
	}
	return nil
}

// once measures one build with a builder of its own.
func (s *suite) once(ctx context.Context, t turn, j job, run int) (err error) {
	b, err := t.contender.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	r, _, err := s.measure(ctx, t, b, j, run)
	if err != nil {
		return err
	}
	if j.cacheTo != "" {
		if r.CacheBytes, r.CacheBuilderBytes, err = s.env.cacheSize(ctx, j.cacheTo, t.project.release); err != nil {
			return err
		}
	}
	return s.store.add(r)
}

// fill exports the caches that the runs of a scenario import.
func (s *suite) fill(ctx context.Context, turns []turn) error {
	for _, t := range turns {
		t.scenario.name = fill
		if s.store.has(t.key(1), t.setup) && s.env.hasCache(ctx, s.cache(t)) {
			continue
		}
		j := s.job(t)
		// As in CI, where the first build imports a cache that does not exist yet.
		j.cacheTo, j.cacheFrom = s.cache(t), s.cache(t)
		if err := s.once(ctx, t, j, 1); err != nil {
			return err
		}
	}
	return nil
}

// warm runs scenarios with builders that have built the program before. Every
// contender has one, for all of them.
func (s *suite) warm(ctx context.Context, list []scenario, p *project) (err error) {
	all := make([][]turn, len(list))
	var needed []turn // one for each contender with runs left
	for i, sc := range list {
		if all[i], err = s.turns(sc, p); err != nil {
			return err
		}
		for run := 1; run <= s.runs; run++ {
			for _, t := range s.left(all[i], run) {
				if !slices.ContainsFunc(needed, func(n turn) bool { return n.contender == t.contender }) {
					needed = append(needed, t)
				}
			}
		}
	}
	ready := map[contender]*prepared{}
	defer func() {
		for _, b := range ready {
			err = errors.Join(err, b.close())
		}
	}()
	for _, t := range needed {
		b, err := s.prepare(ctx, t)
		if err != nil {
			return err
		}
		ready[t.contender] = b
	}
	for i, sc := range list {
		for run := 1; run <= s.runs; run++ {
			if err := s.round(ctx, sc, p, s.left(all[i], run), ready, run); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepared is a builder that has built a program, and what came of it.
type prepared struct {
	builder
	digests map[string]string
}

func (s *suite) prepare(ctx context.Context, t turn) (*prepared, error) {
	b, err := t.contender.open(ctx)
	if err != nil {
		return nil, err
	}
	p := &prepared{builder: b}
	s.env.progress("%s: %s builds what is changed later", t.project.name, t.contender.name())
	// Twice: what is done at the second time and never again is no part of a
	// scenario.
	for _, oneByOne := range []bool{true, false} {
		j := s.job(t)
		j.oneByOne = oneByOne
		out, err := b.build(ctx, j)
		if err != nil {
			return nil, errors.Join(err, b.close())
		}
		p.digests = out.digests
	}
	return p, nil
}

// round changes the tree and lets the contenders build it, in turns.
func (s *suite) round(ctx context.Context, sc scenario, p *project, turns []turn, ready map[contender]*prepared, run int) error {
	if len(turns) == 0 {
		return nil
	}
	if err := sc.change(ctx, p, run); err != nil {
		return err
	}
	for _, t := range turns {
		b := ready[t.contender]
		r, out, err := s.measure(ctx, t, b, s.job(t), run)
		if err != nil {
			return err
		}
		for name, dgst := range out.digests {
			if dgst == b.digests[name] {
				r.Kept++
			}
		}
		if err := s.store.add(r); err != nil {
			return err
		}
	}
	return p.tree.reset()
}

// measure builds, with a look at all that is counted.
func (s *suite) measure(ctx context.Context, t turn, b builder, j job, run int) (record, outcome, error) {
	syscall.Sync() // what others have written is not written back in our time
	s.env.meter.reset()
	spent, own := busy(), ownCPU()
	out, err := b.build(ctx, j)
	if err != nil {
		return record{}, out, fmt.Errorf("%s %s: %w", t.project.name, t.scenario.name, err)
	}
	others := busy() - spent - (ownCPU() - own) - out.cpu
	passed := s.env.meter.reset()
	r := s.blank(t, run)
	r.Seconds, r.CPUSeconds, r.PeakBytes = round(out.seconds, 3), round(out.cpu, 2), out.peak
	r.OthersPercent = round(100*max(0, others)/(out.seconds*float64(cpus())), 1)
	r.PulledBytes, r.PushedBytes = passed.of(""), passed.pushed
	if j.cacheFrom != "" {
		r.PulledCacheBytes = passed.of(repositoryOf(j.cacheFrom))
	}
	r.Images, r.Steps = len(out.digests), out.steps
	r.Digest = out.digests[t.project.changed()]
	for _, step := range out.steps {
		if step.compiles() {
			r.Compiles++
		}
	}
	s.env.progress("%s %s, run %d, %s: %.1f s, %.1f s of CPU, others had %.0f %%",
		t.project.name, t.scenario.name, run, t.contender.name(), r.Seconds, r.CPUSeconds, r.OthersPercent)
	return r, out, nil
}

func (s *suite) blank(t turn, run int) record {
	return record{
		Scenario: t.scenario.name, Program: t.project.name, Contender: t.contender.name(), Run: run,
		Setup: t.setup, Machine: s.machine,
	}
}

func (s *suite) job(t turn) job {
	return job{
		project: t.project, platforms: t.scenario.platforms,
		repo: s.env.registry + "/" + measured + t.project.name + "-" + t.contender.name(),
	}
}

// cache is the reference of a contender's cache. It has the setup's name: a
// cache of another frontend is never imported.
func (s *suite) cache(t turn) string {
	return s.env.registry + "/" + measured + "cache-" + t.project.name + "-" + t.contender.name() + ":" + t.setup
}

// repositoryOf cuts the registry and the tag off a reference.
func repositoryOf(ref string) string {
	_, repo, _ := strings.Cut(ref, "/")
	repo, _, _ = strings.Cut(repo, ":")
	return repo
}

// run runs scenarios, each with its program. Those that need a warm builder of
// the same program share it.
func (s *suite) run(ctx context.Context, list []scenario, programName string) error {
	projects := map[string]*project{}
	warm := map[string][]scenario{}
	var order []string
	for _, sc := range list {
		prog, err := programOf(programName, sc)
		if err != nil {
			return err
		}
		p := projects[prog.name]
		if p == nil {
			if p, err = fetch(ctx, prog, filepath.Join(s.env.work, "source", prog.name)); err != nil {
				return fmt.Errorf("sources of %s: %w", prog.name, err)
			}
			projects[prog.name] = p
			// The hub may assemble the builder image, which is nobody's time.
			b := &bench{registry: s.env.registry}
			if _, err := b.imageManifest(ctx, builderImage, p.release+"-alpine"); err != nil {
				return err
			}
		}
		if !sc.empty {
			if warm[prog.name] == nil {
				order = append(order, prog.name)
			}
			warm[prog.name] = append(warm[prog.name], sc)
			continue
		}
		if err := s.empty(ctx, sc, p); err != nil {
			return err
		}
	}
	for _, name := range order {
		if err := s.warm(ctx, warm[name], projects[name]); err != nil {
			return err
		}
	}
	return nil
}
