package frontend

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// TestBackEnds checks that a build ends whose modules import one more package of
// the context each time that they are asked.
func TestBackEnds(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/gateway/back-missed.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, ahead := range []bool{false, true} {
		f := newFake(t, ar)
		if ahead { // go.sum says that it is likely
			f.locals["context"]["go.sum"] = &fstest.MapFile{Data: []byte("example.com/app v0.9.0/go.mod h1:x=\n")}
		}
		for i := range 2 * maxBack {
			f.locals["context"][fmt.Sprintf("p%d/p.go", i)] = &fstest.MapFile{Data: []byte("package p\n")}
		}
		var imports []string
		f.back = func() []string {
			imports = append(imports, fmt.Sprintf("example.com/app/p%d", len(imports)))
			return slices.Clone(imports)
		}
		f.needs = []string{"what-is-never-there"}
		res, err := Build(t.Context(), f)
		if res != nil || err == nil || !strings.Contains(err.Error(), errBack.Error()) {
			t.Errorf("ahead %v: got %v and %v, want %v", ahead, res, err, errBack)
		}
		if len(imports) != maxBack {
			t.Errorf("ahead %v: got %d times asked, want %d", ahead, len(imports), maxBack)
		}
	}
}
