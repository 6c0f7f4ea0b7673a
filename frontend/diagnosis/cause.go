package diagnosis

import (
	"fmt"
	"regexp"
	"strings"
)

// cause is one module that could not be had.
type cause struct {
	*Module
	*Report
	opt Options
	// said is the error without what a server answered: that is of another
	// machine.
	said string
	// host was asked for the module, as it stands in the URL.
	host string
	// git is true when it was asked by git, and not by the go command.
	git bool
}

func (r *Report) cause(m *Module, opt Options) *cause {
	c := &cause{Module: m, Report: r, opt: opt}
	c.said, _, _ = strings.Cut(m.Error, "\n\tserver response:")
	c.git = c.has("fatal: ", "git ls-remote", "git fetch", "no secure protocol")
	c.host = hostOf(m.Path, c.said)
	return c
}

// has reports whether the go command said one of some texts.
func (c *cause) has(parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(c.said, p) {
			return true
		}
	}
	return false
}

// reason says what is wrong with a module, and what to do. Each part of it
// returns "" when it is something else.
func (c *cause) reason() (why, help string) {
	for _, part := range []func() (string, string){c.status, c.checksum, c.tools, c.ssh, c.gitAnswer, c.certificate, c.network, c.module} {
		if why, help := part(); why != "" {
			return why, help
		}
	}
	// Of a failed git command, its own lines.
	if _, status, ok := strings.Cut(c.said, ": exit status "); ok {
		if _, lines, ok := strings.Cut(status, "\n"); ok {
			return "git says: " + plain(lines), ""
		}
	}
	return plain(c.Error), ""
}

// answer is how the go command shows what a server answered.
var answer = regexp.MustCompile(`reading ((https?)://\S+): (\d{3} [A-Za-z -]+)`)

// status explains the answer of a server.
func (c *cause) status() (why, help string) {
	m := answer.FindStringSubmatch(c.said)
	if m == nil {
		return "", ""
	}
	url, scheme, status := m[1], m[2], m[3]
	missing := strings.HasPrefix(status, "404") || strings.HasPrefix(status, "410")
	switch {
	case missing && c.verifying():
		return "the checksum database does not know it", c.private("is it private? ")
	case missing && strings.Contains(url, "?go-get=1"):
		return c.host + " knows no repository of that name", c.secret("is the name right? ")
	case missing:
		return c.host + " does not have it", c.private("is the name right? if the module is private, ")
	case strings.HasPrefix(status, "407"):
		return "the HTTP proxy asks for a password", httpProxyHelp
	case strings.HasPrefix(status, "401"), strings.HasPrefix(status, "403"):
		return c.password(status[:3] == "403", scheme == "http")
	}
	return c.host + " answers " + status, "try again later"
}

// verifying reports whether the checksum database was asked.
func (c *cause) verifying() bool {
	return c.has("verifying ") && c.has("/lookup/") || c.has("sum.golang.org/lookup")
}

func (c *cause) private(before string) string {
	return before + "write modules: {private: " + c.Path + "}"
}

func (c *cause) secret(before string) string {
	if c.Netrc {
		return before + "may that user read it?"
	}
	return fmt.Sprintf("%sif it is private, pass --secret id=%s,src=$HOME/.netrc", before, c.opt.Netrc)
}

const httpProxyHelp = "see --build-arg HTTPS_PROXY"

// password is the reason when a host wants to know who asks, or forbids it.
func (c *cause) password(forbidden, insecure bool) (why, help string) {
	host := c.host
	if c.git {
		host = withoutPort(host)
	}
	asks, none, file := host+" asks for a password", "none", "a netrc file with a line for "+host
	if forbidden {
		asks, none, file = host+" refuses to give it", "no password", file+", if a password helps"
	}
	switch {
	case insecure && !c.git:
		return asks, "the go command sends passwords by https only; see modules.proxy"
	case !c.Netrc:
		help = fmt.Sprintf("pass --secret id=%s,src=$HOME/.netrc, %s", c.opt.Netrc, file)
		if c.git && c.Agent {
			help += "; to use the ssh agent, write modules.ssh"
		}
		return asks, help
	case !c.hasPassword(host, c.git):
		return fmt.Sprintf("%s, and the secret %s has %s for it", asks, c.opt.Netrc, none), "add a line: machine " + host + " login … password …"
	}
	return fmt.Sprintf("%s refuses the password of the secret %s", host, c.opt.Netrc), "may that user read it?"
}

// checksum explains what is wrong with what was downloaded.
func (c *cause) checksum() (why, help string) {
	switch {
	case c.has("checksum mismatch") && c.has("reported by the checksum server", "sum.golang.org:"):
		return "its checksum is not that of the checksum database", "somebody changed the version after it was published; is it private? " + c.private("")
	case c.has("checksum mismatch"):
		return "its checksum is not that of go.sum", "somebody changed the version after it was published; look at it before you change go.sum"
	case c.has("missing go.sum entry"):
		return "go.sum has no entry for it", "run go mod tidy"
	case c.has("not a valid zip file", "zip: checksum error", "zip: unsupported"):
		return "what was downloaded is no valid zip file", "the module proxy, or what stands between, sends something else; try again, or see modules.proxy"
	}
	return "", ""
}

// tools explains what the builder image lacks.
func (c *cause) tools() (why, help string) {
	image := "golang:1.26"
	if name, small := strings.CutSuffix(c.opt.Builder, "-alpine"); small {
		image = name
	}
	missing := c.has("no secure protocol found") && strings.Contains(c.Stderr, "missing Git command")
	switch {
	case missing || c.has("missing Git command", `exec: "git": executable file not found`):
		return "the builder image " + c.opt.Builder + " has no git", "choose a builder with git, such as builder: " + image + ", or write modules.private, which does"
	case c.has(": ssh: not found", "cannot run ssh: "):
		return "the builder image " + c.opt.Builder + " has no ssh", "choose a builder with git and ssh, such as builder: " + image
	}
	return "", ""
}

// ssh explains what ssh says.
func (c *cause) ssh() (why, help string) {
	host := withoutPort(c.host)
	switch {
	case c.has("Permission denied (publickey", "Too many authentication failures") && !c.Agent:
		return host + " asks for an ssh key", "pass --ssh " + c.opt.SSH + " with an agent that has the key"
	case c.has("Too many authentication failures"):
		return host + " refuses the first keys of the ssh agent " + c.opt.SSH + ", and takes no more", "pass an agent with the right key only"
	case c.has("Permission denied (publickey"):
		return host + " takes no key of the ssh agent " + c.opt.SSH, "add the right one with ssh-add, or let it read the repository"
	case c.has("Host key verification failed"):
		return host + " has another ssh host key than the builder image " + c.opt.Builder + " knows", "see /etc/ssh/ssh_known_hosts there"
	}
	return "", ""
}

// gitAnswer explains what a git host says.
func (c *cause) gitAnswer() (why, help string) {
	switch {
	case c.has("could not read Username", "could not read Password", "Authentication failed", "returned error: 401"):
		return c.password(false, false)
	case c.has("returned error: 403"):
		return c.password(true, false)
	case c.has("epository not found", "fatal: repository '", "does not appear to be a git repository", "returned error: 404"):
		return withoutPort(c.host) + " gives no git repository of that name", "is the name right, and may that user or key read it?"
	case c.has("no secure protocol found for repository"):
		return c.protocol()
	}
	return "", ""
}

// protocol is the reason when the go command hides that of git.
func (c *cause) protocol() (why, help string) {
	host := withoutPort(c.host)
	why = "git cannot read it from " + host + ", and the go command does not say why"
	switch {
	case !c.Netrc && !c.Agent:
		help = fmt.Sprintf("if it is private, pass --secret id=%s,src=$HOME/.netrc for https, or --ssh %s and write modules.ssh", c.opt.Netrc, c.opt.SSH)
	case c.Netrc && !c.hasPassword(host, true):
		help = fmt.Sprintf("the secret %s has no line for %s", c.opt.Netrc, host)
	default:
		help = "is the name right, can the host be reached, and may that user or key read it?"
	}
	return why, help
}

// certificate explains why a host is not trusted.
func (c *cause) certificate() (why, help string) {
	switch {
	case c.has("certificate has expired"):
		return "the certificate of " + c.host + " has expired", ""
	case c.has("certificate is valid for", "contain any IP SANs", "not valid for any names", "does not match target host name"):
		return "the certificate of " + c.host + " is for another name", ""
	case c.has("certificate signed by unknown authority", "failed to verify certificate", "SSL certificate problem", "server certificate verification failed"):
		return "the builder image " + c.opt.Builder + " does not trust the certificate of " + c.host, "choose a builder that has its CA"
	}
	return "", ""
}

// network explains why a host cannot be reached.
func (c *cause) network() (why, help string) {
	switch {
	case strings.HasSuffix(strings.TrimSpace(c.said), "EOF"):
		return c.host + " ended the connection in the middle of an answer", "try again later"
	case c.has("Proxy Authentication Required", "from proxy after CONNECT"):
		return "the HTTP proxy asks for a password", httpProxyHelp
	case c.has("proxyconnect tcp: "):
		return "the HTTP proxy cannot be reached from the builder", httpProxyHelp + "; the error: " + lastPart(c.said)
	case c.has("dial tcp", "ould not resolve host", "connect to ", "connection reset", "i/o timeout", "TLS handshake timeout", "deadline exceeded"):
		return c.host + " cannot be reached from the builder", "see --network, --add-host and modules.proxy; the error: " + lastPart(c.said)
	}
	return "", ""
}

// goRelease is how the go command says that it is too old.
var goRelease = regexp.MustCompile(`requires go >= (\S+) \(running go ([^;)]+)`)

// module explains what is wrong with the module itself.
func (c *cause) module() (why, help string) {
	switch {
	case c.has("module lookup disabled by GOPROXY=off"):
		return "it cannot be looked up, since GOPROXY is off", "see modules.proxy and build.env"
	case goRelease.MatchString(c.said):
		return release("it", c.said, c.opt)
	case c.has("unknown revision"):
		return "its repository has no version " + c.Version, "is it tagged, and pushed?"
	case c.has("no go-import meta tags"):
		return c.host + " does not say where its repository is", c.secret("is the name right? ")
	}
	return "", ""
}

// release is the reason when something needs a newer release of Go.
func release(who, said string, opt Options) (why, help string) {
	m := goRelease.FindStringSubmatch(said)
	return Release(who, m[1], opt.Builder, m[2])
}

// Release says that a builder image has an older Go release than is asked for.
func Release(who, asks, builder, has string) (why, help string) {
	return fmt.Sprintf("%s asks for Go %s, and the builder image %s has Go %s", who, asks, builder, has), "write go: " + asks
}
