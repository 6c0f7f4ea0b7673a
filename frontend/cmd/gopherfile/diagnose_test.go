package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gopherfile/gopherfile/frontend/diagnosis"
)

// fakeGo puts a go command into PATH, which is a script of the shell. An empty
// one is none.
func fakeGo(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"sh", "cat", "sleep"} {
		file, err := exec.LookPath(name)
		if err != nil {
			t.Skip(err)
		}
		if err := os.Symlink(file, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if script != "" {
		text := "#!" + filepath.Join(dir, "sh") + "\n" + script
		if err := os.WriteFile(filepath.Join(dir, "go"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

// download is a go command that checks how it is called.
const download = "[ \"$*\" = 'mod download -json' ] || { echo \"go: called as $*\" >&2; exit 2; }\n"

// failing is a download of two modules of which one cannot be had.
const failing = download + `cat <<'END'
{
	"Path": "example.com/good",
	"Version": "v1.0.0",
	"Dir": "/go/pkg/mod/example.com/good@v1.0.0"
}
{
	"Path": "example.com/dep",
	"Version": "v1.0.0",
	"Error": "example.com/dep@v1.0.0: reading https://proxy.test/example.com/dep/@v/v1.0.0.zip: 401 Unauthorized"
}
END
exit 1
`

// dep is what the report says of it.
func dep() []diagnosis.Module {
	return []diagnosis.Module{{Path: "example.com/dep", Version: "v1.0.0", Error: "reading https://proxy.test/example.com/dep/@v/v1.0.0.zip: 401 Unauthorized"}}
}

// TestDiagnose checks what is reported of a go command, and that this takes no
// longer than it may.
func TestDiagnose(t *testing.T) {
	const late = "it gave no answer in 500ms when it was tried again: its own lines above say why it failed"
	for _, tt := range []struct {
		name, script string
		want         diagnosis.Report
	}{
		{"a module fails", failing, diagnosis.Report{Modules: dep()}},
		{"before any module", download + "echo 'go: example.com/dep@v1.0.0: boom' >&2; exit 1\n",
			diagnosis.Report{Modules: []diagnosis.Module{{Path: "example.com/dep", Version: "v1.0.0", Error: "boom"}}, Stderr: "go: example.com/dep@v1.0.0: boom\n"}},
		{"no module", download + "echo 'go: errors parsing go.mod' >&2; exit 1\n", diagnosis.Report{Stderr: "go: errors parsing go.mod\n"}},
		{"no words", download + "exit 3\n", diagnosis.Report{}},
		{"it works", download + "exit 0\n", diagnosis.Report{Stderr: "it worked when it was tried again: build once more"}},
		{"it works with a warning", download + "echo 'go: warning' >&2; exit 0\n", diagnosis.Report{Stderr: "it worked when it was tried again: build once more"}},
		{"it hangs", download + "exec sleep 60\n", diagnosis.Report{Stderr: late}},
		{"its child hangs", download + "sleep 60 &\nwait\n", diagnosis.Report{Stderr: late}},
		{"it hangs after a module", strings.Replace(failing, "exit 1", "exec sleep 60", 1), diagnosis.Report{Modules: dep()}},
		{"it hangs after words", download + "echo 'go: example.com/dep@v1.0.0: boom' >&2; exec sleep 60\n",
			diagnosis.Report{Modules: []diagnosis.Module{{Path: "example.com/dep", Version: "v1.0.0", Error: "boom"}}, Stderr: "go: example.com/dep@v1.0.0: boom\n"}},
		{"no go command", "", diagnosis.Report{Stderr: `exec: "go": executable file not found in $PATH`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fakeGo(t, tt.script)
			limit := 30 * time.Second
			if strings.Contains(tt.script, "sleep") {
				limit = 500 * time.Millisecond
			}
			start := time.Now()
			got := diagnose(limit)
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("got an answer after %v, want it after %v", d, limit)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDiagnoseCommand checks the file that the graph reads: it says what was
// passed, without a word of it.
func TestDiagnoseCommand(t *testing.T) {
	fakeGo(t, failing)
	home, to := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".netrc", "machine git.test login anna password s3cret-1\n")
	write("agent", "")
	for _, tt := range []struct {
		name, home, socket string
		want               diagnosis.Report
	}{
		{"nothing", to, "", diagnosis.Report{Modules: dep()}},
		{"secret", home, "", diagnosis.Report{Modules: dep(), Netrc: true, Hosts: []string{"git.test"}}},
		{"agent", to, filepath.Join(home, "agent"), diagnosis.Report{Modules: dep(), Agent: true}},
		{"an agent that is not there", to, filepath.Join(home, "none"), diagnosis.Report{Modules: dep()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("HOME", tt.home)
			t.Setenv("SSH_AUTH_SOCK", tt.socket)
			stdout, stderr, code := gopherfile(t, "diagnose", to)
			if code != 0 || stdout != "" || stderr != "" {
				t.Errorf("got exit code %d, stdout %q and stderr %q, want success without a word", code, stdout, stderr)
			}
			data, err := os.ReadFile(filepath.Join(to, "report.json"))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(data), "s3cret") || strings.Contains(string(data), "anna") {
				t.Errorf("got %s, want no word of the secret", data)
			}
			var got diagnosis.Report
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDiagnoseErrors checks that the step fails only when nothing can be
// written.
func TestDiagnoseErrors(t *testing.T) {
	fakeGo(t, failing)
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no folder", nil, "diagnose: expected one folder to write to, found 0"},
		{"two folders", []string{"a", "b"}, "diagnose: expected one folder to write to, found 2"},
		{"no such folder", []string{filepath.Join(t.TempDir(), "none")}, "diagnose: open "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := diagnoseCommand(tt.args); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
