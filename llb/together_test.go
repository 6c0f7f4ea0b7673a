package llb

import (
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// TestTogether checks what is listed once, and when.
func TestTogether(t *testing.T) {
	a, b := []string{"a.go", "b.go"}, []string{"b.go", "c.go"}
	for _, tt := range []struct {
		name  string
		lists [][]string
		limit int
		want  []string
	}{
		{"none", nil, 0, nil},
		{"few", [][]string{a, b, nil}, 18, nil},
		{"many", [][]string{a, b, nil}, 17, []string{"a.go", "b.go", "c.go"}},
		{"the same list", [][]string{a, a}, 9, nil},
		{"an equal list", [][]string{a, slices.Clone(a)}, 9, nil},
	} {
		if got := together(tt.lists, tt.limit); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestManyFiles draws binaries that read many files each, and none like another.
func TestManyFiles(t *testing.T) {
	const mains, shared = 40, 4000
	tree := fstest.MapFS{"go.mod": {Data: []byte("module example.com/many\n\ngo 1.26.0\n")}}
	for i := range shared {
		dir := fmt.Sprintf("internal/with/a/name/that/is/rather/long/as/they/are/package%d", i)
		next := ""
		if i+1 < shared {
			next = fmt.Sprintf("import _ \"example.com/many/internal/with/a/name/that/is/rather/long/as/they/are/package%d\"\n", i+1)
		}
		tree[dir+"/p.go"] = &fstest.MapFile{Data: []byte("package p\n\n" + next)}
	}
	spec := "binaries:\n"
	for i := range mains {
		spec += fmt.Sprintf("  main%d: ./cmd/main%d\n", i, i)
		text := fmt.Sprintf("package main\n\nimport _ \"example.com/many/internal/with/a/name/that/is/rather/long/as/they/are/package%d\"\n\nfunc main() {}\n", i)
		tree[fmt.Sprintf("cmd/main%d/main.go", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	tree["Gopherfile.yaml"] = &fstest.MapFile{Data: []byte(spec)}
	g := draw(t, tree, func(o *plan.Options, _ *Input) { o.Target = plan.TargetBinaries }, "linux/amd64")
	def, err := g.Results[0].State.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if size := def.ToPB().SizeVT(); size > 8<<20 {
		t.Errorf("the graph has %d bytes, want less than half of what a message may have", size)
	}
}
