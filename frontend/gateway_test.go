package frontend

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// TestGateway runs every archive of testdata/gateway against a fake daemon.
//
// The section opts holds the frontend options, one NAME=value a line, and the
// section daemon how the daemon behaves (see behave). Files below context/ are
// the build context, files below NAME.d/ another local source, files below
// generated/ what the generate steps add. The file report.json is what a diagnosis
// finds, src/DIR/report.json that of the download in a folder, and config.json
// the config of the images that the daemon section names. Every other file is
// part of the local source with the spec. Then come the golden
// sections: result, warnings, error and, where it is there already, asked: the
// last step of every solve, in order.
func TestGateway(t *testing.T) {
	files, err := filepath.Glob("testdata/gateway/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f := newFake(t, ar)
			res, err := Build(t.Context(), f)
			if (res == nil) == (err == nil) {
				t.Errorf("got result %v and error %v, want one of them", res, err)
			}
			got := []txtar.File{
				{Name: "result", Data: []byte(f.dump(t, res))},
				{Name: "warnings", Data: []byte(lines(f.warnings))},
				{Name: "error", Data: []byte(dumpError(t, err))},
			}
			if slices.ContainsFunc(ar.Files, func(f txtar.File) bool { return f.Name == "asked" }) {
				// Binaries and the files of the rootfs are read beside other solves, at any time.
				asked := slices.DeleteFunc(f.asked, func(name string) bool { return regexp.MustCompile(`\] copy( /.*)?$|^\[rootfs\] `).MatchString(name) })
				got = append(got, txtar.File{Name: "asked", Data: []byte(strings.Join(asked, "\n") + "\n")})
			}
			golden(t, file, ar, got)
		})
	}
}

// newFake reads the sections of an archive.
func newFake(t *testing.T, ar *txtar.Archive) *fake {
	t.Helper()
	f := &fake{
		opts:   map[string]string{},
		locals: map[string]fstest.MapFS{"dockerfile": {}, "context": {}},
		inputs: map[string]bkllb.State{},
		images: map[string]image{},
		policy: map[string]string{},
		made:   fstest.MapFS{},
		base:   fstest.MapFS{},
		report: fstest.MapFS{},
		commit: commit(),
		rootfs: fstest.MapFS{
			"etc/ssl/certs/ca-certificates.crt": &fstest.MapFile{Mode: 0o644},
			"usr/share/zoneinfo":                &fstest.MapFile{Mode: 0o755 | fs.ModeDir},
		},
	}
	for _, ref := range []string{"library/golang:1.25-alpine", "library/golang:1.26-alpine", "gopherfile/gopherfile:1"} {
		f.images["docker.io/"+ref] = image{}
	}
	for _, file := range ar.Files {
		dir, name, found := strings.Cut(file.Name, "/")
		dir = strings.TrimSuffix(dir, ".d")
		switch {
		case isGolden(file.Name):
		case file.Name == "opts":
			for key, value := range pairs(file.Data) {
				f.opts[key] = value
			}
		case file.Name == "daemon":
			for key, value := range pairs(file.Data) {
				behave(t, f, key, value)
			}
		case path.Base(file.Name) == "report.json":
			f.report[file.Name] = &fstest.MapFile{Data: file.Data, Mode: 0o644}
		case file.Name == "config.json":
			for ref, im := range f.images {
				if im.named {
					im.config = file.Data
					f.images[ref] = im
				}
			}
		case dir == "image":
			f.base[name] = &fstest.MapFile{Data: file.Data, Mode: 0o644}
		case dir == "generated":
			f.made[name] = &fstest.MapFile{Data: file.Data, Mode: 0o644}
		case found && strings.HasPrefix(file.Name, dir+".d/"), dir == "context":
			if f.locals[dir] == nil {
				f.locals[dir] = fstest.MapFS{}
			}
			f.locals[dir][name] = &fstest.MapFile{Data: file.Data, Mode: 0o644}
		default:
			f.locals["dockerfile"][file.Name] = &fstest.MapFile{Data: file.Data, Mode: 0o644}
		}
	}
	return f
}

// pairs ranges over lines of the form NAME=value.
func pairs(data []byte) func(yield func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for line := range strings.Lines(string(data)) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			if !yield(key, value) {
				return
			}
		}
	}
}

// commit is that of every git source.
func commit() *sourceresolver.ResolveGitResponse {
	return &sourceresolver.ResolveGitResponse{
		Checksum: strings.Repeat("c", 40),
		CommitObject: []byte("tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n" +
			"author A <a@example.com> 1700000000 +0000\ncommitter A <a@example.com> 1700000001 +0000\n\nmessage\n"),
	}
}

// behave changes what the fake daemon does.
func behave(t *testing.T, f *fake, key, value string) {
	t.Helper()
	switch key {
	case "image": // a registry has it, for the platforms behind the reference
		ref, list, found := strings.Cut(value, " ")
		im := image{named: true}
		if found {
			im.platforms = strings.Split(list, ",")
		}
		f.images[ref] = im
	case "single": // a registry has it without an index, for one platform
		ref, platform, _ := strings.Cut(value, " ")
		f.images[ref] = image{named: true, single: true, platforms: []string{platform}}
	case "missing": // no registry has it
		delete(f.images, value)
	case "without": // the builder image has no such file
		delete(f.rootfs, value)
	case "nocap": // an older daemon
		f.caps = append(f.caps, value)
	case "no-context": // the client keeps it
		delete(f.locals, "context")
	case "policy": // a source policy sends one reference to another
		from, to, _ := strings.Cut(value, " ")
		f.policy[from] = to
	case "input": // an input of that name
		f.inputs[value] = bkllb.Image("docker.io/library/input:1", bkllb.WithCustomName("input "+value))
	case "git-input": // an input of that name that knows no more than it must
		st := bkllb.NewState(bkllb.NewSource("git://git.test/hello.git#main", nil, bkllb.Constraints{}).Output())
		f.inputs[value] = st
	case "cut": // half of that file arrives
		f.cut = append(f.cut, value)
	case "gone": // that file does not arrive
		f.gone = append(f.gone, value)
	case "gateway": // the frontend runs from an image
		st := bkllb.Image("docker.io/library/self:1", bkllb.WithCustomName("self"))
		f.self = &st
	case "resolve": // no image can be resolved, for that reason
		f.resolveErr = func(ref string) error { return errors.New(strings.ReplaceAll(value, "REF", ref)) }
	case "resolve-of": // one image cannot be resolved, for that reason
		image, reason, _ := strings.Cut(value, " ")
		f.resolveErr = func(ref string) error {
			if ref == image {
				return errors.New(reason)
			}
			return nil
		}
	case "tag": // the context is an annotated tag of that commit
		f.commit.CommitChecksum = value
	case "no-commit": // an older daemon knows no commit
		f.commit = nil
	case "commit-error": // nobody knows the commit, for that reason
		f.commitErr = errors.New(value)
	case "go": // the go command does something else
		f.compiler.misbehave(t, value)
	case "back": // modules import these packages of the context
		f.back = func() []string { return strings.Fields(value) }
	case "needs": // a compile fails without that file
		f.needs = append(f.needs, value)
	case "print": // what a client prints of the answer to a subrequest
		f.print = value
	case "exit": // the command that starts like this fails, in that folder
		code, prefix, _ := strings.Cut(value, " ")
		n, err := strconv.ParseUint(code, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		dir := "/"
		if strings.HasPrefix(prefix, "/src") {
			dir, prefix, _ = strings.Cut(prefix, " ")
		}
		f.fail(uint32(n), dir, prefix)
	default:
		t.Fatalf("unknown behavior %q", key)
	}
}

func isGolden(name string) bool {
	return slices.Contains([]string{"result", "warnings", "error", "asked"}, name)
}

// golden compares the golden sections, or rewrites them. A section that came
// out empty must not be there.
func golden(t *testing.T, file string, ar *txtar.Archive, got []txtar.File) {
	t.Helper()
	got = slices.DeleteFunc(got, func(f txtar.File) bool { return len(f.Data) == 0 })
	if *update {
		ar.Files = slices.DeleteFunc(ar.Files, func(f txtar.File) bool { return isGolden(f.Name) })
		ar.Files = append(ar.Files, got...)
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := slices.DeleteFunc(slices.Clone(ar.Files), func(f txtar.File) bool { return !isGolden(f.Name) })
	text := func(files []txtar.File) string { return string(txtar.Format(&txtar.Archive{Files: files})) }
	if diff := cmp.Diff(text(want), text(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// dumpError writes an error as a user sees it, then the places that clients
// show for it, with the line that stands there.
func dumpError(t *testing.T, err error) string {
	t.Helper()
	// As it arrives at the client, from the frontend over the daemon: on the way
	// some words may get lost, and every hop turns the order of places.
	for range 2 {
		err = grpcerrors.FromGRPC(grpcerrors.ToGRPC(t.Context(), err))
	}
	if err == nil {
		return ""
	}
	if name := regexp.MustCompile(`[*&]\w+\.\w+|\b[a-z]+\.[A-Z]\w*|%!\w\(|0xc0`).FindString(err.Error()); name != "" {
		t.Errorf("got an error with Go's own %q in it, want words for users: %v", name, err)
	}
	var b strings.Builder
	fmt.Fprintln(&b, err)
	for _, src := range errdefs.Sources(err) {
		text := strings.Split(string(src.Info.Data), "\n")
		for _, r := range src.Ranges {
			if int(r.Start.Line) < 1 || int(r.Start.Line) > len(text) {
				t.Errorf("got line %d of %s, want one of its %d lines", r.Start.Line, src.Info.Filename, len(text))
				continue
			}
			fmt.Fprintf(&b, "%s:%d:%d %q\n", src.Info.Filename, r.Start.Line, r.Start.Character, text[r.Start.Line-1])
		}
	}
	return b.String()
}

// lines writes a list, sorted.
func lines(list []string) string {
	list = slices.Sorted(slices.Values(list))
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, "\n") + "\n"
}
