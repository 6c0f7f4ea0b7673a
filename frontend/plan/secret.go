package plan

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// shownHelp says why a password cannot be in a value.
const shownHelp = "it would be in the plan, in logs and in provenance: "

// refuseURL refuses a URL with a user or a password where modules come from, and one
// that is none: programs show it as it is, with what may be a password. It reports
// whether it did.
func (r *resolver) refuseURL(field any, key, text string) bool {
	switch {
	case redact.Has(text):
		e := r.spec.Errorf(field, "%s: there is a user or a password in the URL", key)
		r.fail(e.WithHelp(shownHelp + "write the URL alone, and pass --secret id=netrc,src=$HOME/.netrc"))
	case hasBadURL(text):
		e := r.spec.Errorf(field, "%s: this is not a URL", key)
		r.fail(e.WithHelp("expected one such as https://proxy.example.com; it is not shown, since a password may be in it"))
	default:
		return false
	}
	return true
}

// hasBadURL reports whether a list has what should be a URL.
func hasBadURL(text string) bool {
	words := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" ,|\n", c) })
	return slices.ContainsFunc(words, func(word string) bool {
		_, err := url.Parse(word)
		return err != nil && strings.Contains(word, "://")
	})
}

// checkSecret refuses a variable of build.env that holds a password.
func (r *resolver) checkSecret(e *spec.Pair, value string) {
	key := "build.env: " + e.Name
	switch {
	case e.Name == "GOPROXY" || e.Name == "GOSUMDB":
		r.refuseURL(&e.Value, key, value)
	case spec.IsProxy(e.Name) && redact.HasProxy(value):
		help := shownHelp + "pass --build-arg %s=…, which the download has"
		r.fail(r.spec.Errorf(&e.Value, "%s: there is a user or a password in the address", key).WithHelp(help, e.Name))
	case redact.Has(value):
		r.fail(r.spec.Errorf(&e.Value, "%s: there is a user or a password in the URL", key).WithHelp(shownHelp + "write the URL alone"))
	}
}
