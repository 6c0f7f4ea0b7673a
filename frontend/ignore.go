package frontend

import (
	"context"
	"fmt"
	"path"
	"strings"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// ignored returns what reports whether a .dockerignore keeps a file from us, as
// one does that was written to copy a finished binary.
func (b *build) ignored() (func(name string) bool, error) {
	m, err := patternmatcher.New(b.excludes)
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	return func(name string) bool {
		excluded, err := m.MatchesOrParentMatches(name)
		return err == nil && excluded
	}, nil
}

// checkIgnore refuses patterns that BuildKit cannot match. It would name
// neither the file nor the line.
func (b *build) checkIgnore(ctx context.Context) error {
	for _, p := range b.excludes {
		if isPattern(p) {
			continue
		}
		name, data, err := b.ignoreFile(ctx)
		if err != nil {
			return err
		}
		e := &scan.Error{File: name}
		for i, line := range strings.Split(string(data), "\n") {
			if read, err := ignorefile.ReadAll(strings.NewReader(line)); err == nil && len(read) == 1 && read[0] == p {
				e.Line, e.Data, p = i+1, data, strings.TrimSpace(line) // not as it was read, with one slash for two
				break
			}
		}
		e.Msg = fmt.Sprintf("%q is not a pattern (expected one such as *.md; \\[ stands for the character)", p)
		return e
	}
	return nil
}

func isPattern(p string) bool {
	m, err := patternmatcher.New([]string{p})
	if err == nil {
		_, err = m.MatchesOrParentMatches("name") // which understands all of it
	}
	return err == nil
}

// ignoreFile returns the file that the patterns come from: the one beside the
// spec, else that of the context.
func (b *build) ignoreFile(ctx context.Context) (name string, data []byte, err error) {
	name = path.Base(b.source.Filename) + dockerui.DefaultDockerignoreName
	if data, err = b.readIn(ctx, b.sourceDef, b.source.Filename+dockerui.DefaultDockerignoreName); err == nil {
		return name, data, nil
	}
	name = dockerui.DefaultDockerignoreName
	st, err := b.mainContext(ctx, "gopherfile-ignore",
		bkllb.ExcludePatterns(nil), bkllb.FollowPaths([]string{name}), dockerui.WithInternalName("load "+name))
	if err != nil {
		return "", nil, err
	}
	def, err := b.marshal(ctx, *st)
	if err != nil {
		return "", nil, err
	}
	data, err = b.readIn(ctx, def, name)
	return name, data, err
}

// readIn reads a file of what a definition makes.
func (b *build) readIn(ctx context.Context, def *pb.Definition, name string) ([]byte, error) {
	ref, err := b.solve(ctx, def)
	if err != nil {
		return nil, err
	}
	return ref.ReadFile(ctx, client.ReadRequest{Filename: name})
}
