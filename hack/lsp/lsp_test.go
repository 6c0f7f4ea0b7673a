// Package lsp checks what users of editors get from the JSON Schema: it asks the
// YAML language server, which is what VS Code, Neovim, Emacs and others ask.
package lsp

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const syntaxLine = "# syntax=gopherfile/gopherfile:1\n"

// editor is a server that knows where the schema is.
type editor struct {
	*client
	modeline string
	// keys are the descriptions of the keys of a mapping.
	keys func(mapping string) map[string]string
}

// TestEditor asks one server, which takes long to start, about all documents.
func TestEditor(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Node.js and a package from npm")
	}
	file, err := filepath.Abs("../../frontend/spec/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	dt, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	e := &editor{
		client:   start(t),
		modeline: "# yaml-language-server: $schema=" + (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String() + "\n",
		keys:     func(mapping string) map[string]string { return descriptions(t, dt, mapping) },
	}
	t.Run("keys", e.testKeys)
	t.Run("inserted", e.testInserted)
	t.Run("values", e.testValues)
	t.Run("hover", e.testHover)
	t.Run("diagnostics", e.testDiagnostics)
	t.Run("examples", e.testExamples)
}

// descriptions returns the keys of a mapping, with what the schema says of them.
func descriptions(t *testing.T, dt []byte, mapping string) map[string]string {
	t.Helper()
	type object struct {
		Properties map[string]struct{ Description string }
	}
	var s struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(dt, &s); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	of := s.object
	if mapping != "" {
		of = s.Defs[mapping]
	}
	for key, property := range of.Properties {
		all[key] = property.Description
	}
	if len(all) < 3 {
		t.Fatalf("got %d keys of %q in the schema", len(all), mapping)
	}
	return all
}

// cursor opens a document that has a ¦ where the cursor is.
func (e *editor) cursor(t *testing.T, text string) map[string]any {
	t.Helper()
	before, after, found := strings.Cut(syntaxLine+e.modeline+text, "¦")
	if !found {
		t.Fatal("no cursor")
	}
	uri, _ := e.open(t, before+after)
	line := strings.Count(before, "\n")
	return at(uri, position{line, len(before) - strings.LastIndex(before, "\n") - 1})
}

// completion is a proposal of the server.
type completion struct {
	Label         string
	InsertText    string
	Documentation json.RawMessage
}

func (e *editor) complete(t *testing.T, text string) map[string]completion {
	t.Helper()
	var list struct{ Items []completion }
	e.call(t, "textDocument/completion", e.cursor(t, text), &list)
	all := map[string]completion{}
	for _, item := range list.Items {
		all[item.Label] = item
	}
	return all
}

// testKeys checks that the keys of a mapping are proposed, with their
// documentation, wherever the mapping can stand.
func (e *editor) testKeys(t *testing.T) {
	for _, tt := range []struct{ text, mapping string }{
		{"¦\n", ""},
		{"main: ./cmd/server\nimage:\n  ¦\n", "image"},
		{"image:\n  user: root\n  ¦\n", "image"},
		{"build:\n  ¦\n", "build"},
		{"modules:\n  ¦\n", "modules"},
		{"binaries:\n  server:\n    ¦\n", "binary"},
		{"binaries:\n  server:\n    image:\n      ¦\n", "image"},
		{"image:\n  healthcheck:\n    ¦\n", "healthcheck"},
		{"image:\n  files:\n    ¦\n", "file"},
		{"image:\n  files:\n    - from: a\n      ¦\n", "file"},
		{"generate:\n  - ¦\n", "command"},
	} {
		got := e.complete(t, tt.text)
		for key, description := range e.keys(tt.mapping) {
			if strings.Contains(tt.text, key+": ") {
				continue // it is there already
			}
			item, ok := got[key]
			if !ok {
				t.Errorf("%s\ngot %v, want %s, too", tt.text, slices.Sorted(maps.Keys(got)), key)
				continue
			}
			var said string
			if err := json.Unmarshal(item.Documentation, &said); err != nil || said != description {
				t.Errorf("%s\ndocumentation of %s: got %s, want %q", tt.text, key, item.Documentation, description)
			}
		}
	}
	// The rest of the test believes the schema.
	got := e.complete(t, "image:\n  ¦\n")
	for key, want := range map[string]string{
		"user":    "User runs the binary: a name of the image's passwd file or a number",
		"workdir": "Workdir is the directory in which the binary starts.",
		"expose":  "Expose lists ports",
		"files":   "Files are put into the image beside the binary.",
	} {
		if !strings.HasPrefix(string(got[key].Documentation), `"`+want) {
			t.Errorf("documentation of %s: got %s, want %s", key, got[key].Documentation, want)
		}
	}
}

// testInserted checks what is written when a key is chosen. The server would
// write out all defaults below a key if it could.
func (e *editor) testInserted(t *testing.T) {
	for _, tt := range []struct{ text, label, want string }{
		{"¦\n", "main", "main: "},
		{"¦\n", "build", "build:\n  "},
		{"¦\n", "image", "image:\n  "},
		{"¦\n", "modules", "modules:\n  "},
		{"¦\n", "generate", "generate:\n  - "},
		{"binaries:\n  server:\n    ¦\n", "image", "image:\n  "},
		{"image:\n  ¦\n", "healthcheck", "healthcheck:\n  "},
		{"image:\n  ¦\n", "expose", "expose:\n  - "},
		{"image:\n  ¦\n", "files", "files:\n  - "},
		{"build:\n  ¦\n", "strip", "strip: ${1:true}"},
	} {
		if got := e.complete(t, tt.text)[tt.label].InsertText; strings.TrimRight(got, " \n") != strings.TrimRight(tt.want, " \n") {
			t.Errorf("%s\n%s: got %q, want %q", tt.text, tt.label, got, tt.want)
		}
	}
}

// testValues checks which values are proposed.
func (e *editor) testValues(t *testing.T) {
	for text, want := range map[string][]string{
		"build:\n  buildmode: ¦\n":        {"default", "exe", "pie"},
		"build:\n  strip: ¦\n":            {"false", "true"},
		"generate:\n  - network: ¦\n":     {"default", "none"},
		"image:\n  expose: ¦\n":           {"53/udp", "8080", "9000-9010"},
		"image:\n  expose:\n    - ¦\n":    {"53/udp", "8080", "9000-9010"},
		"platforms: ¦\n":                  {"linux/amd64", "linux/arm/v7", "windows/amd64"},
		"image:\n  files:\n    to: ¦\n":   {"/etc/app/", "/etc/app/config.yaml"},
		"image:\n  files:\n  - mode: ¦\n": {`"0644"`, `"0755"`},
	} {
		if got := slices.Sorted(maps.Keys(e.complete(t, text))); !slices.Equal(got, want) {
			t.Errorf("%s\ngot %q, want %q", text, got, want)
		}
	}
}

// testHover checks the text that is shown for a key.
func (e *editor) testHover(t *testing.T) {
	for text, want := range map[string]string{
		"build:\n  st¦rip: true\n":                        "Strip leaves out the symbol table and debug information.\n\nDefault: true\n",
		"im¦age:\n  user: root\n":                         "Image is what the image holds and how it is run.",
		"image:\n  files:\n    - fr¦om: a\n      to: /\n": "From is a path of the context, which may hold wildcards",
		"image:\n  healthcheck:\n    retr¦ies: 3\n":       "Retries is how many failures in a row make the container unhealthy.",
		"generate:\n  - r¦un: go generate ./...\n":        "Run is the command: one text is split at spaces",
		"binaries:\n  a:\n    ma¦in: ./cmd/a\n":           "Main is the main package, as the key main of the spec has it.",
		"build:\n  buildm¦ode: pie\n":                     "Allowed Values:",
	} {
		var got struct{ Contents struct{ Value string } }
		e.call(t, "textDocument/hover", e.cursor(t, text), &got)
		if !strings.Contains(got.Contents.Value, want) {
			t.Errorf("%s\ngot %q, want %q", text, got.Contents.Value, want)
		}
	}
}

// testDiagnostics checks which mistakes are underlined, and where. Lines count
// from that of the first key.
func (e *editor) testDiagnostics(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"mian: ./cmd/server\n", "0:0-0:4 Property mian is not allowed."},
		{"image:\n  expos: 80\n", "1:2-1:7 Property expos is not allowed."},
		{"image:\n  expose: http\n", "1:10-1:14 expected one such as 8080, 53/udp or 9000-9010"},
		{"image:\n  expose: [8080, http]\n", "1:17-1:21 expected one such as 8080, 53/udp or 9000-9010"},
		{"build:\n  strip: yes\n", "1:9-1:12 expected true or false"},
		{"build:\n  buildmode: plugin\n", `1:13-1:19 Value is not accepted. Valid values: "default", "exe", "pie".`},
		{"go: latest\n", "0:4-0:10 expected one such as 1.26 or 1.26.3"},
		{"main: [./cmd/server]\n", "0:6-0:20 Incorrect type. Expected one of string, number, boolean."},
		{"image:\n  files:\n    - from: a\n", `2:6-2:7 Missing property "to".`},
		{"image:\n  healthcheck: {test: [a], interval: 5}\n", "1:37-1:38 Value is above the maximum of 0."},
		{"image:\n  healthcheck: {test: [a], retries: 0}\n", "1:36-1:37 Value is below the minimum of 1."},
		{"args: {9A: x}\n", "0:7-0:9 this is not a name that can stand here"},
		{"build:\n  buildmode: ${MODE}\n  tags: sqlite\nimage: {expose: \"${PORT}\"}\n", ""},
	} {
		_, found := e.open(t, syntaxLine+e.modeline+tt.text)
		if got := show(found); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// show writes diagnostics without the two lines above the first key.
func show(found []diagnostic) string {
	var lines []string
	for _, d := range found {
		r := d.Range
		lines = append(lines, fmt.Sprintf("%d:%d-%d:%d %s", r.Start.Line-2, r.Start.Character, r.End.Line-2, r.End.Character, d.Message))
	}
	return strings.Join(lines, "\n")
}

// testExamples checks that nothing is underlined in the examples. A copy with a
// mistake tells that it would be.
func (e *editor) testExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/Gopherfile.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		dt, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		keys, ok := strings.CutPrefix(string(dt), syntaxLine)
		if !ok {
			t.Errorf("%s: the first line is not %q", file, syntaxLine)
		}
		text := syntaxLine + e.modeline + keys
		if _, found := e.open(t, text); len(found) > 0 {
			t.Errorf("%s:\n%s", file, show(found))
		}
		if _, found := e.open(t, text+"zzz: 1\n"); len(found) != 1 {
			t.Errorf("%s: got %d diagnostics of an unknown key, want one", file, len(found))
		}
	}
}
