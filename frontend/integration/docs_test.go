package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// block is a fenced code block of a Markdown file.
type block struct {
	lang, text string
	file       string // of the comment <!-- file: name --> above it
	line       int
}

// blocks returns the fenced code blocks of a Markdown file.
func blocks(data string) []block {
	var all []block
	fence := regexp.MustCompile("(?ms)(?:^<!-- file: (\\S+) -->\n)?^```(\\w*)\n(.*?)^```$")
	for _, m := range fence.FindAllStringSubmatchIndex(data, -1) {
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return data[m[2*i]:m[2*i+1]]
		}
		all = append(all, block{file: part(1), lang: part(2), text: part(3), line: strings.Count(data[:m[0]], "\n") + 1})
	}
	return all
}

// TestDocs executes the code blocks of README.md and docs, in order, in a copy
// of the examples:
//
//   - yaml with a file name is written there; where the repository has that
//     file, it must be the same, and it must be a spec without errors
//   - yaml without one must be a spec without errors
//   - console is run: every line below "$ command" must be printed, in order
//   - sh names scripts of the repository, which CI runs
func TestDocs(t *testing.T) {
	builder(t)
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../../README.md") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS("../../examples")); err != nil {
				t.Fatal(err)
			}
			for _, b := range blocks(string(data)) {
				check(t, dir, b)
			}
		})
	}
}

func check(t *testing.T, dir string, b block) {
	t.Helper()
	switch b.lang {
	case "yaml":
		checkSpec(t, dir, b)
	case "console":
		for _, session := range strings.Split("\n"+b.text, "\n$ ")[1:] {
			command, want, _ := strings.Cut(session, "\n")
			console(t, dir, b, command, want)
		}
	case "sh":
		for _, script := range strings.Fields(b.text) {
			if _, err := os.Stat(filepath.Join("../..", script)); err != nil {
				t.Errorf("line %d: %v", b.line, err)
			}
		}
	case "", "text":
	default:
		t.Errorf("line %d: nobody executes a block of %s", b.line, b.lang)
	}
}

func checkSpec(t *testing.T, dir string, b block) {
	t.Helper()
	inRepo := false
	if b.file != "" {
		have, err := os.ReadFile(filepath.Join("../..", b.file))
		if inRepo = err == nil; inRepo && string(have) != b.text {
			t.Errorf("line %d: %s differs from the repository's", b.line, b.file)
		}
		write(t, filepath.Join(dir, b.file), []byte(b.text))
	}
	if _, err := spec.Parse("Gopherfile.yaml", []byte(b.text)); err != nil && (inRepo || b.file == "") {
		t.Errorf("line %d: %v", b.line, err)
	}
}

// console runs a command and looks for the lines that it should print.
func console(t *testing.T, dir string, b block, command, want string) {
	t.Helper()
	cmd := exec.Command("bash", "-c", command)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	fails := strings.Contains(want, "ERROR: ")
	if (err != nil) != fails {
		t.Fatalf("line %d: %s: %v\n%s", b.line, command, err, out.String())
	}
	rest := out.String()
	for line := range strings.Lines(want) {
		line = strings.TrimRight(line, "\n")
		if line == "" {
			continue
		}
		_, after, found := strings.Cut("\n"+rest, "\n"+line+"\n")
		if !found {
			t.Fatalf("line %d: %s: want the line %q, got:\n%s", b.line, command, line, out.String())
		}
		rest = after
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
