package closure

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// FuzzIndex makes closures of any index that a step could leave: each is an
// error or has sorted lists.
func FuzzIndex(f *testing.F) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		f.Fatalf("no archives: %v", err)
	}
	for _, name := range names {
		a := readArchive(f, name)
		ix, err := scan.Scan(a.tree, scan.Options{})
		if err != nil {
			continue
		}
		data, err := json.Marshal(ix)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, a.builds[0].main, a.builds[0].mod)
	}
	f.Fuzz(func(t *testing.T, data []byte, main, mod string) {
		var ix scan.Index
		if json.Unmarshal(data, &ix) != nil {
			return
		}
		tree := New(&ix)
		target := targetFor(build{platform: "linux/amd64"})
		target.Mod = mod
		s := tree.For(target)
		for _, dir := range append(mains(&ix, ".", target), main) {
			c, err := s.Of(dir)
			if err != nil {
				continue
			}
			for _, list := range [][]string{c.Files, c.Packages, c.Std, c.External, c.Vendored, c.Missing, c.Cgo} {
				if !slices.IsSorted(list) {
					t.Errorf("%q is not sorted", list)
				}
			}
		}
	})
}
