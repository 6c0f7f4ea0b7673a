// Package redact makes texts of others fit to be shown: without the users and the
// passwords of URLs, and without what a terminal would obey.
//
// It knows no place where such a text may stand: who shows one asks it.
package redact

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

var (
	// userinfo matches user and password of a URL in a text, up to the last @ before
	// the path, as package net/url has it. A quote is the end of a URL, unless a
	// backslash stands before it.
	userinfo = regexp.MustCompile(`://(?:\\.|[^/?#\s"\\])*@`)
	// unescaped matches those of a URL that is none, since the password holds what
	// ends it. What then looks like a port is not a number. The @ of a module
	// proxy, as in /@v/list, ends no password.
	unescaped = regexp.MustCompile(`://[^/?#\s"@:\[\]]*:[0-9]*[^0-9/?#\s"':;,.)\]](?:\\.|[^\s"\\])*[^/\s"]@`)
	// badPort matches what package net/url says of such a URL.
	badPort = regexp.MustCompile(`"(?:\\.|[^"\\])*": invalid port "(?:\\.|[^"\\])*"`)
)

// Text takes user and password out of all URLs in a text.
func Text(text string) string {
	if strings.Contains(text, "invalid port") {
		text = badPort.ReplaceAllString(text, `"…": invalid port`)
	}
	if !strings.Contains(text, "@") {
		return text
	}
	return unescaped.ReplaceAllString(userinfo.ReplaceAllString(text, "://"), "://")
}

// Printable is a text for one line of a terminal: what that would obey, in place of
// showing it, is written as Go writes it.
func Printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// URL takes user and password out of a URL. The user of ssh is no secret, and part
// of where a repository is.
func URL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Text(text)
	case u.User == nil:
		return text
	case strings.HasSuffix(u.Scheme, "ssh"):
		u.User = url.User(u.User.Username())
	default:
		u.User = nil
	}
	return u.String()
}

// Has reports whether a text is a URL with a user or a password, or may be one.
func Has(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.User != nil || Text(text) != text
}
