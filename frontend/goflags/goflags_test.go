package goflags

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
		ok   bool
	}{
		{"", nil, true},
		{" -s  -w\t-a\r\n", []string{"-s", "-w", "-a"}, true},
		{`'-X a=b c' "d'e"`, []string{"-X a=b c", "d'e"}, true},
		{`'a'b"c"`, []string{"a", `b"c"`}, true},
		{`''""`, []string{"", ""}, true},
		{`-X a='b`, []string{"-X", "a='b"}, true},
		{`-X 'open a`, []string{"-X", "'open a"}, false},
		{`a\'b c`, []string{`a\'b`, "c"}, true},
		{"a\u00a0b\vc", []string{"a\u00a0b\vc"}, true},
	} {
		got, ok := Split(tt.text)
		if !slices.Equal(got, tt.want) || ok != tt.ok {
			t.Errorf("%q: got %q %v, want %q %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

func TestEnv(t *testing.T) {
	got := Env([]string{"GOFLAGS=-a", "GOFLAGSX=-b", "GOFLAGS='-c d' -e", "GOOS=linux"})
	if want := []string{"-c d", "-e"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFlags(t *testing.T) {
	flags := []string{"-mod=mod", "--mod=vendor", "-race", "-msan", "--msan=0", "-asan=x", "-n=false", "-n=T", "tags=a", "-=b", "-ldflags=-X=a=b", "-o", "out", "-v"}
	for name, want := range map[string]string{"mod": "vendor", "ldflags": "-X=a=b", "o": "out", "n": "T"} {
		if got, ok := Value(flags, name); got != want || !ok {
			t.Errorf("%s: got %q %t, want %q", name, got, ok, want)
		}
	}
	for _, name := range []string{"tags", "b", "out", "v"} {
		if got, ok := Value(flags, name); ok {
			t.Errorf("%s: got %q, want none", name, got)
		}
	}
	for name, want := range map[string]bool{"race": true, "msan": false, "asan": false, "n": true, "x": false} {
		if got := On(flags, name); got != want {
			t.Errorf("%s: got %t, want %t", name, got, want)
		}
	}
	if !Has(flags, "x", "msan") || Has(flags, "tags", "out", "") {
		t.Error("got another answer of Has")
	}
}

// TestGoCommand asks the go command which of the tags a to d it sees in GOFLAGS.
func TestGoCommand(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module m\n", "m.go": "package m\n"}
	tags := []string{"a", "b", "c", "d"}
	for _, tag := range tags {
		files["is"+tag+".go"] = "//go:build " + tag + "\n\npackage m\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for text, refused := range map[string]bool{
		"-tags=a": false, "--tags=a,b": false, "'-tags=a' -v": false, `"-tags=a,b c"`: false, `"-tags='a' 'b' c"`: false,
		`"-tags=a'b c"`: false, "'-tags=a''-tags=b'": false, "-tags=,a,,b,": false, "-tags=a -tags=": false, "'-tags=a\tb'": false,
		"-v\t-tags=a\r\n-x": false, "'-tags= a  b '": false, `'-tags="a" b'`: false, "-tags='a'": false,
		"-tags='a": true, "'-tags=a": true, "-tags a": true, "'' -tags=a": true,
	} {
		cmd := exec.Command("go", "list", "-f", "{{.GoFiles}}", ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PWD="+dir, "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS="+text)
		out, err := cmd.Output()
		if (err != nil) != refused {
			t.Errorf("GOFLAGS=%s: got error %v, want one: %t", text, err, refused)
		}
		var want []string
		for _, tag := range tags {
			if strings.Contains(string(out), "is"+tag+".go") {
				want = append(want, tag)
			}
		}
		words, _ := Split(text)
		value, _ := Value(words, "tags")
		got := slices.DeleteFunc(Tags(value), func(tag string) bool { return !slices.Contains(tags, tag) })
		if !refused && !slices.Equal(got, want) {
			t.Errorf("GOFLAGS=%s: got tags %q, want %q", text, got, want)
		}
	}
}

// TestFrozen has the values of GOFIPS140 that name a frozen part of the standard
// library. The last one counts.
func TestFrozen(t *testing.T) {
	for env, want := range map[string]bool{
		"": false, "A=v1.0.0": false, "GOFIPS140=": false, "GOFIPS140=off": false, "GOFIPS140=latest": false,
		"GOFIPS140=v1.0.0": true, "GOFIPS140=certified": true, "GOFIPS140=v1.0.0 GOFIPS140=off": false,
	} {
		if got := Frozen(strings.Fields(env)); got != want {
			t.Errorf("Frozen(%q) = %v, want %v", env, got, want)
		}
	}
}
