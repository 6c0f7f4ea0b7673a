package redact

import (
	"net/url"
	"strings"
	"testing"
)

// TestText hides passwords in texts as programs write them.
func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                                         "",
		"https://git.test/x":                       "https://git.test/x",
		"https://anna:pass@git.test/x":             "https://git.test/x",
		"https://token@git.test":                   "https://git.test",
		"https://anna:p@ss@git.test/x":             "https://git.test/x",
		"https://@:@@@git.test?a@b":                "https://git.test?a@b",
		"https://anna:p'ss@git.test/x":             "https://git.test/x",
		`get "https://anna:p@ss@h.test/x@v1": EOF`: `get "https://h.test/x@v1": EOF`,
		`parse "http://anna:p\"s@s@h.test"`:        `parse "http://h.test"`,
		"fatal: 'https://a:b@h.test/' and 'ssh://git@h.test/y'":                                     "fatal: 'https://h.test/' and 'ssh://h.test/y'",
		"https://anna:p/ss@git.test/x":                                                              "https://git.test/x",
		"https://anna:p#s?s@git.test/x":                                                             "https://git.test/x",
		"https://anna:1p/s@s@git.test/m/@v/list":                                                    "https://git.test/m/@v/list",
		`proxy "http://anna:p#ss@h.test:3128": parse "http://anna:p": invalid port ":p" after host`: `proxy "http://h.test:3128": parse "…": invalid port after host`,
		"https://proxy.test/example.com/m/@v/v1.0.0.info":                                           "https://proxy.test/example.com/m/@v/v1.0.0.info",
		"https://proxy.test:8443/m/@latest":                                                         "https://proxy.test:8443/m/@latest",
		"https://proxy.test: dial tcp, see anna@git.test":                                           "https://proxy.test: dial tcp, see anna@git.test",
		"https://[::1]:443/m/@v/list":                                                               "https://[::1]:443/m/@v/list",
		"golang:1.26@sha256:00":                                                                     "golang:1.26@sha256:00",
		"git@git.test:team/lib.git":                                                                 "git@git.test:team/lib.git",
		"https://git.test/a\nmailto anna@git.test":                                                  "https://git.test/a\nmailto anna@git.test",
		"docker-image://docker.io/library/golang:1.26-alpine@sha256:00":                             "docker-image://docker.io/library/golang:1.26-alpine@sha256:00",
	} {
		if got := Text(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestPrintable shows what a terminal would obey.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"plain «é» 界":       "plain «é» 界",
		"a\x1b[31mb\n\tc":   `a\x1b[31mb\n\tc`,
		"\u200b\x00\x7f'\"": `\u200b\x00\x7f'"`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestURL hides what a label must not say.
func TestURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://anna:p@ss@git.test/x":     "https://git.test/x",
		"https://anna:p%40ss@git.test/x#y": "https://git.test/x#y",
		"https://anna:p%zz@git.test/x":     "https://git.test/x",
		"https://anna:p/ss@git.test/x":     "https://git.test/x",
		"ssh://git:pass@git.test/x":        "ssh://git@git.test/x",
		"git+ssh://git@git.test/x":         "git+ssh://git@git.test/x",
		"git@git.test:x.git":               "git@git.test:x.git",
		"//anna:pass@git.test/x":           "//git.test/x",
		"https://git.test/hello@v1%zz.git": "https://git.test/hello@v1%zz.git",
	} {
		if got := URL(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if got := Has(text); got != (text != want || strings.Contains(text, "ssh://")) {
			t.Errorf("%q: got %t for having a user", text, got)
		}
	}
}

// FuzzText hides any password that package net/url takes, in any text around.
func FuzzText(f *testing.F) {
	for _, password := range []string{"pass", "p@ss", "@", "p'ss", "a:b", "p%40", "1", "(x)", "$&+,;=!*~"} {
		f.Add("anna", password, "go: ", ": EOF")
	}
	f.Fuzz(func(t *testing.T, user, password, before, after string) {
		text := "https://" + user + ":" + password + "@git.test/x"
		u, err := url.Parse(text)
		if err != nil || u.Host != "git.test" || u.User == nil || strings.ContainsAny(before+after, "@:\"\\") {
			return
		}
		if got := Text(before + text + after); !strings.HasPrefix(got, before+"https://git.test/x") {
			t.Errorf("got %q of %q", got, text)
		}
	})
}
