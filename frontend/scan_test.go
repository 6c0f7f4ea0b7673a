package frontend

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/patternmatcher"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/llb"
)

// behindGateway makes a daemon run the frontend from an image.
func behindGateway(f *fake) {
	st := bkllb.Image("docker.io/library/self:1", bkllb.WithCustomName("self"))
	f.self = &st
}

// TestScanStepGateway runs the archives of [TestGateway] with the scan as a
// step: what a user reads must be the same.
func TestScanStepGateway(t *testing.T) {
	files, err := filepath.Glob("testdata/gateway/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	steps := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		// Without an image of its own a frontend looks for the published one.
		if strings.Contains(name, "-self") || name == "err-rootfs-image" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f := newFake(t, ar)
			behindGateway(f)
			res, err := Build(t.Context(), f)
			text := ""
			if res != nil && res.Metadata["result.json"] != nil && !strings.Contains(name, "convertllb") {
				text = f.dump(t, res)
			}
			for section, got := range map[string]string{"warnings": lines(f.warnings), "error": dumpError(t, err), "result": text} {
				if section == "result" && got == "" {
					continue // the steps of a build are not the same
				}
				// A section has an end of line, an answer in JSON has none.
				if got != "" && !strings.HasSuffix(got, "\n") {
					got += "\n"
				}
				want := ""
				if i := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == section }); i >= 0 {
					want = string(ar.Files[i].Data)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: -want +got:\n%s", section, diff)
				}
			}
			if slices.Contains(f.asked, llb.StepScan) {
				steps++
			}
		})
	}
	if steps < len(files)/2 {
		t.Errorf("%d of %d archives run the step", steps, len(files))
	}
}

// stepFake is a fake behind the gateway with a module of two packages.
func stepFake(t *testing.T) *fake {
	t.Helper()
	f := hello(t)
	behindGateway(f)
	f.locals["context"]["lib/lib.go"] = &fstest.MapFile{Data: []byte("package lib\n")}
	f.locals["context"]["main_test.go"] = &fstest.MapFile{Data: []byte("package main\n")}
	f.locals["context"]["notes.txt"] = &fstest.MapFile{Data: []byte("notes\n")}
	return f
}

// TestScanStep checks when the scan is a step, and when the whole context is
// read instead. Either way there is a result.
func TestScanStep(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	link := func(to string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink} }
	const names, whole = "[internal] load names and Go files", "[internal] load build context"
	for _, tt := range []struct {
		name   string
		change func(f *fake, context fstest.MapFS)
		want   []string
	}{
		{"step", func(*fake, fstest.MapFS) {}, []string{names, llb.StepScan}},
		{"link", func(_ *fake, c fstest.MapFS) { c["a.go"] = link("main.go") }, []string{names, llb.StepScan}},
		{"link to a folder", func(_ *fake, c fstest.MapFS) { c["a.go"] = link("lib") }, []string{names, llb.StepScan}},
		{"link to nothing", func(_ *fake, c fstest.MapFS) { c["lib/a.go"] = link("b") }, []string{names, llb.StepScan}},
		{"assembly", func(_ *fake, c fstest.MapFS) {
			c["a.s"], c["a.h"] = file("#include \"a.h\"\n"), file("")
		}, []string{names, llb.StepScan}},
		{"in process", func(f *fake, _ fstest.MapFS) { f.self = nil }, []string{whole}},
		{"old daemon", func(f *fake, _ fstest.MapFS) { f.caps = []string{string(pb.CapSourceMetadataTransfer)} }, []string{whole}},
		{"no transfer of names", func(f *fake, _ fstest.MapFS) { f.transferErr = errors.New("no such link") }, []string{names, whole}},
		{"link to another name", func(_ *fake, c fstest.MapFS) {
			c["a.go"], c["a.txt"] = link("a.txt"), file("package main\n")
		}, []string{names, whole}},
		{"assembly with another name", func(_ *fake, c fstest.MapFS) {
			c["a.s"], c["a.inc"] = file("#include \"a.inc\"\n"), file("")
		}, []string{names, llb.StepScan, whole}},
		{"a name longer than a path", func(_ *fake, c fstest.MapFS) {
			c[strings.Repeat("d", scan.MaxName+1)] = file("")
		}, []string{names, whole}},
		{"many names", func(_ *fake, c fstest.MapFS) { c["long"] = link(strings.Repeat("x", maxNames)) }, []string{names, whole}},
		{"generate", func(f *fake, _ fstest.MapFS) {
			f.locals["dockerfile"]["Gopherfile.yaml"].Data = []byte("main: .\ngenerate: go generate\n")
		}, []string{whole}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := stepFake(t)
			tt.change(f, f.locals["context"])
			if _, err := Build(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			got := slices.DeleteFunc(slices.Clone(f.asked), func(name string) bool {
				return !slices.Contains([]string{names, whole, llb.StepScan}, name)
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// scanStep returns the definition of the scan that a build asks for.
func scanStep(t *testing.T, f *fake) *pb.Definition {
	t.Helper()
	if _, err := Build(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	for _, req := range f.solves {
		ops, _, err := parse(req.Definition)
		if err != nil {
			t.Fatal(err)
		}
		if req.Definition.Metadata[ops[len(ops)-1].digest].Description["llb.customname"] == llb.StepScan {
			if len(req.CacheImports) > 0 {
				t.Error("the scan waits for the import of a cache")
			}
			return req.Definition
		}
	}
	t.Fatal("no scan")
	return nil
}

// TestScanStepKey checks what the definition of the scan holds: names, and the
// sizes of what it reads, of which the key has the contents anyhow. No other
// size and no time, and nothing that asks for it to run again.
func TestScanStepKey(t *testing.T) {
	digests := func(change func(f *fake)) string {
		f := stepFake(t)
		change(f)
		def := scanStep(t, f)
		ops, _, err := parse(def)
		if err != nil {
			t.Fatal(err)
		}
		for _, md := range def.Metadata {
			if md.IgnoreCache {
				t.Error("a step ignores the cache")
			}
		}
		return ops[len(ops)-1].digest
	}
	want := digests(func(*fake) {})
	for name, tt := range map[string]struct {
		change func(f *fake)
		same   bool
	}{
		"content": {func(f *fake) {
			f.locals["context"]["main.go"].Data = []byte("package main\n\nimport _ \"example.com/dep\"\n\tfunc main() {}\n")
		}, true},
		"size":     {func(f *fake) { f.locals["context"]["main.go"].Data = []byte("package main\n\nfunc main() { }\n") }, false},
		"test":     {func(f *fake) { f.locals["context"]["main_test.go"].Data = []byte("package main // other\n") }, true},
		"other":    {func(f *fake) { f.locals["context"]["notes.txt"].Data = []byte("other notes\n") }, true},
		"mode":     {func(f *fake) { f.locals["context"]["main.go"].Mode = 0o600 }, true},
		"no cache": {func(f *fake) { f.opts["no-cache"] = "" }, true},
		"import":   {func(f *fake) { f.opts["cache-imports"] = `[{"Type":"registry","Attrs":{"ref":"example.com/cache"}}]` }, true},
		"name":     {func(f *fake) { f.locals["context"]["README.md"] = &fstest.MapFile{} }, false},
		"main":     {func(f *fake) { f.locals["dockerfile"]["Gopherfile.yaml"].Data = []byte("main: ./.\n") }, false},
	} {
		if got := digests(tt.change); (got == want) != tt.same {
			t.Errorf("%s: got the same scan: %t, want %t", name, got == want, tt.same)
		}
	}
}

// TestScanStepError checks that a defect is called one, and what else may fail.
func TestScanStepError(t *testing.T) {
	f := stepFake(t)
	f.fail(2, "/", "/bin/gopherfile scan")
	_, err := Build(t.Context(), f)
	const want = "the scan of the build context failed with exit code 2 because of a defect of gopherfile: please report it with its own lines above"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	f = stepFake(t)
	f.execErr = func(context.Context, *pb.Meta) (uint32, error) { return 0, errors.New("no space left") }
	if _, err := Build(t.Context(), f); err == nil || err.Error() != "scan the build context: no space left" {
		t.Errorf("got %v", err)
	}
	f = stepFake(t)
	f.locals["context"]["go.work"] = &fstest.MapFile{Data: []byte("use (\n")}
	if _, err := Build(t.Context(), f); err == nil || !strings.HasPrefix(err.Error(), "go.work:1: syntax error") {
		t.Errorf("got %v, want the error of go.work", err)
	}
	for _, index := range []string{"", "{", `{"packages":[{"dir":".","files":[{"name":"x.go","imports":[7]}]}]}`} {
		f = stepFake(t)
		f.index = &index
		if _, err := Build(t.Context(), f); err == nil || !strings.HasPrefix(err.Error(), "read the index of the build context: ") {
			t.Errorf("index %q: got %v", index, err)
		}
	}
}

// TestScanStepFiles checks that the files of the spec are looked for as
// BuildKit looks for them: from the root of the context.
func TestScanStepFiles(t *testing.T) {
	for path, found := range map[string]bool{"rooted": true, "out": true, "lib/lib.go": true, "dangling": false, "none": false} {
		f := stepFake(t)
		f.locals["dockerfile"]["Gopherfile.yaml"].Data = []byte("main: .\nimage:\n  files: [{from: " + path + ", to: /x}]\n")
		for name, to := range map[string]string{"rooted": "/main.go", "out": "../../main.go", "dangling": "nowhere"} {
			f.locals["context"][name] = &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte(to)}
		}
		_, err := Build(t.Context(), f)
		if text := "image.files: no " + path + " in the context"; (err == nil) != found || err != nil && !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, want it found: %t", path, err, found)
		}
	}
}

// TestScanStepLinks checks that a link that leads to itself is named, and no
// defect of ours: where it must be read, and where it is only copied.
func TestScanStepLinks(t *testing.T) {
	for name, want := range map[string]string{
		"go.sum": "go.sum: more than 40 symbolic links, one behind another",
		"loop":   "Gopherfile.yaml:3:18: image.files: loop is behind more than 40 symbolic links, one behind another",
	} {
		f := stepFake(t)
		if name == "loop" {
			f.locals["dockerfile"]["Gopherfile.yaml"].Data = []byte("main: .\nimage:\n  files: [{from: loop, to: /x}]\n")
		}
		f.locals["context"][name] = &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte(name)}
		if _, err := Build(t.Context(), f); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestScanStepLarge checks that a file that is too large is named, and no defect
// of ours.
func TestScanStepLarge(t *testing.T) {
	f := stepFake(t)
	f.locals["context"]["go.mod"].Data = bytes.Repeat([]byte("// comment\n"), 400_000)
	const want = "go.mod: it has more than 4 MiB"
	if _, err := Build(t.Context(), f); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestScanTooMany checks that a tree with too many files is no defect of ours, and
// that it is called the same whether a step or the frontend itself reads it.
func TestScanTooMany(t *testing.T) {
	f := stepFake(t)
	f.maxFiles = 3
	const want = "the context has more than 3 files and directories where packages are looked for (leave out with .dockerignore what no build reads, such as node_modules; of a main: that is written only what it imports is read)"
	_, err := Build(t.Context(), f)
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if sources := errdefs.Sources(err); len(sources) != 1 || sources[0].Info.Filename != "Gopherfile.yaml" {
		t.Errorf("got the places %v, want one in the spec", sources)
	}
	itself := &tree{ctx: t.Context(), ref: &fakeRef{tree: f.locals["context"]}}
	if _, err := scan.Scan(itself, scan.Options{MaxFiles: 3}); err == nil || err.Error() != want {
		t.Errorf("got %v of the tree itself, want %s", err, want)
	}
	f.opts["requestid"] = "frontend.lint"
	res, err := Build(t.Context(), f)
	if err != nil || !strings.Contains(string(res.Metadata["result.json"]), want) {
		t.Errorf("a check got %v, want it in the result", err)
	}
}

// TestScanStepGit checks that a context which is not the client's is loaded
// once, without asking for its names.
func TestScanStepGit(t *testing.T) {
	f := stepFake(t)
	f.opts["context"] = "https://git.test/hello.git"
	if _, err := Build(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if loads := len(f.asked) - len(f.solves); loads != 2 {
		t.Errorf("got %q, want one solve for the spec and one for the context", f.asked)
	}
}

// TestContents checks that BuildKit is asked for all that the scan reads.
func TestContents(t *testing.T) {
	m, err := patternmatcher.New(contents())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"x.go", "a/x.go", "a/b/x_linux.go", "go.mod", "a/go.mod", "go.work", "a/go.work", "vendor/modules.txt", "a/vendor/modules.txt",
		"x.s", "a/x_amd64.s", "x.h", "a/x.h", "a.go/x.go", ".x.go", "a b/é.go",
	} {
		if ok, err := m.MatchesOrParentMatches(name); !ok || err != nil || !scan.Reads(name) {
			t.Errorf("%s: got transferred %t, %v, and read %t", name, ok, err, scan.Reads(name))
		}
	}
	for _, name := range []string{"README.md", "x.c", "x.S", "modules.txt", "a/modules.txt", "x.gox", "ago.mod", "default.pgo", "x.hh"} {
		if ok, err := m.MatchesOrParentMatches(name); ok || err != nil || scan.Reads(name) {
			t.Errorf("%s: got transferred %t, %v, and read %t", name, ok, err, scan.Reads(name))
		}
	}
}

// TestHasContent checks that nothing is taken for transferred that is not, or
// that is a link.
func TestHasContent(t *testing.T) {
	m, err := patternmatcher.New(contents())
	if err != nil {
		t.Fatal(err)
	}
	s := &sources{files: &scan.NamedFS{Names: &scan.Names{}}}
	want := map[string]bool{
		"x.go": true, "a/x.go": true, "go.mod": true, "a/go.sum": true, "go.work.sum": true, "a/vendor/modules.txt": true, "x.s": true, "a/x.h": true,
		"README.md": false, "a/x.c": false, "x.S": false, "modules.txt": false, "ago.mod": false, "default.pgo": false, "a/index.html": false,
	}
	for name := range want {
		s.files.Names.Add(name, 0, "")
	}
	s.files.Names.Add("link.go", fs.ModeSymlink, "x.go")
	want["link.go"], want["missing.go"] = false, false
	for name, want := range want {
		if got := s.hasContent(name); got != want {
			t.Errorf("%s: got %t, want %t", name, got, want)
		}
		if ok, err := m.MatchesOrParentMatches(name); want && (!ok || err != nil) {
			t.Errorf("%s: is not transferred: %v", name, err)
		}
	}
}

// TestMetadata reads BuildKit's list, whole and cut short.
func TestMetadata(t *testing.T) {
	tree, err := metadataOnly(fstest.MapFS{
		"a/b.txt": {}, "link": {Mode: fs.ModeSymlink, Data: []byte("a/b.txt")}, "z": {Mode: fs.ModeDir},
	}, `["none"]`)
	if err != nil {
		t.Fatal(err)
	}
	data := tree[metadataFile].Data
	names, err := parseMetadata(data)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := names.MarshalBinary(); string(got) != "da\x00fb.txt\x00\x00llink\x00a/b.txt\x00dz\x00\x00" {
		t.Errorf("got %q", got)
	}
	for i := range data {
		_, _ = parseMetadata(data[:i]) // the error is one or none: it must not panic
	}
	if _, err := parseMetadata(data[:len(data)-1]); err == nil {
		t.Error("got no error from a list that is cut short")
	}
}
