// Package redact makes texts of others fit to be shown: without the users and the
// passwords of URLs, and without what a terminal would obey.
//
// It knows no place where such a text may stand: who shows one asks it.
package redact

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Of the patterns below the first group is the scheme, the second one the user and
// the password. In JSON and in YAML a backslash may stand before a slash.
const (
	scheme = `([A-Za-z][A-Za-z0-9+.-]*)?:(?:\\?/){2}`
	// notPort is a colon and what then is neither the number of a port nor a variable.
	notPort = `[^/?#\s"@:\[\]]*:[0-9]*(?:[^0-9/?#\s"':;,.|$)\]]|\$[^{])`
)

var (
	// plain is up to the last @ before the path, as package net/url has it. A quote
	// is the end of a URL, unless a backslash stands before it.
	plain = regexp.MustCompile(scheme + `((?:\\.|[^/?#\s"\\])*)@`)
	// broken is in a URL that is none, since the password holds what ends it. The @
	// of a module proxy, as in /@v/list, ends no password.
	broken = regexp.MustCompile(scheme + `(` + notPort + `(?:\\.|[^\n"\\])*[^/\s"])@`)
	// unquoted is broken where a quote may be the mistake.
	unquoted = regexp.MustCompile(scheme + `(` + notPort + `.*[^/\s])@`)
	// schemeless has nothing before the slashes.
	schemeless = regexp.MustCompile(`(?:^|[\s"'=,|(])()//([^/?#\s"@:]+:[^/?#\s"@]*)@`)
	// inside is in a value that holds a URL: a quote does not end it, and behind a
	// colon a space does not either.
	inside = regexp.MustCompile(scheme + `([^/?#\s:@]*:[^/?#]*|[^/?#\s]*)@`)
	// whole is in a value that starts as a URL, and wholly in one that is none.
	whole  = regexp.MustCompile(`^\s*(?:([A-Za-z][A-Za-z0-9+.-]*):)?//([^/?#]*)@`)
	wholly = regexp.MustCompile(`(?s)^\s*` + scheme + `([^@]*:.*)@`)

	// unended has no @: what looks like a port is none.
	unended = regexp.MustCompile(scheme + `([^/?#\s"@:\[\]]*:[0-9]*[^0-9/?#\s"'@:;,.|$<>{}*)\]][^/?#\s"@]*)(?:[/?#\s"]|$)`)

	assigned = regexp.MustCompile(`^\s*[-A-Za-z0-9_.]+=`)
	quoted   = regexp.MustCompile(`"(?:\\.|[^"\\\n])*"`)
	// single is what git quotes.
	single = regexp.MustCompile(`'[A-Za-z][A-Za-z0-9+.-]*://[^'\n]*'`)
	// badPort and badEscape match what package net/url says of a URL that is none,
	// and a part of the password with it.
	badPort   = regexp.MustCompile(`"(?:\\.|[^"\\])*": invalid port "(?:\\.|[^"\\])*"`)
	badEscape = regexp.MustCompile(`invalid URL escape "(?:\\.|[^"\\])*"`)
)

// Text takes user and password out of all URLs in a text. The user of ssh is no
// secret, and part of where a repository is.
func Text(text string) string {
	if strings.Contains(text, ": invalid ") {
		text = badPort.ReplaceAllString(text, `"…": invalid port`)
		text = badEscape.ReplaceAllString(text, "invalid URL escape")
	}
	if !strings.Contains(text, "@") {
		return text
	}
	text = single.ReplaceAllStringFunc(quoted.ReplaceAllStringFunc(text, inQuotes), inQuotes)
	return remove(text, plain, broken, schemeless)
}

// inQuotes is [Value] for one that is quoted, as Go does it or in another way.
func inQuotes(q string) string {
	if value, err := strconv.Unquote(q); err == nil && q[0] == '"' {
		if Has(value) {
			return strconv.Quote(Value(value))
		}
		return q
	}
	return q[:1] + Value(q[1:len(q)-1]) + q[:1]
}

// Value is [Text] for a value alone, or with a name and = before it, of which it is
// known where it ends: there a password may hold whatever a URL must not.
func Value(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	name := assigned.FindString(text)
	text = text[len(name):]
	if !isURL(text) {
		text = remove(text, wholly)
	}
	return name + remove(text, whole, inside, unquoted)
}

// Quotable is [Value] for a text that says what is wrong with a value: without what
// may be a password of a URL that ends before the @.
func Quotable(text string) string {
	text = Value(text)
	for _, s := range slices.Backward(secrets([]byte(text), unended)) {
		text = text[:s.start] + "…" + text[s.end:]
	}
	return text
}

// isURL reports whether a text can be parsed as a URL.
func isURL(text string) bool {
	_, err := url.Parse(strings.TrimSpace(text))
	return err == nil
}

// Has reports whether a value has a URL with a user or a password, or may have.
func Has(text string) bool { return Value(text) != text }

// HasProxy is [Has] for the address of a proxy, which needs no scheme.
func HasProxy(text string) bool { return Has(text) || Has("http://"+text) }

// remove takes what the patterns match out of a text.
func remove(text string, patterns ...*regexp.Regexp) string {
	if !strings.Contains(text, "@") {
		return text
	}
	for _, p := range patterns {
		for _, s := range slices.Backward(secrets([]byte(text), p)) {
			end := s.end
			if !s.named {
				end++ // the @
			}
			text = text[:s.start] + text[end:]
		}
	}
	return text
}

// Mask is a file with an asterisk for each byte of a user or a password of a URL,
// so that all else stays in its place. What is in it as another value than it is
// written, such as over several lines, is not known.
func Mask(data []byte) []byte {
	data = slices.Clone(data)
	for _, q := range quoted.FindAllIndex(data, -1) {
		maskWhole(data[q[0]+1 : q[1]-1])
	}
	mask(data, plain, unquoted, schemeless, unended)
	return data
}

// MaskValue is [Mask] for the part of a file that a value is written in, such as one
// of [HasProxy]. Where it does not stand there as it is, nothing of that part is left.
func MaskValue(data []byte, value string) []byte {
	data = slices.Clone(data)
	hidden := []byte(value)
	if Has(value) {
		maskWhole(hidden)
	} else {
		cover(hidden[:max(strings.LastIndex(value, "@"), 0)])
	}
	if at := bytes.Index(data, []byte(value)); at >= 0 {
		copy(data[at:], hidden)
		return data
	}
	cover(data)
	return data
}

// maskWhole is [Value] for a mask.
func maskWhole(data []byte) {
	data = data[len(assigned.Find(data)):]
	if !isURL(string(data)) {
		mask(data, wholly)
	}
	mask(data, whole, inside, unquoted)
}

// mask covers what the patterns match.
func mask(data []byte, patterns ...*regexp.Regexp) {
	for _, p := range patterns {
		for _, s := range secrets(data, p) {
			cover(data[s.start:s.end])
		}
	}
}

// cover writes asterisks over all but spaces, which lines end with.
func cover(data []byte) {
	for i, c := range data {
		if c != '\n' && c != '\r' && c != ' ' && c != '\t' {
			data[i] = '*'
		}
	}
}

// secret is where the user and the password of a URL are in a text, or the password
// alone, with its colon: the user is named.
type secret struct {
	start, end int
	named      bool
}

// secrets are what a pattern matches.
func secrets(text []byte, p *regexp.Regexp) []secret {
	var all []secret
	for _, m := range p.FindAllSubmatchIndex(text, -1) {
		s := secret{start: m[4], end: m[5]}
		var name string
		if m[2] >= 0 {
			name = strings.ToLower(string(text[m[2]:m[3]]))
		}
		switch {
		case name == "docker-image" || name == "oci-layout":
			continue // the @ is before the digest
		case strings.HasSuffix(name, "ssh"):
			s.named = true
			colon := bytes.IndexByte(text[s.start:s.end], ':')
			if colon < 0 {
				continue
			}
			s.start += colon
		}
		if s.start < s.end || !s.named {
			all = append(all, s)
		}
	}
	return all
}

// Printable is a text for one line of a terminal: what that would obey, in place of
// showing it, is written as Go writes it.
func Printable(text string) string { return printable(text, "") }

// Lines is Printable for a text of several lines, and of tabs. When that is longer
// than a limit in bytes, lines in the middle are left out, and counted.
func Lines(text string, limit int) string {
	text = printable(text, "\n\t")
	if len(text) <= limit {
		return text
	}
	last := limit / 4
	start, end := text[:limit-last], text[len(text)-last:]
	start = start[:strings.LastIndexByte(start, '\n')+1]
	if _, rest, ok := strings.Cut(end, "\n"); ok {
		end = rest
	} else {
		end = ""
	}
	left := strings.TrimSuffix(text[len(start):len(text)-len(end)], "\n")
	return start + fmt.Sprintf("[lines that are left out here: %d]\n", strings.Count(left, "\n")+1) + end
}

// printable escapes what a terminal does not show, but for some characters.
func printable(text, keep string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) || strings.ContainsRune(keep, r) {
			b.WriteRune(r)
		} else {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}
