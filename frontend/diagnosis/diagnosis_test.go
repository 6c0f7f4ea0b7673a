package diagnosis

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// TestExplain runs every archive of testdata. The sections stdout and stderr are
// what go mod download -json wrote, netrc is the secret and agent the socket
// that the client passed, and options holds NAME=value lines. The golden section
// is explanation.
func TestExplain(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
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
			r, opt := readArchive(t, ar)
			got := r.Explain(opt)
			checkLine(t, got)
			checkSecrets(t, ar, &r, got)
			golden(t, file, ar, got+"\n")
		})
	}
}

// section returns the content of a section, and whether there is one.
func section(ar *txtar.Archive, name string) ([]byte, bool) {
	i := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		return nil, false
	}
	return ar.Files[i].Data, true
}

// readArchive makes the report, which goes from the step to the frontend.
func readArchive(t *testing.T, ar *txtar.Archive) (Report, Options) {
	t.Helper()
	known := []string{"stdout", "stderr", "netrc", "agent", "options", "explanation"}
	for _, f := range ar.Files {
		if !slices.Contains(known, f.Name) {
			t.Fatalf("unknown section %s", f.Name)
		}
	}
	stdout, _ := section(ar, "stdout")
	stderr, _ := section(ar, "stderr")
	r := Read(stdout, stderr)
	dir := t.TempDir()
	for _, name := range []string{"netrc", "agent"} {
		if data, ok := section(ar, name); ok {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.Passed(filepath.Join(dir, "netrc"), filepath.Join(dir, "agent"))
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var arrived Report
	if err := json.Unmarshal(data, &arrived); err != nil {
		t.Fatal(err)
	}
	opt := Options{Netrc: "netrc", SSH: "default", Builder: "golang:1.26"}
	options, _ := section(ar, "options")
	for line := range strings.Lines(string(options)) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), "="); name {
		case "netrc":
			opt.Netrc = value
		case "ssh":
			opt.SSH = value
		case "builder":
			opt.Builder = value
		default:
			t.Fatalf("unknown option %s", name)
		}
	}
	return arrived, opt
}

// checkLine checks that an explanation is one line that a terminal can show.
func checkLine(t *testing.T, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }); i >= 0 {
		t.Errorf("got %q in the explanation %q, want one line", text[i:i+1], text)
	}
	if !utf8.ValidString(text) || text != strings.TrimSpace(text) {
		t.Errorf("got %q, want words", text)
	}
	if strings.Contains(text, "  ") || strings.Contains(text, "()") || strings.Contains(text, "%!") {
		t.Errorf("got %q, want no gap in it", text)
	}
}

// checkSecrets checks that no password of the netrc file or of a URL is in the
// report. In archives they look like s3cret-1.
func checkSecrets(t *testing.T, ar *txtar.Archive, r *Report, text string) {
	t.Helper()
	netrc, _ := section(ar, "netrc")
	if bytes.Contains(netrc, []byte("password")) && !bytes.Contains(netrc, []byte("s3cret-")) {
		t.Errorf("the netrc has no password such as s3cret-1")
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if secret := regexp.MustCompile(`s3cret-\d|anna`).FindString(string(data) + text); secret != "" {
		t.Errorf("got %q in the report %s and the explanation %s", secret, data, text)
	}
}

// golden compares the explanation with that of the archive, or rewrites it.
func golden(t *testing.T, file string, ar *txtar.Archive, got string) {
	t.Helper()
	want, _ := section(ar, "explanation")
	if *update {
		ar.Files = slices.DeleteFunc(ar.Files, func(f txtar.File) bool { return f.Name == "explanation" })
		ar.Files = append(ar.Files, txtar.File{Name: "explanation", Data: []byte(got)})
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRead checks what is kept of long and broken output.
func TestRead(t *testing.T) {
	module := func(i int) string {
		return fmt.Sprintf(`{"Path": "example.com/m%d", "Version": "v1.0.0", "Error": "no such host"}`, i)
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = module(i)
	}
	long := strings.Repeat("remote: counting\n", 3000)
	for _, tt := range []struct {
		name           string
		stdout, stderr string
		modules        int
		path, said     string
	}{
		{name: "nothing"},
		{name: "all worked", stdout: `{"Path": "example.com/a", "Version": "v1.0.0", "Dir": "/a"}`},
		{name: "one of two", stdout: `{"Path": "example.com/a", "Version": "v1.0.0", "Dir": "/a"}` + module(1), modules: 1, path: "example.com/m1", said: "no such host"},
		{name: "killed within one", stdout: module(1) + `{"Path": "example.com/m2", "Err`, modules: 1, path: "example.com/m1", said: "no such host"},
		{name: "killed at once", stdout: `{`},
		{name: "no JSON", stdout: "not JSON"},
		{name: "another type", stdout: `[1]`},
		{name: "many", stdout: strings.Join(many, "\n"), modules: 100, path: "example.com/m0", said: "no such host"},
		{name: "its own name in front", stdout: `{"Path": "example.com/a", "Version": "v1.0.0", "Error": "example.com/a@v1.0.0: boom"}`, modules: 1, path: "example.com/a", said: "boom"},
		{name: "standard error", stderr: "go: example.com/a@v1.0.0: boom\n", modules: 1, path: "example.com/a", said: "boom"},
		{name: "both", stdout: module(1), stderr: "go: example.com/a@v1.0.0: boom\n", modules: 1, path: "example.com/m1", said: "no such host"},
		{name: "long before the end", stderr: "go: example.com/a@v1.0.0: boom\n" + long, modules: 1, path: "example.com/a", said: "boom\nremote: counting"},
		{name: "long before the start", stderr: long + "go: example.com/a@v1.0.0: boom\n", modules: 1, path: "example.com/a", said: "boom"},
		{name: "no text", stderr: "go: example.com/a@v1.0.0: \xff\xfe", modules: 1, path: "example.com/a", said: ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Read([]byte(tt.stdout), []byte(tt.stderr))
			if len(r.Modules) != tt.modules {
				t.Fatalf("got %d modules, want %d", len(r.Modules), tt.modules)
			}
			if tt.modules > 0 && (r.Modules[0].Path != tt.path || !strings.HasPrefix(r.Modules[0].Error, tt.said)) {
				t.Errorf("got %+v, want %s and %q", r.Modules[0], tt.path, tt.said)
			}
			data, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			const most = 16 << 10
			if len(data) > most {
				t.Errorf("got a report of %d bytes, want at most %d", len(data), most)
			}
			if end := tt.stderr[max(0, len(tt.stderr)-1000):]; utf8.ValidString(end) && !strings.HasSuffix(r.Stderr, end) {
				t.Errorf("got %q, want the end of what was written", r.Stderr)
			}
		})
	}
}

// TestLongErrors checks that a report stays small when every error is long.
func TestLongErrors(t *testing.T) {
	var b bytes.Buffer
	for i := range 40 {
		fmt.Fprintf(&b, `{"Path": "example.com/m%d", "Version": "v1.0.0", "Error": %q}`, i, strings.Repeat("x", 20<<10))
	}
	r := Read(b.Bytes(), b.Bytes())
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 256<<10 {
		t.Errorf("got a report of %d bytes, want one that goes through the gateway", len(data))
	}
	if text := r.Explain(Options{}); len(text) > 2000 {
		t.Errorf("got %d bytes, want a line for people", len(text))
	}
	long := strings.Repeat("x/", 100_000)
	for _, r := range []Report{
		Read(fmt.Appendf(nil, `{"Path": %q, "Version": %q, "Error": "404 Not Found"}`, long, long), nil),
		Read(nil, []byte("go: "+long+"@v"+strings.Repeat("1", 100_000)+": boom")),
	} {
		if text := r.Explain(Options{}); len(text) > 2000 || len(r.Modules) != 1 {
			t.Errorf("got %d bytes about a module with a long name, want a line for people", len(text))
		}
	}
}

// TestHosts checks which hosts a netrc file has a password for, and that
// nothing else of it is kept.
func TestHosts(t *testing.T) {
	for _, tt := range []struct {
		name, netrc string
		want        []string
	}{
		{"nothing", "", nil},
		{"one line", "machine git.test login anna password s3cret-1\n", []string{"git.test"}},
		{"several lines", "machine git.test\n\tlogin anna\n\tpassword s3cret-1\nmachine proxy.test:8443 login anna password s3cret-2", []string{"git.test", "proxy.test:8443"}},
		{"windows", "machine git.test login anna password s3cret-1\r\nmachine b.test login b password s3cret-2\r\n", []string{"git.test", "b.test"}},
		{"twice", "machine git.test login a password s3cret-1\nmachine git.test login b password s3cret-2\n", []string{"git.test"}},
		{"no password", "machine git.test login anna\n", nil},
		{"password of another", "machine git.test login anna\nmachine b.test password s3cret-1\n", []string{"b.test"}},
		{"all hosts", "default login anna password s3cret-1\n", []string{"default"}},
		{"keywords as values", "machine git.test login machine password machine\nmachine b.test login default password password\n", []string{"git.test", "b.test"}},
		{"a password without a host", "login anna password s3cret-1\n", nil},
		{"comment", "# machine s3cret-1 password s3cret-2\nmachine git.test login anna password s3cret-3\n", []string{"git.test"}},
		{"macro", "macdef init\nmachine s3cret-1 password s3cret-2\n\nmachine git.test login anna password s3cret-3\n", []string{"git.test"}},
		{"macro without an end", "macdef init\nmachine s3cret-1 password s3cret-2\n", nil},
		{"account", "machine git.test login anna account machine password s3cret-1\n", []string{"git.test"}},
		{"another file", "{\"machine\": \"s3cret-1\"}\n", nil},
		{"a token", "s3cret-1", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "netrc")
			if err := os.WriteFile(file, []byte(tt.netrc), 0o600); err != nil {
				t.Fatal(err)
			}
			var r Report
			r.Passed(file, "")
			if !r.Netrc || r.Agent {
				t.Errorf("got netrc %v and agent %v, want the netrc alone", r.Netrc, r.Agent)
			}
			if diff := cmp.Diff(tt.want, r.Hosts); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestPassedNothing checks a client that passes neither secret nor agent.
func TestPassedNothing(t *testing.T) {
	var r Report
	r.Passed(filepath.Join(t.TempDir(), ".netrc"), "")
	r.Passed(filepath.Join(t.TempDir(), ".netrc"), filepath.Join(t.TempDir(), "agent"))
	r.Passed(t.TempDir(), "")
	if diff := cmp.Diff(Report{}, r); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzExplain checks that every report has an explanation of one line, whatever
// was written, and that it is empty only when nothing was.
func FuzzExplain(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		stdout, _ := section(ar, "stdout")
		stderr, _ := section(ar, "stderr")
		netrc, _ := section(ar, "netrc")
		_, agent := section(ar, "agent")
		f.Add(stdout, stderr, string(netrc), agent)
	}
	f.Fuzz(func(t *testing.T, stdout, stderr []byte, netrc string, agent bool) {
		r := Read(stdout, stderr)
		if netrc != "" {
			r.Netrc, r.Hosts = true, hosts(netrc)
		}
		r.Agent = agent
		opt := Options{Netrc: "netrc", SSH: "default", Builder: "golang:1.26-alpine"}
		text := r.Explain(opt)
		if strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) || !utf8.ValidString(text) || strings.Contains(text, "%!") {
			t.Errorf("got %q, want one line", text)
		}
		if text == "" && len(r.Modules) > 0 {
			t.Errorf("got nothing of %+v, want words", r)
		}
		if again := r.Explain(opt); again != text {
			t.Errorf("got %q and then %q, want the same", text, again)
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var arrived Report
		if err := json.Unmarshal(data, &arrived); err != nil {
			t.Fatal(err)
		}
		if got := arrived.Explain(opt); got != text {
			t.Errorf("got %q of the report that arrives, want %q", got, text)
		}
	})
}
