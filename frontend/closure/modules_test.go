package closure

import (
	"encoding/json"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/modfile"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// oracleVar asks for the tests that download public modules, with any value.
// Some make the oracle look at more: large adds modules, binaries builds their
// programs, export compiles what it otherwise only lists.
const oracleVar = "GOPHERFILE_ORACLE"

// asked leaves a test out that nobody asked for. Once it was, what it cannot
// download is an error: nothing that was not compared may pass.
func asked(t *testing.T) {
	t.Helper()
	if os.Getenv(oracleVar) == "" {
		t.Skip("downloads public modules: " + oracleVar + "=modules")
	}
}

// eachModule runs a test of each module, which counts what it compares, and
// fails when a module was passed over.
func eachModule(t *testing.T, list []string, run func(t *testing.T, module string) (compared int)) {
	t.Helper()
	var done atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d of %d modules were compared", done.Load(), len(list))
		if done.Load() == 0 {
			t.Error("got no module, want some")
		}
	})
	for _, m := range list {
		t.Run(m, func(t *testing.T) {
			if run(t, m) == 0 {
				t.Fatal("nothing was compared")
			}
			done.Add(1)
		})
	}
}

// modules are what the oracle looks at: programs and libraries, most with a few
// dependencies, some with assembly, embedded files or many constraints.
func modules() []string {
	list := []string{
		"filippo.io/age@v1.2.0",
		"filippo.io/mkcert@v1.4.4",
		"github.com/a-h/templ@v0.2.747",
		"github.com/air-verse/air@v1.52.3",
		"github.com/charmbracelet/glow@v1.5.1",
		"github.com/cloudflare/cfssl@v1.6.5",
		"github.com/cloudflare/circl@v1.4.0",
		"github.com/coredns/coredns@v1.11.1",
		"github.com/evanw/esbuild@v0.23.1",
		"github.com/go-chi/chi/v5@v5.1.0",
		"github.com/go-delve/delve@v1.23.0",
		"github.com/go-task/task/v3@v3.38.0",
		"github.com/google/go-containerregistry@v0.20.2",
		"github.com/google/ko@v0.16.0",
		"github.com/jesseduffield/lazygit@v0.43.1",
		"github.com/junegunn/fzf@v0.54.3",
		"github.com/klauspost/compress@v1.20.2",
		"github.com/mikefarah/yq/v4@v4.44.3",
		"github.com/moby/buildkit@v0.34.2",
		"github.com/nats-io/nats-server/v2@v2.10.18",
		"github.com/pelletier/go-toml/v2@v2.2.3",
		"github.com/pressly/goose/v3@v3.21.1",
		"github.com/prometheus/node_exporter@v1.8.2",
		"github.com/rhysd/actionlint@v1.7.1",
		"github.com/rogpeppe/go-internal@v1.16.0",
		"github.com/tetratelabs/wazero@v1.8.0",
		"github.com/tinylib/msgp@v1.2.1",
		"github.com/zeebo/blake3@v0.2.4",
		"go.etcd.io/bbolt@v1.3.11",
		"golang.org/x/crypto@v0.58.0",
		"golang.org/x/tools@v0.52.0",
		"golang.org/x/vuln@v1.9.0",
		"google.golang.org/protobuf@v1.34.2",
		"honnef.co/go/tools@v0.8.2",
		"mvdan.cc/gofumpt@v0.7.0",
		"mvdan.cc/sh/v3@v3.9.0",
	}
	if strings.Contains(os.Getenv(oracleVar), "large") {
		list = append(list,
			"github.com/caddyserver/caddy/v2@v2.8.4",
			"github.com/ethereum/go-ethereum@v1.14.8",
			"github.com/gohugoio/hugo@v0.131.0",
			"github.com/prometheus/prometheus@v0.54.0",
			"github.com/rclone/rclone@v1.67.0",
			"gonum.org/v1/gonum@v0.15.1",
			"modernc.org/sqlite@v1.32.0",
			"tailscale.com@v1.70.0",
		)
	}
	return list
}

// download returns the directory of a module in the module cache.
func download(t testing.TB, module string) string {
	t.Helper()
	out, err := goCommand(t.TempDir(), []string{"GOWORK=off"}, "mod", "download", "-json", module)
	if err != nil {
		t.Fatal(err)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	return found.Dir
}

// TestModules compares closures of real modules with what go list says.
func TestModules(t *testing.T) {
	asked(t)
	eachModule(t, modules(), func(t *testing.T, m string) int {
		t.Parallel()
		// A module of the cache may have kept vendor/modules.txt, but no more.
		o := oracle{root: download(t, m), modules: []string{"."}, mod: "readonly", env: []string{"GOWORK=off"}}
		o.run(t)
		return o.closures
	})
}

// TestVendored vendors a module and looks at it again.
func TestVendored(t *testing.T) {
	asked(t)
	list := []string{"github.com/mikefarah/yq/v4@v4.44.3", "github.com/klauspost/compress@v1.20.2", "github.com/go-delve/delve@v1.23.0"}
	eachModule(t, list, func(t *testing.T, m string) int {
		t.Parallel()
		root := t.TempDir()
		copyTree(t, download(t, m), root)
		if err := os.RemoveAll(filepath.Join(root, "vendor")); err != nil {
			t.Fatal(err)
		}
		if _, err := goCommand(root, []string{"GOWORK=off"}, "mod", "vendor"); err != nil {
			t.Fatal(err)
		}
		o := oracle{root: root, modules: []string{"."}, env: []string{"GOWORK=off"}}
		o.run(t)
		return o.closures
	})
}

// TestManyModules puts modules of one repository together again, which replace
// one another, and makes a workspace of them.
func TestManyModules(t *testing.T) {
	asked(t)
	const version, oldVersion = "v3.5.17", "v2.305.17"
	root := t.TempDir()
	work := []string{"work", "init"}
	for _, m := range []struct{ dir, path, version string }{
		{"api", "api/v3", version}, {"client/pkg", "client/pkg/v3", version},
		{"client/v2", "client/v2", oldVersion}, {"client/v3", "client/v3", version},
		{"etcdctl", "etcdctl/v3", version}, {"etcdutl", "etcdutl/v3", version}, {"pkg", "pkg/v3", version},
		{"raft", "raft/v3", version}, {"server", "server/v3", version},
	} {
		copyTree(t, download(t, "go.etcd.io/etcd/"+m.path+"@"+m.version), filepath.Join(root, m.dir))
		work = append(work, m.dir)
	}
	modules := []string{"etcdctl", "etcdutl", "server"}
	t.Run("replaced", func(t *testing.T) {
		o := oracle{root: root, modules: modules}
		o.run(t)
	})
	t.Run("workspace", func(t *testing.T) {
		for _, dir := range work[2:] {
			dropReplaces(t, filepath.Join(root, dir, "go.mod"))
		}
		if _, err := goCommand(root, nil, work...); err != nil {
			t.Fatal(err)
		}
		for _, dir := range modules { // the go command writes go.work.sum by itself
			if _, err := goCommand(filepath.Join(root, dir), nil, "list", "-deps", "."); err != nil {
				t.Fatal(err)
			}
		}
		o := oracle{root: root, modules: modules}
		o.run(t)
	})
}

// dropReplaces drops the replacements of a go.mod: in a workspace they contradict
// one another.
func dropReplaces(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range f.Replace {
		if err := f.DropReplace(r.Old.Path, r.Old.Version); err != nil {
			t.Fatal(err)
		}
	}
	f.Cleanup()
	if data, err = f.Format(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// copyTree copies a directory, such that it can be written.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// oracle compares a tree with what go list says.
type oracle struct {
	root    string
	modules []string // directories
	mod     string   // the flag
	env     []string

	closures, files int
	surplus         map[string]bool
	surplusFiles    int
}

func (o *oracle) run(t *testing.T) {
	t.Helper()
	o.surplus = map[string]bool{}
	ix, err := scan.Scan(os.DirFS(o.root), scan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if o.mod != "" {
		o.env = append(o.env, "GOFLAGS=-mod="+o.mod)
	}
	tree := New(ix)
	for _, platform := range targets() {
		for _, module := range o.modules {
			o.compare(t, tree, platform, module)
		}
	}
	if o.closures == 0 {
		t.Fatal("nothing was compared")
	}
	t.Logf("%d packages, %d closures of %d files, surplus %d (%.2f %%) %q", len(ix.Packages), o.closures, o.files,
		o.surplusFiles, 100*float64(o.surplusFiles)/float64(max(o.files, 1)), slices.Sorted(maps.Keys(o.surplus)))
}

// compare compares the closures of all main packages of a module, or those of
// all packages when there is none.
func (o *oracle) compare(t *testing.T, tree *Tree, platform, module string) {
	t.Helper()
	target, env := targetOf(t, platform)
	target.Mod = o.mod
	env = append(env, o.env...)
	dirs := mains(tree.index, module, target)
	if len(dirs) == 0 {
		return
	}
	listed := list(t, o.root, module, env, dirs)
	s := tree.For(target)
	narrowed := platform != "linux/amd64"
	for _, dir := range dirs {
		main := listed.at(dir)
		if main == nil {
			continue
		}
		got, err := s.Of(dir)
		if err != nil {
			t.Errorf("%s on %s: %v", dir, platform, err)
			continue
		}
		w := listed.closure(main)
		extra := compareClosure(t, dir+" on "+platform, w, got)
		for _, name := range extra {
			o.surplus[path.Base(name)] = true
		}
		o.surplusFiles += len(extra)
		o.files += len(w.files)
		o.closures++
		if !narrowed {
			narrowed = true
			o.narrow(t, tree.index, dir, module, target, got, env)
		}
	}
}

// narrow wants the same closure of an index that holds no more, and the same
// list of files from a tree that holds no more.
func (o *oracle) narrow(t *testing.T, ix *scan.Index, dir, module string, target Target, want *Closure, env []string) {
	t.Helper()
	small, err := scan.Scan(os.DirFS(o.root), scan.Options{Mains: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Of(small, dir, target)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s: narrow index: %v\n-want +got:\n%s", dir, err, diff)
	}
	for i := range small.Packages {
		p := &small.Packages[i]
		if diff := cmp.Diff(ix.PackageAt(p.Dir), p); diff != "" {
			t.Errorf("%s: narrow index:\n-want +got:\n%s", p.Dir, diff)
		}
	}
	root := t.TempDir()
	for _, name := range want.Files {
		data, err := os.ReadFile(filepath.Join(o.root, name))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	rel, err := filepath.Rel(module, dir)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"list", "-deps", "-trimpath", "-f", "{{if not .Standard}}{{.ImportPath}} {{.GoFiles}} {{.SFiles}} {{.HFiles}} {{.SysoFiles}} {{.EmbedFiles}} {{.Module}} {{.BuildID}}{{end}}"}
	if strings.Contains(os.Getenv(oracleVar), "export") {
		args = append(args, "-export")
	}
	args = append(args, "./"+filepath.ToSlash(rel))
	whole, err := goCommand(filepath.Join(o.root, module), env, args...)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := goCommand(filepath.Join(root, module), env, args...)
	if diff := cmp.Diff(string(whole), string(alone)); diff != "" || err != nil {
		t.Errorf("%s: narrow tree: %v\n-want +got:\n%s", dir, err, diff)
	}
}

// compareClosure wants all of w in a closure, and returns what else is there.
func compareClosure(t *testing.T, build string, w want, got *Closure) (surplus []string) {
	t.Helper()
	for what, missing := range map[string][]string{
		"files":    without(w.files, got.Files),
		"external": without(w.external, got.External),
		"std":      without(w.std, got.Std),
	} {
		if len(missing) > 0 {
			t.Errorf("%s: %s: missing %q", build, what, missing)
		}
	}
	for _, name := range slices.Concat(without(got.External, w.external), without(got.Std, w.std), got.Missing) {
		t.Errorf("%s: surplus import %s", build, name)
	}
	return slices.DeleteFunc(without(got.Files, w.files), isModuleFile)
}
