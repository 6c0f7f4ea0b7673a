package frontend

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
	"golang.org/x/tools/txtar"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// A user and a password as the specs of TestSecrets have them.
const (
	secretUser = "ann4-us3r"
	secretWord = "s3cr3t-w0rd"
)

// forms are the ways in which a text may be written down.
func forms(text string) [][]byte {
	quoted, _ := json.Marshal(text) // error ignored: a string has none
	all := []string{text, strings.Trim(string(quoted), `"`), url.QueryEscape(text), url.PathEscape(text), hex.EncodeToString([]byte(text))}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		// What is before the text decides where its bits are: one of three places.
		// The characters that have bits of other bytes are left out.
		for before := range 3 {
			encoded := enc.EncodeToString([]byte(strings.Repeat("\x00", before) + text))
			all = append(all, encoded[(before*8+5)/6:(before+len(text))*8/6])
		}
	}
	var list [][]byte
	for _, form := range all {
		list = append(list, []byte(form))
	}
	return list
}

// listener is a fake daemon that keeps what leaves the frontend.
type listener struct {
	*fake
	mu   sync.Mutex
	left map[string][]byte
}

// hear keeps what leaves.
func (l *listener) hear(what string, data []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left[fmt.Sprintf("%s %d", what, len(l.left))] = data
}

// Solve hears a definition.
func (l *listener) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	l.hearDefinition(req.Definition)
	return l.fake.Solve(ctx, req)
}

// hearDefinition leaves out what the daemon must be told: of a git repository where
// that is, of a download the proxies of the client.
func (l *listener) hearDefinition(def *pb.Definition) {
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			panic(err)
		}
		if strings.HasPrefix(op.GetSource().GetIdentifier(), "git://") {
			continue
		}
		if meta := op.GetExec().GetMeta(); meta != nil {
			meta.ProxyEnv = nil
		}
		l.hear("op", marshal(&op))
	}
	l.hear("source", marshal(def.Source))
	for _, md := range def.Metadata {
		l.hear("metadata", marshal(md))
	}
}

func marshal(m proto.Message) []byte {
	dt, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return dt
}

// Warn hears a warning.
func (l *listener) Warn(ctx context.Context, dgst digest.Digest, msg string, opts client.WarnOpts) error {
	l.hear("warning", []byte(msg+opts.URL+string(bytes.Join(opts.Detail, nil))))
	l.hear("source of a warning", marshal(opts.SourceInfo))
	return l.fake.Warn(ctx, dgst, msg, opts)
}

// ResolveImageConfig hears the name of an image.
func (l *listener) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	l.hear("image", []byte(ref+" "+opt.LogName))
	return l.fake.ResolveImageConfig(ctx, ref, opt)
}

// ResolveSourceMetadata hears the title of a look-up.
func (l *listener) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	l.hear("look-up", []byte(opt.LogName))
	return l.fake.ResolveSourceMetadata(ctx, op, opt)
}

// end hears what the build returns: the error with its details, as it travels.
func (l *listener) end(t *testing.T, res *client.Result, err error) {
	t.Helper()
	if err != nil {
		l.hear("error", []byte(err.Error()))
		st, _ := status.FromError(grpcerrors.ToGRPC(t.Context(), err)) // it is one
		l.hear("details", marshal(st.Proto()))
		return
	}
	for name, value := range res.Metadata {
		if name == "result.json" && strings.Contains(string(value), `"def"`) {
			value = withoutOps(t, value)
		}
		l.hear(name, value)
	}
}

// withoutOps is the answer to convertllb without the steps, which are heard as those
// of a build.
func withoutOps(t *testing.T, answer []byte) []byte {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(answer, &all); err != nil {
		t.Fatal(err)
	}
	delete(all, "def")
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// found names where one of the forms of a secret is.
func (l *listener) found(secrets ...string) (where []string) {
	for what, data := range l.left {
		for _, s := range secrets {
			if slices.ContainsFunc(forms(s), func(form []byte) bool { return bytes.Contains(data, form) }) {
				where = append(where, fmt.Sprintf("%s: %q", what, data))
			}
		}
	}
	slices.Sort(where)
	return where
}

// calls are the questions that a client can ask of a spec, and the build.
func calls() []string {
	list := []string{""}
	for _, r := range served() {
		list = append(list, r.Name)
	}
	return list
}

// leave builds a spec, or asks a question about it, and looks for the user and the
// password in what leaves. In texts USER and WORD stand for them.
func leave(t *testing.T, call, text string, opts []string, files ...txtar.File) error {
	t.Helper()
	write := strings.NewReplacer("USER", secretUser, "WORD", secretWord)
	ar := &txtar.Archive{Files: []txtar.File{
		{Name: "Gopherfile.yaml", Data: []byte(write.Replace(text))},
		{Name: "context/go.mod", Data: []byte("module example.com/hello\n\ngo 1.26.0\n\nrequire example.com/dep v1.0.0\n")},
		{Name: "context/main.go", Data: []byte("package main\n\nimport _ \"example.com/dep\"\n\nfunc main() {}\n")},
		{Name: "daemon", Data: []byte("gateway=\n")},
	}}
	for _, f := range files {
		ar.Files = append(ar.Files, txtar.File{Name: f.Name, Data: []byte(write.Replace(string(f.Data)))})
	}
	l := &listener{fake: newFake(t, ar), left: map[string][]byte{}}
	l.opts["filename"] = "Gopherfile.yaml"
	if call != "" {
		l.opts["requestid"] = call
	}
	for _, opt := range opts {
		name, value, _ := strings.Cut(opt, "=")
		l.opts[name] = write.Replace(value)
	}
	res, err := Build(t.Context(), l)
	l.end(t, res, err)
	for _, where := range l.found(secretUser, secretWord) {
		t.Errorf("%s: found in %s", call, where)
	}
	return err
}

// TestSecretURLs checks that no form of a URL with a user or a password is taken
// where the documentation says so, and that neither leaves with the error.
func TestSecretURLs(t *testing.T) {
	for _, address := range []string{
		"https://USER:WORD@p.test",
		"https://USER:pa WORD@p.test/x",
		"https://USER: WORD@p.test",
		"https://USER:1 2/WORD@p.test",
		"https://USER:p@WORD@p.test",
		"https://USER:p%zzWORD@p.test",
		"https://USER:p%40WORD@p.test",
		"https://USER:p/WORD@p.test",
		"https://USER:p#WORD@p.test",
		"https://USER:p'WORD@p.test",
		"https://USER:p\"WORD@p.test",
		"https://USER:p\\WORD@p.test",
		"https://USER:pässWORD@p.test",
		"https://WORD@p.test",
		"https://WORD-and-more-than-an-error-has-of-a-value@p.test",
		"HTTPS://USER:WORD@p.test",
		"//USER:WORD@p.test",
		"ssh://git:WORD@p.test",
		"https://a.test:8080,https://USER:WORD@p.test|direct",
		"direct|https://USER:pa WORD@p.test",
	} {
		quoted, err := json.Marshal(address)
		if err != nil {
			t.Fatal(err)
		}
		argument := "args: {V: none}\n"
		sum := ", to: /x, checksum: \"sha256:" + strings.Repeat("0", 64) + "\"}]}\n"
		for _, place := range []struct {
			text string
			opts []string
		}{
			{"modules: {proxy: " + string(quoted) + "}\n", nil},
			{"modules:\n  private: " + string(quoted) + "\n", nil},
			{"build: {env: {HTTPS_PROXY: " + string(quoted) + "}}\n", nil},
			{"build: {env: {API: " + string(quoted) + "}}\nmain: .\n", nil},
			{argument + "modules: {proxy: \"${V}\"}\n", []string{"build-arg:V=" + address}},
			{argument + "build: {env: {API: \"${V}\"}}\n", []string{"build-arg:V=" + address}},
			{argument + "main: ${V}\n", []string{"build-arg:V=" + address}},
			{"image: {files: [{from: " + string(quoted) + sum, nil},
			{argument + "image: {files: [{from: \"${V}\"" + sum, []string{"build-arg:V=" + address}},
			{"main: .\n", []string{"target=vuln", "build-arg:GOVULNDB=" + address}},
			{"main: " + string(quoted) + "\n", nil},
			{"builder: " + string(quoted) + "\nimage: {from: " + string(quoted) + "}\n", nil},
			{"main: .\nplatforms: " + string(quoted) + "\ngo: " + string(quoted) + "\n", nil},
			{"unknown: " + string(quoted) + "\n", nil},
			{"image: " + string(quoted) + "\n", nil},
			{"main: [" + string(quoted) + "\n", nil},
			{string(quoted) + "\n", nil},
		} {
			for _, call := range []string{"", "frontend.lint"} {
				if err := leave(t, call, place.text, place.opts); err == nil && call == "" {
					t.Errorf("%q in %q is taken", address, place.text)
				}
			}
		}
	}
}

// TestSecretProxies checks that the address of a proxy is taken for one without a
// scheme, too.
func TestSecretProxies(t *testing.T) {
	for _, opt := range []string{"build-arg:V=USER:WORD@p.test:3128", "build-arg:V=WORD@p.test", "build-arg:V=http://USER:WORD@p.test"} {
		for _, call := range []string{"", "frontend.lint"} {
			if err := leave(t, call, "args: {V: x}\nbuild: {env: {https_proxy: \"${V}\"}}\n", []string{opt}); err == nil && call == "" {
				t.Errorf("%s is taken", opt)
			}
		}
	}
}

// TestSecretValues checks that the answers to questions leave out what a spec puts
// into an image and into commands. The image and the commands have it.
func TestSecretValues(t *testing.T) {
	const address = "\"https://USER:1 2/WORD@p.test\""
	text := "main: .\nimage:\n  env: {A: " + address + "}\n  labels: {B: " + address + "}\n  annotations: {C: " + address + "}\n" +
		"  cmd: [" + address + "]\nbuild: {ldflags: [-X, \"main.D=https://USER:WORD@p.test\"]}\ntest: [-run, " + address + "]\n"
	for _, call := range calls()[1:] {
		if call != "frontend.convertllb" && call != requestSize { // their graph is that of a build
			leave(t, call, text, nil)
		}
	}
	err := leave(t, requestPlan, text, []string{"target=test"})
	if err != nil {
		t.Error(err)
	}
}

// TestSecretDetails checks that no password is in what goes with an error.
func TestSecretDetails(t *testing.T) {
	const address = "https://" + secretUser + ":" + secretWord + "@git.test/x"
	step := func(op *pb.Op) error {
		return errdefs.WithSolveError(errdefs.WithOp(errors.New(address), op, nil), nil, nil, nil)
	}
	for _, err := range []error{
		step(&pb.Op{Op: &pb.Op_Source{Source: &pb.SourceOp{Identifier: address, Attrs: map[string]string{pb.AttrFullRemoteURL: address}}}}),
		step(&pb.Op{Op: &pb.Op_Exec{Exec: &pb.ExecOp{Meta: &pb.Meta{ProxyEnv: &pb.ProxyEnv{HttpProxy: address}}}}}),
	} {
		l := &listener{left: map[string][]byte{}}
		err = travel(fmt.Errorf("on the way: %w", travel(err)))
		l.end(t, nil, shown(err, err.Error()))
		for _, where := range l.found(secretUser, secretWord) {
			t.Errorf("found in %s", where)
		}
	}
}

// TestSecrets looks for the user and the password of a URL in whatever leaves, for
// each question about a spec.
func TestSecrets(t *testing.T) {
	const broken = "module example.com/hello\n\n// see https://USER:WORD@p.test\ngo one\n"
	for _, tt := range []struct {
		name, text string
		opts       []string
		files      []txtar.File
	}{
		{"comment", "# from https://USER:WORD@p.test/x\nmain: .\n", nil, nil},
		{"comment and an error", "# from https://USER:WORD@p.test/x\nmian: .\n", nil, nil},
		{"unused argument", "args: {V: https://USER:WORD@p.test}\nmain: .\n", nil, nil},
		{"given argument", "args: {V: x}\nmain: .\n", []string{"build-arg:V=https://USER:WORD@p.test"}, nil},
		{"address of an argument", "args: {V: \"\"}\nmain: ${V}\n", []string{"build-arg:V=https://USER:WORD@git.test/x"}, nil},
		{"escaped", "modules: {proxy: \"https:\\/\\/USER:WORD@p.test\"}\n", nil, nil},
		{"more escaped", "modules: {proxy: \"https\\u003a//USER:WORD@p.test\"}\n", nil, nil},
		{"folded", "modules:\n  proxy: >-\n    https://USER:pass\n    WORD@p.test\n", nil, nil},
		{"over lines", "modules:\n  proxy: \"https://USER:pass\n    WORD@p.test\"\n", nil, nil},
		{"alias", "build: {env: {A: &a \"https://USER:WORD@p.test\"}}\nmodules: {proxy: *a}\n", nil, nil},
		{"proxy without scheme", "build: {env: {https_proxy: \"USER:WORD@p.test:3128\"}}\n", nil, nil},
		{"byte order mark", "\ufeff# https://USER:WORD@p.test\nmodules: {proxy: \"https://USER:pa WORD@p.test\"}\n", nil, nil},
		{"a quote in it", "modules: {proxy: \"https://USER:pa\"WORD@p.test\"}\n", nil, nil},
		{"an item of a list", "generate:\n-https://USERUSER:WORD@p.test\nmain: .\n", nil, nil},
		{"check", "# check=skip=https://USER:WORD@p.test\nmain: .\n", nil, nil},
		{"check of the client", "main: .\n", []string{"build-arg:GOPHERFILE_CHECK=https://USER:WORD@p.test"}, nil},
		{"rules", "main: .\n", []string{"build-arg:GOPHERFILE_CHECK=skip=https://USER:WORD@p.test"}, nil},
		{"target", "main: .\n", []string{"target=https://USER:WORD@p.test"}, nil},
		{"ports", "image: {expose: \"https://USER:WORD@p.test\", user: \"https://USER:WORD@p.test\", stopsignal: \"https://USER:WORD@p.test\"}\n", nil, nil},
		{"directory", "generate: [{run: go version, dir: \"https://USER:WORD@p.test\", network: \"https://USER:WORD@p.test\"}]\n", nil, nil},
		{"names", "binaries: {\"https://USER:WORD@p.test\": .}\n", nil, nil},
		{"keys", "build: {env: {\"https://USER:WORD@p.test\": x}}\n", nil, nil},
		{"go.mod", "main: .\n", nil, []txtar.File{{Name: "context/go.mod", Data: []byte(broken)}}},
		{"go.mod of a plan", "main: .\n", nil, []txtar.File{
			{Name: "context/go.mod", Data: []byte("module example.com/hello // https://USER:WORD@p.test\n\ngo 1.26.0\n\nreplace example.com/dep => ./none\n\nrequire example.com/dep v1.0.0\n")},
		}},
		{"go.mod as the spec", "", []string{"filename=go.mod"}, []txtar.File{{Name: "go.mod", Data: []byte(broken)}, {Name: "context/go.mod", Data: []byte(broken)}}},
		{".dockerignore", "main: .\n", nil, []txtar.File{{Name: "context/.dockerignore", Data: []byte("# https://USER:WORD@p.test\n[https://USER:WORD@p.test\n")}}},
		{"git context", "# check=error=true\nimage: {user: root}\n", []string{"context=https://USER:WORD@git.test/hello.git"}, nil},
		{"git context, failing", "main: .\n", []string{"context=https://USER:WORD@git.test/hello.git"}, []txtar.File{{Name: "daemon", Data: []byte("exit=1 /run/gopherfile/gocache modules\n")}}},
		{"missing argument", "args: {V: }\nmain: ${V}\n", []string{"label:x=y"}, nil},
		{"proxies of the client", "main: .\n", []string{"build-arg:HTTPS_PROXY=http://USER:WORD@p.test:3128"}, nil},
		{"proxies of the client, failing", "main: .\n", []string{"build-arg:HTTPS_PROXY=http://USER:WORD@p.test:3128"}, []txtar.File{{Name: "daemon", Data: []byte("exit=1 /run/gopherfile/gocache modules\n")}}},
		{"named context", "image: {files: [{from: \"context:assets/x\", to: /x}]}\n", []string{"context:assets=https://USER:WORD@git.test/a.git"}, nil},
		{"title of a command", "generate: go run ./gen \"https://p.test\"\n", []string{"context=https://USER:WORD@git.test/hello.git"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, call := range calls() {
				leave(t, call, tt.text, tt.opts, tt.files...)
			}
		})
	}
}
