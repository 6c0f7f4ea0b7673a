package frontend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// maxPasswd is how much of a passwd or group file is read. Those of images have
// a few kB; in a larger one every name is taken for known.
const maxPasswd = 1 << 20

// checkUser looks for the names of a user in the files that runtimes look into.
// An image that knows them from the plan, or has numbers, is not looked at.
func (b *build) checkUser(ctx context.Context, p *proof, image client.Reference) error {
	im := &p.target.Image
	if b.plan.FilesOnly || !im.UserUnknown {
		return nil
	}
	files := &tree{ctx: ctx, ref: image}
	user, group, _ := strings.Cut(im.User, ":")
	for _, id := range []struct{ name, file string }{{user, "etc/passwd"}, {group, "etc/group"}} {
		if id.name == "" || plan.IsNumber(id.name) {
			continue
		}
		known, names, err := hasName(files, id.file, id.name)
		if err != nil {
			return fmt.Errorf("look for the user %s in its image: %w", im.User, err)
		}
		if !known {
			e := &spec.Error{File: b.source.Filename, Pos: im.UserPos, Msg: fmt.Sprintf("image.user: the image knows no %q", id.name)}
			p.unknownUser = e.WithHelp("%s", nameHelp(id.name, id.file, names))
			return nil
		}
	}
	return nil
}

// hasName reports whether a file of names and numbers has a name, and which
// names there are: nil when there is no such file.
func hasName(files fs.FS, file, name string) (known bool, names []string, err error) {
	f, err := files.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil, nil
	}
	if err != nil {
		return false, nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPasswd))
	if err != nil {
		return false, nil, err
	}
	names = []string{}
	for line := range strings.Lines(string(data)) {
		if n, _, found := strings.Cut(line, ":"); found {
			names = append(names, n)
			known = known || n == name
		}
	}
	return known || len(data) == maxPasswd, names, nil
}

// nameHelp says what the image knows.
func nameHelp(name, file string, names []string) string {
	if names == nil && slices.Contains(plan.UserNames(), name) {
		return "it has no /" + file + ": write passwd: true, or a number"
	}
	if names == nil {
		return "it has no /" + file + ": expected a number"
	}
	if near := spec.Nearest(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return "expected a number, or a name of its /" + file
}
