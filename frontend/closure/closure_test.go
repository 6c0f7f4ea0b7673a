package closure

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata")

// build is a closure that an archive asks for.
type build struct {
	main, platform, mod string
	tags                []string
}

func (b build) String() string {
	s := b.main + " on " + b.platform
	if len(b.tags) > 0 {
		s += " with " + strings.Join(b.tags, ",")
	}
	if b.mod != "" {
		s += " -mod=" + b.mod
	}
	return s
}

// flags are those of the go command.
func (b build) flags() []string {
	var flags []string
	if len(b.tags) > 0 {
		flags = append(flags, "-tags="+strings.Join(b.tags, ","))
	}
	if b.mod != "" {
		flags = append(flags, "-mod="+b.mod)
	}
	return flags
}

// archive is a txtar file: what to build and prose, a tree, and what comes of it.
type archive struct {
	txtar.Archive
	name   string
	builds []build
	tree   fstest.MapFS
	// refused says that the go command has errors.
	refused bool
}

// readArchive reads an archive. In its comment, a line such as
//
//	build ./cmd/x on linux/amd64 with tag,tag -mod=vendor
//
// asks for a closure, and the line refused says that the go command builds none
// of them.
func readArchive(t testing.TB, name string) *archive {
	t.Helper()
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{Archive: *ar, name: name, tree: fstest.MapFS{}}
	for line := range strings.Lines(string(ar.Comment)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 1 && words[0] == "refused":
			a.refused = true
		case len(words) > 1 && words[0] == "build":
			b := build{main: words[1], platform: "linux/amd64"}
			for i, w := range words {
				switch {
				case w == "on":
					b.platform = words[i+1]
				case w == "with":
					b.tags = strings.Split(words[i+1], ",")
				case strings.HasPrefix(w, "-mod="):
					b.mod = w[len("-mod="):]
				}
			}
			a.builds = append(a.builds, b)
		}
	}
	for _, f := range ar.Files {
		if f.Name != "closures" {
			a.tree[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
		}
	}
	return a
}

func eachArchive(t *testing.T, run func(*testing.T, *archive)) {
	t.Helper()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no archive in testdata (%v)", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			run(t, readArchive(t, name))
		})
	}
}

// TestOf compares the closures of each archive with its golden section, and
// those from other forms of the index with them.
func TestOf(t *testing.T) {
	eachArchive(t, func(t *testing.T, a *archive) {
		ix, err := scan.Tree(a.tree, scan.Options{Mains: a.mains()})
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(ix)
		if err != nil {
			t.Fatal(err)
		}
		again := &scan.Index{}
		if err := json.Unmarshal(data, again); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, b := range a.builds {
			c, err := Of(ix, b.main, targetFor(b))
			fmt.Fprintf(&got, "%s\n", b)
			dump(&got, c, err)
			narrow, scanErr := scan.Scan(a.tree, scan.Options{Mains: []string{b.main}})
			if scanErr != nil {
				if err == nil || err.Error() != scanErr.Error() {
					t.Errorf("%s: got error %v of the narrow index, want %v", b, scanErr, err)
				}
				continue
			}
			for how, ix := range map[string]*scan.Index{"through JSON": again, "of the narrow index": narrow} {
				other, otherErr := Of(ix, b.main, targetFor(b))
				if diff := cmp.Diff(c, other); diff != "" || fmt.Sprint(err) != fmt.Sprint(otherErr) {
					t.Errorf("%s: %s: %v\n-want +got:\n%s", b, how, otherErr, diff)
				}
			}
		}
		a.compare(t, got.String())
	})
}

// compare compares got with the golden section of the archive, or replaces it.
func (a *archive) compare(t *testing.T, got string) {
	t.Helper()
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "closures" })
	if *update {
		if i >= 0 {
			a.Files = slices.Delete(a.Files, i, i+1)
		}
		a.Files = append(a.Files, txtar.File{Name: "closures", Data: []byte(got)})
		if err := os.WriteFile(a.name, txtar.Format(&a.Archive), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := ""
	if i >= 0 {
		want = string(a.Files[i].Data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got (-update rewrites it):\n%s", a.name, diff)
	}
}

func dump(b *strings.Builder, c *Closure, err error) {
	if err != nil {
		fmt.Fprintf(b, "\terror %v\n", err)
		return
	}
	for _, field := range []struct {
		name string
		list []string
	}{
		{"file", c.Files}, {"package", c.Packages}, {"vendored", c.Vendored}, {"std", c.Std},
		{"external", c.External}, {"missing", c.Missing}, {"cgo", c.Cgo},
		{"vendor", []string{c.Vendor}}, {"profile", []string{c.Profile}},
	} {
		for _, x := range field.list {
			if x != "" {
				fmt.Fprintf(b, "\t%s %s\n", field.name, x)
			}
		}
	}
}

// targetFor returns the target of a build: Go 1.26 without cgo.
func targetFor(b build) Target {
	goos, goarch, _ := strings.Cut(b.platform, "/")
	return Target{Mod: b.mod, Has: func(tag string) bool {
		switch tag {
		case goos, goarch, "gc":
			return true
		case "unix":
			return goos != "windows"
		}
		return strings.HasPrefix(tag, "go1.") && tag != "go1.999" || slices.Contains(b.tags, tag)
	}}
}

// writeTree writes files of a tree into a new directory.
func writeTree(t *testing.T, tree fstest.MapFS, names []string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		file, ok := tree[name]
		if !ok {
			t.Errorf("%s is not in the tree", name)
			continue
		}
		to := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			t.Fatal(err)
		}
		var err error
		if file.Mode&os.ModeSymlink != 0 {
			err = os.Symlink(string(file.Data), to)
		} else {
			err = os.WriteFile(to, file.Data, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestGoCommand asks the go command about the builds of each archive: in the
// whole tree, and in one that holds the closure alone. What it compiles must be
// the same to the last bit, or its errors must be the same, and closures must
// hold what it lists.
func TestGoCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command often")
	}
	var builds, compared atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d of %d builds were compared", compared.Load(), builds.Load())
		// With -run there may be one archive, of errors alone.
		if builds.Load() > 10 && compared.Load() < builds.Load()/2 {
			t.Error("got fewer than half of them, want more")
		}
	})
	eachArchive(t, func(t *testing.T, a *archive) {
		t.Parallel()
		builds.Add(int64(len(a.builds)))
		compared.Add(int64(compareWithGo(t, a)))
	})
}

// compareWithGo compares the builds of an archive, but for those without a
// closure, and counts them.
func compareWithGo(t *testing.T, a *archive) (compared int) {
	t.Helper()
	ix, err := scan.Tree(a.tree, scan.Options{Mains: a.mains()})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range a.tree {
		names = append(names, name)
	}
	whole := writeTree(t, a.tree, names)
	for _, b := range a.builds {
		c, err := Of(ix, b.main, targetFor(b))
		if err != nil {
			continue
		}
		goos, goarch, _ := strings.Cut(b.platform, "/")
		env := []string{"GOOS=" + goos, "GOARCH=" + goarch, "GOPROXY=off"}
		module := ix.ModuleOf(path.Clean(b.main)).Dir
		narrow := writeTree(t, a.tree, c.Files)
		want, wantErr := compiled(whole, module, b, env, c.Profile)
		got, gotErr := compiled(narrow, module, b, env, c.Profile)
		if want != got || wantErr != gotErr {
			t.Errorf("%s: whole tree:\n%s%s\nclosure alone:\n%s%s", b, want, wantErr, got, gotErr)
		}
		if refused := wantErr != ""; refused != a.refused {
			t.Errorf("%s: go list says %q, and refused is %t", b, wantErr, a.refused)
		}
		listed := list(t, whole, module, append(env, "GOFLAGS="+strings.Join(b.flags(), " ")), []string{b.main})
		if main := listed.at(b.main); main != nil {
			compareClosure(t, b.String(), listed.closure(main), c)
		}
		compared++
	}
	return compared
}

// compiled returns what the go command says of a main package and of what it
// imports from the tree, and its errors: the build IDs, which are hashes of all
// that goes into the compiler and of what comes out of it, and elsewhere than on
// the port of the archives by default only the names of the files. A profile
// would compile the standard library again.
func compiled(root, module string, b build, env []string, profile string) (said, errs string) {
	rel, err := filepath.Rel(module, b.main)
	if err != nil {
		return "", err.Error()
	}
	args := []string{"list", "-deps", "-trimpath"}
	format := "{{.GoFiles}} {{.SFiles}} {{.HFiles}} {{.SysoFiles}} {{.EmbedFiles}}"
	if b.platform == "linux/amd64" && profile == "" {
		args = append(args, "-export")
		format += " {{.BuildID}}"
	}
	args = append(args, b.flags()...)
	args = append(args, "-f", "{{if not .Standard}}{{.ImportPath}} "+format+"{{end}}", "./"+rel)
	out, err := goCommand(filepath.Join(root, module), env, args...)
	if err != nil {
		return "", strings.ReplaceAll(err.Error(), root, "ROOT")
	}
	return string(out), ""
}

// mains are the main packages that the archive names.
func (a *archive) mains() []string {
	var names []string
	for _, b := range a.builds {
		names = append(names, b.main)
	}
	return names
}
