package llb

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// benign is a value that is what it looks like, for a graph to compare with.
const benign = "benign"

// hostile are values that mean something to a shell, to the go command or to a
// file system.
func hostile() []string {
	return []string{
		"-o", "-toolexec=evil", "$(evil);`evil`", "evil b", "evil\nb", "evil\x00b", `'evil"`, "evil*", "evil,b", "evil=b",
		"../../evil", "/etc/evil", "..", strings.Repeat("x", 150<<10),
	}
}

// hostileCase is a build with a value somewhere.
type hostileCase struct {
	place string
	// spec has VALUE where the value stands, tree files and their text.
	spec string
	tree map[string]string
	// client is what the client asks for.
	client func(opt *plan.Options, value string)
}

// attempts are all places of a spec, of the client and of the tree.
func attempts() []hostileCase {
	var all []hostileCase
	for _, s := range specPlaces() {
		place, text, _ := strings.Cut(s, " | ")
		all = append(all, hostileCase{place: place, spec: text})
	}
	flag := func(place, name string) hostileCase {
		return hostileCase{
			place: place, spec: "args: {V: ''}\n" + name,
			client: func(opt *plan.Options, value string) { opt.Args = map[string]string{"V": value} },
		}
	}
	all = append(all,
		flag("--build-arg, in a flag of the linker", "build: {ldflags: '-X main.v=${V}'}"),
		flag("--build-arg, for flags of the linker", "build: {ldflags: '${V}'}"),
		flag("--build-arg, in a flag of the compiler", "build: {gcflags: 'all=-d=${V}'}"),
		flag("--build-arg, in a tag", "build: {tags: 'a${V}'}"),
		flag("--build-arg, in a variable", "build: {env: {A: '${V}'}}"),
		flag("--build-arg, in a command", "generate: 'stringer -type=T ${V}'"),
		flag("--build-arg, for the main package", "main: '${V}'"),
		flag("--build-arg, in the name of a file", "image: {files: {from: 'dir/${V}', to: '/etc/${V}'}}"),
		flag("--build-arg, in a label", "image: {labels: {a: '${V}'}}"),
		flag("--build-arg, in the base", "image: {from: 'registry.example.com/${V}'}"),
		flag("--build-arg, for no value", ""),
		hostileCase{place: "--build-arg that nobody declared", client: func(opt *plan.Options, value string) { opt.Args = map[string]string{"V": value} }},
		hostileCase{place: "--build-arg by its name", client: func(opt *plan.Options, value string) { opt.Args = map[string]string{value: "x"} }},
		hostileCase{place: "--build-arg GOVULNDB", client: func(opt *plan.Options, value string) {
			opt.Target, opt.Args = plan.TargetVuln, map[string]string{"GOVULNDB": value}
		}},
		hostileCase{place: "--build-arg GOVULNDB, in a URL", client: func(opt *plan.Options, value string) {
			opt.Target, opt.Args = plan.TargetVuln, map[string]string{"GOVULNDB": "https://example.com/" + value}
		}},
		hostileCase{place: "--target", client: func(opt *plan.Options, value string) { opt.Target = value }},
		hostileCase{place: "--platform, its system", client: func(opt *plan.Options, value string) {
			opt.Platforms = []ocispecs.Platform{{OS: value, Architecture: "amd64"}}
		}},
		hostileCase{place: "--platform, its architecture", client: func(opt *plan.Options, value string) {
			opt.Platforms = []ocispecs.Platform{{OS: "linux", Architecture: value}}
		}},
		hostileCase{place: "--platform, its variant", client: func(opt *plan.Options, value string) {
			opt.Platforms = []ocispecs.Platform{{OS: "linux", Architecture: "arm", Variant: value}}
		}},
		hostileCase{place: "--platform, its release", client: func(opt *plan.Options, value string) {
			opt.Platforms = []ocispecs.Platform{{OS: "windows", Architecture: "amd64", OSVersion: value}}
		}},
		hostileCase{place: "--label", client: func(opt *plan.Options, value string) { opt.Labels = map[string]string{"a": value} }},
		hostileCase{place: "--label by its name", client: func(opt *plan.Options, value string) { opt.Labels = map[string]string{value: "x"} }},
		hostileCase{place: "the revision", spec: "build: {stamp: main.v}", client: func(opt *plan.Options, value string) { opt.Revision = value }},
		hostileCase{place: "the source", client: func(opt *plan.Options, value string) { opt.Source = value }},
	)
	const goMod = "module example.com/hello\n\ngo 1.26.0\n\n"
	tree := func(place, name, text string) {
		all = append(all, hostileCase{place: place, tree: map[string]string{name: text}})
	}
	tree("go.mod, the path of the module", "go.mod", "module VALUE\n\ngo 1.26.0\n")
	tree("go.mod, the path in quotes", "go.mod", "module \"VALUE\"\n\ngo 1.26.0\n")
	tree("go.mod, its last element", "go.mod", "module \"example.com/VALUE\"\n\ngo 1.26.0\n")
	tree("go.mod, its release", "go.mod", "module m\n\ngo VALUE\n")
	tree("go.mod, its toolchain", "go.mod", "module m\n\ngo 1.26\ntoolchain VALUE\n")
	tree("go.mod, the path of a requirement", "go.mod", goMod+"require \"VALUE\" v1.0.0\n")
	tree("go.mod, the version of a requirement", "go.mod", goMod+"require example.com/x \"VALUE\"\n")
	tree("go.mod, what replaces a module", "go.mod", goMod+"require example.com/dep v1.0.0\n\nreplace example.com/dep => \"VALUE\"\n")
	tree("go.work, a module", "go.work", "go 1.26.0\n\nuse .\nuse \"VALUE\"\n")
	tree("an import", "main.go", "package main\n\nimport _ \"VALUE\"\n")
	tree("an import of another module", "main.go", "package main\n\nimport _ \"example.com/dep/VALUE\"\n")
	all = append(all, hostileCase{place: "an embedded file", tree: map[string]string{
		"main.go": "package main\n\nimport _ \"embed\"\n\n//go:embed \"VALUE\"\nvar x string\n", "VALUE": "",
	}})
	tree("the name of a Go file", "VALUE.go", "package main\n")
	all = append(all, hostileCase{place: "the directory of an import", tree: map[string]string{
		"main.go": "package main\n\nimport _ \"example.com/hello/VALUE\"\n", "VALUE/x.go": "package x\n",
	}})
	all = append(all, hostileCase{place: "the directory of the main package", spec: "main: './VALUE'", tree: map[string]string{"VALUE/main.go": "package main\n"}})
	return all
}

// specPlaces are the keys of a spec: what it is, and the spec.
func specPlaces() []string {
	return strings.Split(strings.TrimSpace(`
go | go: VALUE
builder | builder: VALUE
main | main: VALUE
platforms | platforms: VALUE
binaries, a name | binaries: {VALUE: .}
binaries, main | binaries: {a: VALUE}
args, a name | args: {VALUE: x}
args, a default | {args: {A: VALUE}, build: {ldflags: "-X main.v=${A}"}}
build.tags | build: {tags: [VALUE]}
build.ldflags, all | build: {ldflags: VALUE}
build.ldflags, an item | build: {ldflags: [-X, VALUE]}
build.gcflags | build: {gcflags: VALUE}
build.asmflags | build: {asmflags: VALUE}
build.env, a name | build: {env: {VALUE: x}}
build.env, a value | build: {env: {A: VALUE}}
build.env, GOFLAGS | build: {env: {GOFLAGS: VALUE}}
build.env, GOPROXY | build: {env: {GOPROXY: VALUE}}
build.buildmode | build: {buildmode: VALUE}
build.pgo | build: {pgo: VALUE}
build.stamp | build: {stamp: VALUE}
image.from | image: {from: VALUE}
image.user | image: {user: VALUE}
image.workdir | image: {workdir: VALUE}
image.entrypoint | image: {entrypoint: [VALUE]}
image.cmd | image: {cmd: [VALUE]}
image.env, a name | image: {env: {VALUE: x}}
image.env, a value | image: {env: {A: VALUE}}
image.expose | image: {expose: VALUE}
image.volumes | image: {volumes: VALUE}
image.labels, a name | image: {labels: {VALUE: x}}
image.labels, a value | image: {labels: {a: VALUE}}
image.annotations, a name | image: {annotations: {VALUE: x}}
image.annotations, a value | image: {annotations: {a: VALUE}}
image.stopsignal | image: {stopsignal: VALUE}
image.healthcheck, the program | image: {healthcheck: [VALUE]}
image.healthcheck, an argument | image: {healthcheck: [hello, VALUE]}
image.healthcheck.interval | image: {healthcheck: {test: hello, interval: VALUE}}
image.healthcheck.retries | image: {healthcheck: {test: hello, retries: VALUE}}
image.with | {image: {with: VALUE}, binaries: {a: ., b: .}}
image.files, from | image: {files: {from: VALUE, to: /x}}
image.files, a context | image: {files: {from: !!PREFIX context:VALUE, to: /x}}
image.files, a path of a context | image: {files: {from: !!PREFIX context:a/VALUE, to: /x}}
image.files, a URL | image: {files: {from: !!PREFIX https://example.com/VALUE, to: /x/, checksum: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}
image.files, a host | image: {files: {from: !!PREFIX https://VALUE/x, to: /x/, checksum: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}
image.files, to | image: {files: {from: a, to: VALUE}}
image.files, below to | image: {files: {from: a, to: !!PREFIX /x/VALUE}}
image.files, mode | image: {files: {from: a, to: /x, mode: VALUE}}
image.files, owner | image: {files: {from: a, to: /x, owner: VALUE}}
image.files, checksum | image: {files: {from: "https://example.com/x", to: /x, checksum: VALUE}}
modules.private | modules: {private: VALUE}
modules.private, by ssh | modules: {ssh: default, private: VALUE}
modules.proxy | modules: {proxy: VALUE}
modules.proxy, in a URL | modules: {proxy: !!PREFIX https://example.com/VALUE}
modules.netrc | modules: {netrc: VALUE}
modules.ssh | modules: {ssh: VALUE}
generate, all | generate: VALUE
generate, the program | generate: {run: [VALUE, x]}
generate, an argument | generate: {run: [stringer, VALUE]}
generate, dir | generate: {run: [stringer, x], dir: VALUE}
generate, network | generate: {run: [stringer, x], network: VALUE}
test | test: VALUE
`), "\n")
}

// prefixed is a value with texts around it, in one pair of quotes.
var prefixed = regexp.MustCompile(`!!PREFIX ([^ ]*)VALUE([^ ,}]*)`)

// quotedSpec is a spec with a value in it, as YAML in double quotes.
func quotedSpec(text, value string) string {
	quote := func(s string) string {
		q := strconv.Quote(s)
		return strings.ReplaceAll(q, `\'`, `'`)
	}
	text = prefixed.ReplaceAllStringFunc(text, func(m string) string {
		around := prefixed.FindStringSubmatch(m)
		return quote(around[1] + value + around[2])
	})
	text = strings.ReplaceAll(text, "'./VALUE'", quote("./"+value))
	return strings.ReplaceAll(text, "VALUE", quote(value))
}

// resolve resolves an attempt.
func (a *hostileCase) resolve(value string) (*plan.Plan, string, error) {
	text := quotedSpec(a.spec, value)
	s, err := spec.Parse("f", []byte(text))
	if err != nil {
		return nil, text, err
	}
	tree := fstest.MapFS{}
	for name, text := range map[string]string{
		"go.mod": "module example.com/hello\n\ngo 1.26.0\n\nrequire example.com/dep v1.0.0\n", "main.go": "package main\n\nimport _ \"example.com/dep\"\n",
	} {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, text := range a.tree {
		name = path.Clean(strings.ReplaceAll(name, "VALUE", value))
		if !strings.HasPrefix(name, "..") && !path.IsAbs(name) {
			tree[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(text, "VALUE", value))}
		}
	}
	ix, err := scan.Scan(tree, scan.Options{Mains: plan.Mains(s)})
	if err != nil {
		return nil, text, err
	}
	opt := plan.Options{BuildPlatform: amd64()}
	if strings.HasPrefix(a.place, "test") {
		opt.Target = plan.TargetTest
	}
	if s.Binaries != nil && !strings.Contains(a.place, "a name") {
		opt.Target = "a"
	}
	if a.client != nil {
		a.client(&opt, value)
	}
	p, err := plan.Resolve(s, ix, opt)
	return p, text, err
}

// long is a long value as the table shows it.
var long = regexp.MustCompile(`x{50,}`)

// verdict is what becomes of an attempt.
func (a *hostileCase) verdict(t *testing.T, value, shape string, usual []string) string {
	t.Helper()
	p, text, err := a.resolve(value)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return "refused: " + first
	}
	checkGraph(t, p, []byte(text))
	found := look(t, p, []byte(text), value)
	out := "harmless"
	places := slices.DeleteFunc(found.places, func(p string) bool { return slices.Contains(usual, p) })
	for _, place := range places {
		out += "\n\t\t" + place
	}
	switch {
	case len(places) == 0:
		out += ": in no step"
	case shape != "" && shape != found.shape:
		out += "\n\t\tOTHER STEPS OR WORDS"
	}
	return out
}

// usualPlaces are those that a value has without an attempt.
func usualPlaces(t *testing.T, value string) []string {
	t.Helper()
	p, text, err := (&hostileCase{}).resolve(benign)
	if err != nil {
		t.Fatal(err)
	}
	return look(t, p, []byte(text), value).places
}

// TestHostile writes down what becomes of each value in each place: refused, with
// the words of the error, or harmless, with all words of commands, variables, paths
// and parts of the image that hold it. What no command may hold is checked by
// checkGraph, as FuzzGraph does; where a graph has other steps or words than with
// a benign value, the table says so.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("draws many graphs")
	}
	const file = "testdata/hostile.txt"
	var b strings.Builder
	usual := map[string][]string{}
	for _, value := range hostile() {
		usual[value] = usualPlaces(t, value)
	}
	for _, a := range attempts() {
		shape := ""
		if p, text, err := a.resolve(benign); err == nil {
			shape = look(t, p, []byte(text), benign).shape
		}
		fmt.Fprintf(&b, "%s\n", a.place)
		for _, value := range hostile() {
			name := strconv.Quote(value)
			t.Run(a.place+" "+name[:min(len(name), 20)], func(t *testing.T) {
				fmt.Fprintf(&b, "\t%s %s\n", name, a.verdict(t, value, shape, usual[value]))
			})
		}
	}
	got := long.ReplaceAllString(b.String(), "xxx…")
	golden(t, file, got)
}
