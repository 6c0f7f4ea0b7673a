package redact

import (
	"bytes"
	"net/url"
	"strconv"
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
		"fatal: 'https://a:b@h.test/' and 'ssh://git@h.test/y'":                                     "fatal: 'https://h.test/' and 'ssh://git@h.test/y'",
		"https://anna:p/ss@git.test/x":                                                              "https://git.test/x",
		"https://anna:p#s?s@git.test/x":                                                             "https://git.test/x",
		"https://anna:1p/s@s@git.test/m/@v/list":                                                    "https://git.test/m/@v/list",
		`proxy "http://anna:p#ss@h.test:3128": parse "http://anna:p": invalid port ":p" after host`: `proxy "http://h.test:3128": parse "…": invalid port after host`,
		"https://proxy.test/example.com/m/@v/v1.0.0.info":                                           "https://proxy.test/example.com/m/@v/v1.0.0.info",
		"https://proxy.test:8443/m/@latest":                                                         "https://proxy.test:8443/m/@latest",
		"https://proxy.test: dial tcp, see anna@git.test":                                           "https://proxy.test: dial tcp, see anna@git.test",
		"https://[::1]:443/m/@v/list":                                                               "https://[::1]:443/m/@v/list",
		"golang:1.26@sha256:00":                                                                     "golang:1.26@sha256:00",
		`parse "https://anna:pa ss@h.test": net/url: invalid userinfo`:                              `parse "https://h.test": net/url: invalid userinfo`,
		`parse "https://anna:p%zz@h.test": invalid URL escape "%zz"`:                                `parse "https://h.test": invalid URL escape`,
		"fatal: 'https://anna:p@ss wo@h.test/': not found":                                          "fatal: 'https://h.test/': not found",
		"curl https://anna:pa ss@h.test failed":                                                     "curl https://h.test failed",
		"url = //anna:pass@h.test/x":                                                                "url = //h.test/x",
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

// TestLines shows several lines, and the first and the last ones of many.
func TestLines(t *testing.T) {
	for _, test := range []struct {
		text, want string
		limit      int
	}{
		{"", "", 0},
		{"a\n\tb\x1b[2J\r\n\n", "a\n\tb\\x1b[2J\\r\n\n", 100},
		{"aaa\nbbb\nccc\nddd\n", "aaa\nbbb\nccc\nddd\n", 16},
		{"aaa\nbbb\nccc\nddd\n", "aaa\nbbb\nccc\n[lines that are left out here: 1]\n", 15},
		{"aaa\nbbb\nccc\nddd\neee\nfff\nggg\n", "aaa\nbbb\nccc\n[lines that are left out here: 3]\nggg\n", 20},
		{"aaa\nbbb\nccc\nddd\neee\nfff\ngg", "aaa\nbbb\nccc\n[lines that are left out here: 3]\ngg", 20},
		{"aaa\nbbb", "[lines that are left out here: 2]\n", 0},
		{"a\n" + strings.Repeat("x", 100) + "\nb\n", "a\n[lines that are left out here: 1]\nb\n", 20},
		{strings.Repeat("\x1b", 10) + "\nb\n", "[lines that are left out here: 1]\nb\n", 20},
	} {
		if got := Lines(test.text, test.limit); got != test.want {
			t.Errorf("%q with %d bytes: got %q, want %q", test.text, test.limit, got, test.want)
		}
	}
}

// TestValue hides what is known to be one value. A password may hold what a URL
// must not.
func TestValue(t *testing.T) {
	for text, want := range map[string]string{
		"https://anna:p@ss@git.test/x":              "https://git.test/x",
		"https://anna:p%40ss@git.test/x#y":          "https://git.test/x#y",
		"https://anna:p%zz@git.test/x":              "https://git.test/x",
		"https://anna:p/ss@git.test/x":              "https://git.test/x",
		"https://anna:pa ss@git.test/x":             "https://git.test/x",
		"https://anna: pass@git.test/x":             "https://git.test/x",
		"https://anna:12 34@git.test/x":             "https://git.test/x",
		"https://anna:1 2/4@git.test/x":             "https://git.test/x",
		"https://anna:p\tas\ns@git.test/x":          "https://git.test/x",
		`https://anna:p"as's@git.test/x`:            "https://git.test/x",
		"https://anna:[pa]ss@git.test/x":            "https://git.test/x",
		"https://änna:pässwörd@git.test/x":          "https://git.test/x",
		"https://to ken@git.test/x":                 "https://git.test/x",
		" HTTPS://TOKEN@git.test/x":                 " HTTPS://git.test/x",
		`https:\/\/anna:pass@git.test/x`:            `https:\/\/git.test/x`,
		"direct|https://anna:pa ss@git.test,off":    "direct|https://git.test,off",
		"https://a.test:8443,https://b:pass@c.test": "https://c.test",
		"API=https://anna:1 2/4@git.test/x":         "API=https://git.test/x",
		"-X main.url=https://anna:pa ss@git.test/x": "-X main.url=https://git.test/x",
		"ssh://git:pass@git.test/x":                 "ssh://git@git.test/x",
		"git+ssh://git:p ss@git.test/x":             "git+ssh://git@git.test/x",
		"git+ssh://git@git.test/x":                  "git+ssh://git@git.test/x",
		"git@git.test:x.git":                        "git@git.test:x.git",
		"//anna:pass@git.test/x":                    "//git.test/x",
		"https://git.test/hello@v1%zz.git":          "https://git.test/hello@v1%zz.git",
		"https://proxy.test:8443/m/@v/list":         "https://proxy.test:8443/m/@v/list",
		"docker-image://golang@sha256:00":           "docker-image://golang@sha256:00",
		"oci-layout://store@sha256:00":              "oci-layout://store@sha256:00",
		"see https://git.test and mail a@b.test":    "see https://git.test and mail a@b.test",
	} {
		if got := Value(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if got := Has(text); got != (text != want) {
			t.Errorf("%q: got %t for having a user", text, got)
		}
	}
}

// TestQuotable hides what may be a password.
func TestQuotable(t *testing.T) {
	for text, want := range map[string]string{
		"https://anna:pass@git.test":   "https://git.test",
		"https://anna:pass#git.test":   "https://…#git.test",
		"https://anna:pass/git.test":   "https://…/git.test",
		"https://git.test:8080/x":      "https://git.test:8080/x",
		"https://${HOST}:${PORT}/x":    "https://${HOST}:${PORT}/x",
		"https://git.test: no such":    "https://git.test: no such",
		"docker-image://golang:1.26":   "docker-image://golang:1.26",
		"docker-image://golang:latest": "docker-image://golang:latest",
	} {
		if got := Quotable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestHasProxy knows that the address of a proxy needs no scheme.
func TestHasProxy(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "proxy.test:3128": false, "http://proxy.test:3128": false, "http://anna:pass@proxy.test": true,
		"anna:pass@proxy.test:3128": true, "anna:pa/ss@proxy.test": true, "token@proxy.test": true, "//anna:pass@proxy.test": true,
	} {
		if got := HasProxy(text); got != want {
			t.Errorf("%q: got %t", text, got)
		}
	}
}

// TestMask leaves all else of a file in its place.
func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"main: ./cmd\n": "main: ./cmd\n",
		"a: https://anna:pass@p.test\nb: https://q@r": "a: https://*********@p.test\nb: https://*@r",
		`{a: "https://anna:12 34@p.test", b: "c@d"}`:  `{a: "https://******* **@p.test", b: "c@d"}`,
		`a: "https:\/\/anna:pass@p.test"`:             `a: "https:\/\/*********@p.test"`,
		`a: "https://anna:pa"ss@p.test" # why`:        `a: "https://**********@p.test" # why`,
		"a: 'https://anna:pa ss@p.test' # é\r\nb":     "a: 'https://******* **@p.test' # é\r\nb",
		"url: ssh://git:pass@h.test/x":                "url: ssh://git*****@h.test/x",
		"url: ssh://git@h.test/x":                     "url: ssh://git@h.test/x",
		"a: https://pä@p.test b":                      "a: https://***@p.test b",
		"a: https://anna:pass#p.test":                 "a: https://*********#p.test",
		"# https://HOST:${PORT} http://<host>:<port>": "# https://HOST:${PORT} http://<host>:<port>",
		"# https://p.test:8080/x https://[::1]:80/x":  "# https://p.test:8080/x https://[::1]:80/x",
		"# https://p.test, mail anna@p.test":          "# https://p.test, mail anna@p.test",
		"a: https://${H}:${P}/x # anna@p.test":        "a: https://${H}:${P}/x # anna@p.test",
	} {
		if got := string(Mask([]byte(text))); got != want || len(got) != len(text) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestMaskValue hides a value where it is written, in whatever way.
func TestMaskValue(t *testing.T) {
	if got := string(MaskValue([]byte("anna:pass@p.test:3128 # p"), "anna:pass@p.test:3128")); got != "*********@p.test:3128 # p" {
		t.Errorf("got %q of a proxy", got)
	}
	const value = "https://anna:pa ss@p.test/x"
	for text, want := range map[string]string{
		value + " # anna\n- ":                  "https://**** **@p.test/x # anna\n- ",
		"\"https://anna:pa\n  ss@p.test/x\"\n": "****************\n  ************\n",
	} {
		if got := string(MaskValue([]byte(text), value)); strings.ReplaceAll(got, "*******", "****") != strings.ReplaceAll(want, "*******", "****") {
			t.Errorf("%q: got %q, want %q", text, got, want)
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
		if err != nil || u.Host != "git.test" || u.User == nil || strings.ContainsAny(before+after, "@:\"\\'") {
			return
		}
		if got := Text(before + text + after); !strings.HasPrefix(got, before+"https://git.test/x") {
			t.Errorf("got %q of %q", got, text)
		}
	})
}

// FuzzValue hides any password of a value, unless package net/url takes it for a URL
// of another host.
func FuzzValue(f *testing.F) {
	for _, password := range []string{"pass", "p@ ss", "@", `p"'\`, " a:b", "p%4", "1 2/3", "x#y?z/", "\t\n", "\x00", "é"} {
		f.Add(password)
	}
	f.Fuzz(func(t *testing.T, password string) {
		text := "https://anna:" + password + "@git.test/x"
		if u, err := url.Parse(text); err == nil && u.Host != "git.test" {
			return
		}
		if got := Value(text); got != "https://git.test/x" {
			t.Errorf("got %q of %q", got, text)
		}
		if got := Text("parse " + strconv.Quote(text) + ": EOF"); got != `parse "https://git.test/x": EOF` {
			t.Errorf("got %q of %q in quotes", got, text)
		}
		if got := Mask([]byte(text)); len(got) != len(text) || bytes.Count(got, []byte("\n")) != strings.Count(text, "\n") {
			t.Errorf("got %q of %q, which is longer or has other lines", got, text)
		}
	})
}
