package frontend

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/spec"
	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/llb"
)

// maxProofs is how many states with binaries are read at a time. The daemon
// evaluates them beside the images.
const maxProofs = 8

// proof is what the binaries of a target were found to be.
type proof struct {
	target *plan.Target
	// defs are the states with the binaries, and paths where they are in them.
	defs  []*pb.Definition
	paths [][]string
	// facts and problems are those of the binaries, in the order of the plan.
	facts    []*verify.Facts
	problems [][]verify.Problem
	// unknownUser is the error of an image that does not know its user.
	unknownUser *spec.Error
	// result is what was built.
	result client.Reference
}

// proofs are what is to be proven of a graph.
func (b *build) proofs(ctx context.Context, m *llb.Marshaler, g *llb.Graph) ([]*proof, error) {
	all := make([]*proof, len(g.Results))
	for i, r := range g.Results {
		t := &b.plan.Targets[i]
		n := len(t.Binaries)
		if len(r.Outputs) == 0 {
			n = 0 // the result is about binaries, and holds none
		}
		p := &proof{target: t, facts: make([]*verify.Facts, n), problems: make([][]verify.Problem, n)}
		for _, out := range r.Outputs {
			def, err := define(ctx, m, out.State)
			if err != nil {
				return nil, err
			}
			p.defs, p.paths = append(p.defs, def), append(p.paths, out.Paths)
		}
		all[i] = p
	}
	return all, nil
}

// prove reads the binaries of a target and compares them with the plan. The
// states are read beside each other, within the limit of all targets.
func (b *build) prove(ctx context.Context, p *proof, limit chan struct{}) error {
	waits := make([]func() error, len(p.defs))
	at := 0
	for i := range p.defs {
		first := at
		waits[i] = beside(func() error {
			limit <- struct{}{}
			defer func() { <-limit }()
			return b.proveState(ctx, p, i, first)
		})
		at += len(p.paths[i])
	}
	var first error
	for _, wait := range waits {
		first = cmp.Or(first, wait())
	}
	return first
}

// proveState reads the binaries of one state, of which the first has a number.
func (b *build) proveState(ctx context.Context, p *proof, i, first int) error {
	ref, err := b.solve(ctx, p.defs[i])
	if err != nil {
		return err
	}
	for j, name := range p.paths[i] {
		bin := &p.target.Binaries[first+j]
		r, err := openRef(ctx, ref, name)
		if err != nil {
			return fmt.Errorf("read the binary %s for %s: %w", bin.Name, platforms.Format(p.target.Platform), err)
		}
		facts, err := verify.Read(r, r.size)
		if err != nil {
			return fmt.Errorf("read the binary %s for %s: %w", bin.Name, platforms.Format(p.target.Platform), err)
		}
		p.facts[first+j] = facts
		p.problems[first+j] = verify.Judge(facts, verify.PromiseOf(b.plan, p.target, bin))
	}
	return nil
}

// loadable looks for what dynamic programs need in the image that they are in.
// Static ones need nothing, and the image is not looked at.
func (b *build) loadable(ctx context.Context, p *proof, image client.Reference) error {
	if b.plan.FilesOnly || p.target.Base == "" || p.target.Port.OS != "linux" {
		return nil
	}
	for i, facts := range p.facts {
		if facts == nil || len(p.problems[i]) > 0 {
			continue
		}
		bin := &p.target.Binaries[i]
		problems, err := verify.Loadable(facts, &tree{ctx: ctx, ref: image}, bin.Path)
		if err != nil {
			return fmt.Errorf("look for what %s needs in its image: %w", bin.Name, err)
		}
		p.problems[i] = problems
	}
	return nil
}

// proven returns the binaries that are not what the plan promised, and the users
// that their images do not know, as one error with their places in the spec.
func (b *build) proven(all []*proof) error {
	var broken spec.ErrorList
	for _, p := range all {
		if p.unknownUser != nil {
			broken = append(broken, p.unknownUser)
		}
		for i, problems := range p.problems {
			if len(problems) == 0 {
				continue
			}
			bin := &p.target.Binaries[i]
			var text strings.Builder
			fmt.Fprintf(&text, "the binary %s for %s is not what it should be:", bin.Name, platforms.Format(p.target.Platform))
			for _, problem := range problems {
				text.WriteString("\n  " + problem.String())
			}
			broken = append(broken, &spec.Error{File: b.source.Filename, Pos: bin.Pos, Msg: text.String()})
		}
	}
	return broken.Err()
}

// proveTarget solves the image of a target and proves its binaries, beside each
// other: a build without changes waits no longer for both than for one.
func (b *build) proveTarget(ctx context.Context, p *proof, def *pb.Definition, limit chan struct{}) (client.Reference, error) {
	proved := beside(func() error { return b.prove(ctx, p, limit) })
	ref, err := b.solve(ctx, def)
	// What fails for the binary fails for the image, and is explained once.
	if err = cmp.Or(err, proved()); err != nil {
		return nil, b.stepError(ctx, p.target, err)
	}
	p.result = ref
	if err := b.loadable(ctx, p, ref); err != nil {
		return ref, err
	}
	return ref, b.checkUser(ctx, p, ref)
}
