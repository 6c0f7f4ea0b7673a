package frontend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
	"github.com/gopherfile/gopherfile/llb"
)

// generate runs the commands of the spec, for the plan to have the same, and makes
// the tree that they leave the one to read.
func (b *build) generate(ctx context.Context) error {
	if len(b.spec.Generate) == 0 {
		return nil
	}
	index, err := scan.Scan(b.tree, scan.Options{NoWork: plan.NoWork(b.spec)})
	if err != nil {
		return err
	}
	if b.plan, err = plan.Prepare(b.spec, index, b.options); err != nil {
		return err
	}
	unknown, err := b.checkDirs()
	if err != nil {
		return err
	}
	in, err := b.input(ctx)
	if err != nil {
		return err
	}
	for _, i := range unknown {
		if err := b.checkMade(ctx, in, i); err != nil {
			return err
		}
	}
	after, err := b.generated(ctx, in, len(b.plan.Generate))
	if err != nil {
		return err
	}
	b.tree, b.options.Prepared = after, b.plan
	return nil
}

// generated is the source tree behind the first n commands.
func (b *build) generated(ctx context.Context, in llb.Input, n int) (*tree, error) {
	first := *b.plan
	first.Generate = first.Generate[:n]
	def, err := b.marshal(ctx, llb.Source(&first, in))
	if err != nil {
		return nil, err
	}
	ref, err := b.solve(ctx, def)
	if err != nil {
		return nil, b.generateError(ctx, err)
	}
	return &tree{ctx: ctx, ref: ref}, nil
}

// checkDirs looks for the directories in which commands run: BuildKit makes what
// is missing, and the command finds nothing to do there. It returns the commands
// whose directory is not in the context and may be made by one before them.
func (b *build) checkDirs() (unknown []int, err error) {
	var errs spec.ErrorList
	for i := range b.plan.Generate {
		c := &b.plan.Generate[i]
		info, err := b.tree.Stat(c.Dir)
		switch {
		case err == nil && info.IsDir():
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case i > 0:
			unknown = append(unknown, i)
		case err == nil:
			errs = append(errs, b.dirErrorf(c, "%s is a file", c.Dir).WithHelp("expected a directory such as ./api"))
		default:
			errs = append(errs, b.dirErrorf(c, "no directory %s in the context", c.Dir).WithHelp("%s", b.missingHelp(c.Dir, fs.DirEntry.IsDir)))
		}
	}
	return unknown, errs.Err()
}

// checkMade looks for the directory of a command behind those before it.
func (b *build) checkMade(ctx context.Context, in llb.Input, i int) error {
	before, err := b.generated(ctx, in, i)
	if err != nil {
		return err
	}
	c := &b.plan.Generate[i]
	info, err := before.Stat(c.Dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil:
		return spec.ErrorList{b.dirErrorf(c, "%s is a file", c.Dir).WithHelp("expected a directory such as ./api")}
	}
	b.tree = before // for the names in it
	e := b.dirErrorf(c, "no directory %s in the context, and no command before makes it", c.Dir)
	return spec.ErrorList{e.WithHelp("%s", b.missingHelp(c.Dir, fs.DirEntry.IsDir))}
}

// dirErrorf is an error about the directory of a command.
func (b *build) dirErrorf(c *plan.Command, format string, a ...any) *spec.Error {
	return &spec.Error{File: b.source.Filename, Pos: c.DirPos, Msg: "generate: dir: " + fmt.Sprintf(format, a...)}
}
