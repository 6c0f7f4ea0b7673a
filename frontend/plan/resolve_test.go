package plan

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// TestResolve runs every archive: a Gopherfile.yaml, a tree, optionally what
// the client asks for, and then the plan or the errors that they give.
func TestResolve(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := resolve(t, ar)
			got := txtar.File{Name: "plan", Data: []byte(dump(p))}
			if err != nil {
				var list spec.ErrorList
				var in *scan.Error
				if !errors.As(err, &list) && !errors.As(err, &in) {
					t.Fatalf("got %T %v, want an ErrorList or an error of a go.mod", err, err)
				}
				got = txtar.File{Name: "errors", Data: []byte(err.Error() + "\n")}
			}
			golden(t, file, ar, got)
		})
	}
}

// resolve resolves an archive.
func resolve(t *testing.T, ar *txtar.Archive) (*Plan, error) {
	t.Helper()
	s, tree, opt := inputs(t, ar)
	ix, err := scan.Scan(tree, scan.Options{Mains: Mains(s), NoWork: NoWork(s)})
	if err != nil {
		return nil, err
	}
	p, err := Resolve(s, ix, opt)
	if !BlamesMain(s, err) {
		return p, err
	}
	// As package frontend does.
	if ix, err = scan.Tree(tree, scan.Options{Mains: Mains(s), NoWork: NoWork(s)}); err != nil || ix.Err != nil {
		t.Fatalf("got %v, want an index of the whole tree", err)
	}
	return Resolve(s, ix, opt)
}

// inputs reads the sections of an archive.
func inputs(t *testing.T, ar *txtar.Archive) (*spec.Spec, fstest.MapFS, Options) {
	t.Helper()
	opt := Options{BuildPlatform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, Args: map[string]string{}, Labels: map[string]string{}}
	tree := fstest.MapFS{}
	var s *spec.Spec
	for _, f := range ar.Files {
		switch f.Name {
		case "Gopherfile.yaml":
			var err error
			if s, err = spec.Parse(f.Name, f.Data); err != nil {
				t.Fatal(err)
			}
		case "options":
			options(t, string(f.Data), &opt)
		case "plan", "errors":
		default:
			tree[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o644}
		}
	}
	return s, tree, opt
}

func options(t *testing.T, text string, opt *Options) {
	t.Helper()
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case key == "platform":
			p, err := ParsePlatform(value)
			if err != nil {
				t.Fatal(err)
			}
			opt.Platforms = append(opt.Platforms, p)
		case key == "target":
			opt.Target = value
		case key == "every":
			opt.Every = true
		case key == "source":
			opt.Source = value
		case key == "ignored":
			names := strings.Fields(value)
			opt.Ignored = func(name string) bool { return slices.Contains(names, name) }
		case key == "patterns":
			opt.IgnorePatterns = strings.Fields(value)
		case key == "revision":
			opt.Revision = value
		case strings.HasPrefix(key, "arg:"):
			opt.Args[strings.TrimPrefix(key, "arg:")] = value
		case strings.HasPrefix(key, "label:"):
			opt.Labels[strings.TrimPrefix(key, "label:")] = value
		default:
			t.Fatalf("unknown option %q", key)
		}
	}
}

func golden(t *testing.T, file string, ar *txtar.Archive, got txtar.File) {
	t.Helper()
	last := len(ar.Files) - 1
	known := ar.Files[last].Name == "plan" || ar.Files[last].Name == "errors"
	if *update {
		if known {
			ar.Files = ar.Files[:last]
		}
		ar.Files = append(ar.Files, got)
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !known || ar.Files[last].Name != got.Name {
		t.Fatalf("want the last section to be %q; got:\n%s", got.Name, got.Data)
	}
	if diff := cmp.Diff(string(ar.Files[last].Data), string(got.Data)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// dump writes a plan for reading.
func dump(p *Plan) string {
	if p == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "go %s\nbuilder %s %v\n", p.Release, p.Builder.Ref, p.Builder.Pos)
	if !p.Layered {
		fmt.Fprintf(&b, "not layered\n")
	}
	for _, c := range p.Generate {
		fmt.Fprintf(&b, "generate %q in %s network %v %v\n", c.Args, c.Dir, c.Network, c.Pos)
		dumpDownload(&b, c.Download)
	}
	for _, n := range p.Names {
		fmt.Fprintf(&b, "name %s main %q from %q default %v %v\n", n.Name, n.Main, n.From, n.Default, n.Pos)
	}
	if p.FilesOnly {
		fmt.Fprintf(&b, "files only\n")
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "warning %v %s\n", w.Pos, w.Msg)
	}
	for i := range p.Targets {
		dumpTarget(&b, &p.Targets[i])
	}
	return b.String()
}

func dumpDownload(b *strings.Builder, d *Download) {
	if d != nil {
		fmt.Fprintf(b, "\tdownload in %s from %s env %q netrc %s ssh %s %v\n", d.Dir, strings.Join(d.Files, " "), d.Env, d.Netrc, d.SSH, d.Pos)
	}
}

func dumpReads(b *strings.Builder, bin *Binary) {
	fmt.Fprintf(b, "\t\treads %s\n", strings.Join(bin.Files, " "))
	if m := bin.Modules; m != nil {
		dumpDownload(b, m.Download)
		if m.Back {
			fmt.Fprintf(b, "\t\tmay import back\n")
		}
		for _, w := range m.Wants {
			fmt.Fprintf(b, "\t\twant %s flags %q env %s\n", strings.Join(w.Imports, " "), w.Flags, strings.Join(w.Env, " "))
		}
	}
	if o := bin.Objects; o != nil {
		fmt.Fprintf(b, "\t\tobjects %s std %s flags %q from %s\n",
			strings.Join(o.Imports, " "), strings.Join(o.Std, " "), o.Flags, strings.Join(o.Files, " "))
	}
}

func dumpTarget(b *strings.Builder, t *Target) {
	fmt.Fprintf(b, "target %s for %s %v\n", t.Name, t.Port, t.Pos)
	if t.Platform.OSVersion != "" {
		fmt.Fprintf(b, "\tplatform %s\n", platforms.FormatAll(t.Platform))
	}
	for _, bin := range t.Binaries {
		fmt.Fprintf(b, "\tbinary %s: %s in %s %v\n\t\tenv %s\n\t\tflags %q\n\t\tpath %s\n", bin.Name, bin.Main, bin.Dir, bin.Pos, strings.Join(bin.Env, " "), bin.Flags, bin.Path)
		if bin.Profile != "" {
			fmt.Fprintf(b, "\t\tprofile %s\n", bin.Profile)
		}
		dumpDownload(b, bin.Download)
		dumpReads(b, &bin)
	}
	if test := t.Test; test != nil {
		fmt.Fprintf(b, "\ttest in %s %q env %s\n", test.Dir, test.Args, strings.Join(test.Env, " "))
		dumpDownload(b, test.Download)
	}
	if len(t.Binaries) == 0 || t.Image.Labels == nil {
		return
	}
	if t.Base != "" {
		fmt.Fprintf(b, "\tfrom %s %v\n", t.Base, t.BasePos)
	}
	fmt.Fprintf(b, "\trootfs %+v\n", t.Rootfs)
	for _, f := range t.Files {
		fmt.Fprintf(b, "\tfile %s%s %s to %s mode %o owner %d:%d %v\n", f.URL, f.Checksum, strings.TrimSpace(f.Context+" "+f.Path), f.To, f.Mode, f.UID, f.GID, f.Pos)
	}
	im := t.Image
	if im.UserUnknown {
		fmt.Fprintf(b, "\tuser for the image to know %v\n", im.UserPos)
	}
	fmt.Fprintf(b, "\timage user=%s workdir=%s entrypoint=%q cmd=%q expose=%v\n\timage env=%q\n", im.User, im.Workdir, im.Entrypoint, im.Cmd, im.Expose, im.Env)
	for _, k := range slices.Sorted(maps.Keys(im.Labels)) {
		fmt.Fprintf(b, "\tlabel %s=%s\n", k, im.Labels[k])
	}
	for _, a := range im.Annotations {
		fmt.Fprintf(b, "\tannotation %s=%s\n", a.Name, a.Value)
	}
	if im.Volumes != nil || im.Stopsignal != "" {
		fmt.Fprintf(b, "\timage volumes=%q stopsignal=%s\n", im.Volumes, im.Stopsignal)
	}
	if im.Healthcheck != nil {
		fmt.Fprintf(b, "\thealthcheck %+v\n", *im.Healthcheck)
	}
}

// TestResolveTwice checks that equal arguments give equal plans.
func TestResolveTwice(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/full.txtar")
	if err != nil {
		t.Fatal(err)
	}
	first, err := resolve(t, ar)
	if err != nil {
		t.Fatal(err)
	}
	for range 25 {
		again, err := resolve(t, ar)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, again); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestBinaryName(t *testing.T) {
	for path, want := range map[string]string{
		"example.com/hello":      "hello",
		"github.com/mike/yq/v4":  "yq",
		"example.com/a/v2/cmd/b": "b",
		"gopkg.in/yaml.v3":       "yaml.v3",
		"example.com/v1":         "v1",
		"example.com/x/cmd/v10":  "cmd",
		"hello":                  "hello",
		"v2":                     "v2",
	} {
		if got := binaryName(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

// TestReservedNames looks for the names that no binary may have in what the
// manual says of binaries.
func TestReservedNames(t *testing.T) {
	var schema struct {
		Properties struct{ Binaries struct{ Description string } }
	}
	if err := json.Unmarshal(spec.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(slices.Values(reservedTargets()))
	last := len(names) - 1
	want := "The names " + strings.Join(names[:last], ", ") + " and " + names[last] + " are taken"
	if got := schema.Properties.Binaries.Description; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}
