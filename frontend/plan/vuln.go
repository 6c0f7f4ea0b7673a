package plan

import (
	"cmp"
	"net/url"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// The build arguments that --target vuln knows. The first one has the name that
// govulncheck gives to it.
const (
	databaseArg = "GOVULNDB"
	vulnArg     = "GOPHERFILE_VULN"
)

// publicDatabase is the one of the Go project.
const publicDatabase = "https://vuln.go.dev"

// vuln is how --target vuln looks up vulnerabilities.
func (r *resolver) vuln() *Vuln {
	d := *r.download
	d.Dir, d.Files = ".", nil
	v := &Vuln{Database: cmp.Or(r.opt.Args[databaseArg], publicDatabase), Download: &d}
	if redact.Has(v.Database) {
		e := r.start("--build-arg %s: there is a user or a password in %s", databaseArg, v.Database)
		r.fail(e.WithHelp("it would be in logs and in provenance; --build-context vulndb=DIRECTORY passes a directory"))
	} else if u, err := url.Parse(v.Database); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		e := r.start("--build-arg %s: %q is not a URL", databaseArg, v.Database)
		r.fail(e.WithHelp("expected one such as %s; --build-context vulndb=DIRECTORY passes a directory", publicDatabase))
	}
	switch value := r.opt.Args[vulnArg]; value {
	case "", "error=false":
	case "error=true":
		v.Fail = true
	default:
		r.fail(r.start("--build-arg %s: unknown setting %q", vulnArg, value).WithHelp("expected error=true or error=false"))
	}
	return v
}
