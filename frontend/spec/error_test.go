package spec

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// ours are words that a user must never read: names of Go and of libraries. A
// text of the user's own may hold them.
func ours() []string {
	return []string{"spec.", "plan.", "reflect", "*string", "[]string", "interface {}", "goroutine", "runtime error", "panic", "yaml:", "YAML node", "%!", "line 0", ":0:"}
}

// checkErrors checks what holds for every list of errors: places are inside of
// the file, and texts are one line in words of the user.
func checkErrors(t *testing.T, source string, err error) {
	t.Helper()
	var list ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		t.Fatalf("got %T, want an ErrorList", err)
	}
	lines := strings.Split(strings.TrimPrefix(source, "\ufeff"), "\n")
	for i, e := range list {
		// Only a file that is too large has no place.
		if e.Pos.IsValid() || len(source) <= MaxSize {
			if e.Pos.Line < 1 || e.Pos.Line > len(lines) || e.Pos.Column < 1 || e.Pos.Column > len(lines[e.Pos.Line-1])+1 {
				t.Errorf("%v: place outside of the file", e)
			}
		}
		if e.Msg == "" || strings.ContainsAny(e.Error(), "\n\r\t\x1b\x00") {
			t.Errorf("%q: want one line", e.Error())
		}
		if len(e.Error()) > 4000 {
			t.Errorf("%.100s… has %d characters", e.Error(), len(e.Error()))
		}
		for _, word := range ours() {
			if strings.Contains(e.Error(), word) && !strings.Contains(source, word) {
				t.Errorf("%v: no user knows what %q is", e, word)
			}
		}
		if i > 0 && *e == *list[i-1] {
			t.Errorf("%v: twice", e)
		}
	}
}

// TestErrorTexts checks the errors of all archives, those of package plan too.
func TestErrorTexts(t *testing.T) {
	for _, glob := range []string{"testdata/err/*.txtar", "../plan/testdata/err-*.txtar"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("no archives: %v", err)
		}
		for _, file := range files {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var source, said string
			for _, f := range ar.Files {
				switch f.Name {
				case "Gopherfile.yaml":
					source = string(f.Data)
				case "errors":
					said = strings.ReplaceAll(string(f.Data), "Gopherfile.yaml", "f")
				}
			}
			for _, word := range append(ours(), ".go:", "0xc0") {
				if strings.Contains(said, word) && !strings.Contains(source, word) {
					t.Errorf("%s: no user knows what %q is:\n%s", file, word, said)
				}
			}
			for line := range strings.Lines(said) {
				_, msg, _ := strings.Cut(line, ": ")
				if msg == "" || msg[0] >= 'A' && msg[0] <= 'Z' && !strings.HasPrefix(msg, "U+") {
					t.Errorf("%s: want lower case: %s", file, line)
				}
			}
		}
	}
}

// TestColumns checks that columns count bytes wherever the text before them has
// other characters than ASCII, whoever found the place.
func TestColumns(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"image: {labels: {ä: ö, b: [c]}}", "f:1:29: "},
		{"ä: 1", "f:1:1: "},
		{"image: {ä: 1, ö: 2}", "f:1:9: f:1:16: "},
		{"main: \"ä\" x", "f:1:12: "},
		{"image: {labels: {ä: @}}", "f:1:22: "},
		{"main: ä\x01", "f:1:9: "},
		{"\ufeffmain: [ä]\nä: x", "f:1:7: f:2:1: "},
		{"main: ä\r\ngo: [1]\r\n", "f:2:5: "},
	} {
		_, err := Parse("f", []byte(tt.source))
		var list ErrorList
		if !errors.As(err, &list) {
			t.Errorf("%q: got %v, want an ErrorList", tt.source, err)
			continue
		}
		got := ""
		for _, e := range list {
			got += fmt.Sprintf("f:%d:%d: ", e.Pos.Line, e.Pos.Column)
		}
		if got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.source, got, tt.want)
		}
	}
}

// TestErrorIn checks the place of a text inside a value, over lines and behind
// other characters.
func TestErrorIn(t *testing.T) {
	s := parse(t, "image:\n  labels:\n    a: |\n      ä one\n      two x\n    b: \"ä x\"\n    c: &c plain\n    d: *c\n  user: x # x\n")
	l := s.Image.Labels
	for _, tt := range []struct {
		field any
		text  string
		want  Pos
	}{
		{&l[0].Value, "one", Pos{4, 10}},
		{&l[0].Value, "x", Pos{5, 11}},
		{&l[0].Value, "nowhere", Pos{3, 8}},
		{&l[0].Value, "", Pos{3, 8}},
		{&l[1].Value, "x", Pos{6, 12}},
		{&l[2].Value, "ain", Pos{7, 13}},
		{&l[3].Value, "plain", Pos{8, 8}},
		{&s.Image.User, "x", Pos{9, 9}},
		{&s.Main, "x", Pos{1, 1}},
	} {
		if got := s.ErrorIn(tt.field, tt.text, "x").Pos; got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.text, got, tt.want)
		}
	}
}

// TestErrorMessage checks that a value cannot spoil the line it is shown in.
func TestErrorMessage(t *testing.T) {
	s := parse(t, "main: x\n")
	long := strings.Repeat("ä", 5000)
	e := s.Errorf(&s.Main, "%s and %s", "a\x1b[31m\nb\u202e", long).WithHelp("%s", "c\nd")
	if want := `f:1:7: a\x1b[31m\nb\u202e and ä`; !strings.HasPrefix(e.Error(), want) {
		t.Errorf("got %.80s, want %s", e.Error(), want)
	}
	if !strings.HasSuffix(e.Error(), `… (c\nd)`) || len(e.Error()) > 600 {
		t.Errorf("got %d bytes that end in %q", len(e.Error()), e.Error()[len(e.Error())-20:])
	}
}

// TestTooMuch checks that neither aliases nor mistakes in number use up memory
// or time.
func TestTooMuch(t *testing.T) {
	var entries, binaries strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&entries, "a%d: x, ", i)
		fmt.Fprintf(&binaries, "  b%d: *a\n", i)
	}
	for _, tt := range []struct{ name, source, want string }{
		{"values", "binaries:\n  a: &a {image: {env: {" + entries.String() + "}}}\n" + binaries.String(), "aliases repeat too many values"},
		{"mistakes", "image: {" + entries.String() + "}", "more errors from here on"},
		{"levels", strings.Repeat("[", 20000), "too many levels"},
	} {
		_, err := Parse("f", []byte(tt.source))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got no error that says %s", tt.name, tt.want)
		}
		var list ErrorList
		if errors.As(err, &list) && len(list) > maxErrors+1 {
			t.Errorf("%s: got %d errors", tt.name, len(list))
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"main", "image", "binaries", "go", "env", "tags", "certs", "pgo"}
	for word, want := range map[string]string{
		"mian": "main", "amin": "main", "MAIN": "main", "mains": "main", "imgae": "image", "binarys": "binaries",
		"evn": "env", "Go": "go", "gp": "go", "tag": "tags", "tgas": "tags", "pog": "pgo",
		"cgo": "", "ports": "", "x": "", "": "", "abc": "", "mmmm": "", "man": "main",
	} {
		if got := Nearest(word, words); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
