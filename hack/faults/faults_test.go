package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// start starts a world with the frontend of this checkout.
func start(t *testing.T) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves the real builder out")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWorld(t.Context(), dataDir(root), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	if err := pushFrontend(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	if err := w.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestFaults tries one or two faults of each kind; go run ./hack/faults tries
// all. Then it makes some builds at once.
func TestFaults(t *testing.T) {
	w := start(t)
	for _, f := range allFaults() {
		if !f.quick {
			continue
		}
		t.Run(f.group+"/"+f.name, func(t *testing.T) {
			s := w.try(t.Context(), &f)
			t.Log(s)
			if s.Wrong != "" {
				t.Error(s.Wrong)
			}
		})
	}
	t.Run("builds at once", func(t *testing.T) {
		if _, err := w.gather(t.Context(), 4); err != nil {
			t.Error(err)
		}
	})
}

// TestTable checks what becomes of results.
func TestTable(t *testing.T) {
	r := &record{
		Faults: []*seen{
			{Group: "A group", Name: "a fault", Said: "ERROR: failed to build: failed to solve: no | here", Took: 1500 * time.Millisecond, Next: 12 * time.Second},
			{Group: "A group", Name: "a fault", Said: "the same image", Wrong: "something"},
		},
		Loads: []load{{What: "nothing is known", Builds: 50, Wall: time.Minute, Daemon: 200e6, Frontends: 90e6, Frontend: 3e6, Most: 30}},
	}
	got := r.tables()
	_, got, _ = strings.Cut(got, "\n") // says how many processors there are
	want := `
### A group

| fault | what was seen | time | next build |
|---|---|---|---|
| a fault | ` + "`no \\| here`" + ` | 1.5 s | the same image, 12 s |
| a fault | the same image | 0.0 s | **wrong** |

### Many builds at once

| builds | before them | wall time | daemon, most memory | frontends at a time | memory of all frontends, most | of one frontend, most |
|---|---|---|---|---|---|---|
| 50 | nothing is known | 60 s | 200 MB | 30 | 90 MB | 3 MB |
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRecord checks that a fault that is tried again stands where it stood, and
// that one that is tried no more does not stay.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	all := allFaults()
	r, err := readRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	r.Faults = []*seen{{Group: "gone", Name: "gone"}}
	for _, i := range []int{2, 0, 2} {
		r.add(&seen{Group: all[i].group, Name: all[i].name, Said: "new"})
	}
	if err := r.write(dir); err != nil {
		t.Fatal(err)
	}
	back, err := readRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range back.Faults {
		got = append(got, s.Group+": "+s.Name+": "+s.Said)
	}
	want := []string{all[0].group + ": " + all[0].name + ": new", all[2].group + ": " + all[2].name + ": new"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRewriteDoc checks that only what is between the markers changes.
func TestRewriteDoc(t *testing.T) {
	file := filepath.Join(t.TempDir(), "doc.md")
	for _, tt := range []struct{ name, text, want string }{
		{"first", "before\n" + beginMark + endMark + "after\n", "before\n" + beginMark + "\nnew\n\n" + endMark + "after\n"},
		{"again", "before\n" + beginMark + "\nold\n\n" + endMark + "after\n", "before\n" + beginMark + "\nnew\n\n" + endMark + "after\n"},
		{"no marks", "before\n", ""},
		{"no end", beginMark, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			err := rewriteDoc(file, "new\n")
			got, _ := os.ReadFile(file)
			if tt.want == "" && (err == nil || string(got) != tt.text) {
				t.Errorf("got error %v and %q, want an error and no change", err, got)
			}
			if tt.want != "" && (err != nil || string(got) != tt.want) {
				t.Errorf("got error %v and %q, want %q", err, got, tt.want)
			}
		})
	}
}

// TestDoc checks that the document holds every fault that is tried, so that one
// that is added is also shown, and that nothing in it went wrong.
func TestDoc(t *testing.T) {
	data, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, f := range allFaults() {
		if !strings.Contains(string(data), "\n### "+f.group+"\n") || !strings.Contains(string(data), "\n| "+f.name+" | ") {
			missing = append(missing, f.group+": "+f.name)
		}
	}
	if len(missing) > 0 {
		t.Errorf("docs/reliability.md lacks %q: run go run ./hack/faults -doc docs/reliability.md", missing)
	}
	if strings.Contains(string(data), "**wrong**") {
		t.Error("docs/reliability.md shows a fault that did not end as it should")
	}
}

// TestAllFaults checks that each fault says what it expects.
func TestAllFaults(t *testing.T) {
	var names []string
	quick := map[string]bool{}
	for _, f := range allFaults() {
		name := f.group + ": " + f.name
		if slices.Contains(names, name) {
			t.Errorf("%s is there twice", name)
		}
		names = append(names, name)
		if f.group == "" || f.name == "" || strings.ContainsAny(name, "|\n") {
			t.Errorf("%s: want a group and a name that stand in a table", name)
		}
		if ends := f.works || f.silent || f.want != ""; !ends || f.works && f.want != "" {
			t.Errorf("%s: want either an image or an error", name)
		}
		if (f.at == "") != (f.then == nil) {
			t.Errorf("%s: want a line of the progress and what happens then", name)
		}
		quick[f.group] = quick[f.group] || f.quick
	}
	for group, ok := range quick {
		if !ok {
			t.Errorf("%s: want one fault that is quick", group)
		}
	}
}

// TestProject checks that the program is what the faults need, and that the
// module has the sum that go.sum says.
func TestProject(t *testing.T) {
	if n := len(greeting()); n != embedSize {
		t.Errorf("got a text of %d bytes, want %d", n, embedSize)
	}
	text, source := greeting(), slowSource()
	if greeting() != text || slowSource() != source {
		t.Error("the project is another one each time")
	}
	d, err := newDependency(depSource)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(d.sum, " h1:"); lines != 2 {
		t.Errorf("got %q, want the two lines of go.sum", d.sum)
	}
}

// TestCrowd checks that no two members are the same.
func TestCrowd(t *testing.T) {
	says := map[string]bool{}
	for _, m := range crowd(50) {
		if says[m.says()] || says[m.whole()] {
			t.Errorf("%s says what another one says", m.name())
		}
		says[m.says()], says[m.whole()] = true, true
	}
}
