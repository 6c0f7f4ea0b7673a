package frontend

import (
	"encoding/json"
	"slices"
	"testing/fstest"

	"github.com/moby/buildkit/solver/pb"
)

// ledBack is what a download says of imports that lead back to the context.
func (f *fake) ledBack() (fstest.MapFS, error) {
	imports := f.back()
	data, err := json.Marshal(map[string][]string{"imports": imports})
	file := &fstest.MapFile{Data: data}
	if len(imports) == 0 {
		return fstest.MapFS{"back.json": file}, err
	}
	return fstest.MapFS{"back.json": file, "cache/back.json": file}, err
}

// lacks reports whether a command is a compile to which a file is not copied that
// it needs.
func (f *fake) lacks(command *pb.Meta, ops []vertex) bool {
	return command.Args[0] == "go" && command.Args[1] == "build" && slices.ContainsFunc(f.needs, func(name string) bool {
		return !slices.ContainsFunc(ops, func(v vertex) bool {
			return slices.ContainsFunc(v.op.GetFile().GetActions(), func(a *pb.FileAction) bool {
				return slices.Contains(a.GetCopy().GetIncludePatterns(), name)
			})
		})
	})
}
