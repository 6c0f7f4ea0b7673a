package plan

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// The ids of secrets that the spec does not name.
const (
	defaultNetrc = "netrc"
	defaultSSH   = "default"
)

// modules is what the spec says of the download.
func (r *resolver) modules() *Download {
	m := &r.spec.Modules
	d := &Download{
		Env:   r.moduleEnv(),
		Netrc: cmp.Or(r.plain(&m.Netrc), defaultNetrc),
		SSH:   cmp.Or(r.plain(&m.SSH), defaultSSH),
		Pos:   r.downloadPos(),
	}
	r.checkID("netrc", &m.Netrc, defaultNetrc)
	r.checkID("ssh", &m.SSH, defaultSSH)
	private := r.private()
	r.setModule(d, &m.Private, "private", "GOPRIVATE", strings.Join(private, ","))
	r.setModule(d, &m.Proxy, "proxy", "GOPROXY", r.plain(&m.Proxy))
	r.checkProxy()
	own := slices.ContainsFunc(r.spec.Build.Env, func(p spec.Pair) bool { return p.Name == "GONOPROXY" })
	if len(private) > 0 && r.written(&m.Proxy) && !own {
		// Private modules come from the proxy, too: it is the user's own.
		d.Env = append(d.Env, "GONOPROXY=none")
	}
	if r.written(&m.SSH) {
		d.Env = append(d.Env, insteadOf(private)...)
	}
	return d
}

// plain is the value of a field that may not be written.
func (r *resolver) plain(field *string) string {
	text, _ := r.expand(field)
	return text
}

// checkID refuses what cannot be the id of a secret.
func (r *resolver) checkID(key string, field *string, example string) {
	id := r.plain(field)
	if strings.ContainsAny(id, " ,=\n") || r.written(field) && id == "" {
		r.fail(r.spec.Errorf(field, "modules.%s: %q is not an id", key, id).WithHelp("expected the id that the client passes, such as %s", example))
	}
}

// setModule adds a variable for a key that was written, unless build.env has it.
func (r *resolver) setModule(d *Download, field any, key, name, value string) {
	if !r.written(field) {
		return
	}
	for i := range r.spec.Build.Env {
		if e := &r.spec.Build.Env[i]; e.Name == name {
			r.fail(r.spec.Errorf(&e.Name, "build.env: %s is set by modules.%s, too", name, key).WithHelp("leave one of them out"))
			return
		}
	}
	d.Env = append(d.Env, name+"="+value)
}

// checkProxy refuses what the go command takes for no proxy.
func (r *resolver) checkProxy() {
	field := &r.spec.Modules.Proxy
	if !r.written(field) {
		return
	}
	text, ok := r.expand(field)
	if !ok {
		return
	}
	if r.refuseURL(field, "modules.proxy", text) {
		return
	}
	for p := range strings.FieldsFuncSeq(text+",", func(c rune) bool { return c == ',' || c == '|' }) {
		p = strings.TrimSpace(p)
		switch {
		case slices.Contains([]string{"direct", "off"}, p):
		case !strings.ContainsAny(p, ".:/") || strings.ContainsAny(p, " \n"):
			e := r.spec.ErrorIn(field, p, "modules.proxy: %q is not a proxy", p).WithHelp("expected URLs, direct or off")
			if near := spec.Nearest(p, []string{"direct", "off"}); near != "" {
				e.WithHelp("did you mean %s?", near)
			}
			r.fail(e)
		}
	}
	if strings.Trim(text, ",| ") == "" {
		r.fail(r.spec.Errorf(field, "modules.proxy: %q is not a proxy", text).WithHelp("expected URLs, direct or off"))
	}
}

// private are the patterns of private modules.
func (r *resolver) private() []string {
	var patterns []string
	for i := range r.spec.Modules.Private {
		field := &r.spec.Modules.Private[i]
		text, ok := r.expand(field)
		if !ok {
			continue
		}
		for p := range strings.SplitSeq(text, ",") {
			p = strings.TrimSpace(p)
			_, err := path.Match(p, "")
			switch {
			case strings.Contains(p, "://"):
				r.fail(r.spec.ErrorIn(field, p, "modules.private: %s is a URL", p).WithHelp("expected a pattern of module paths, such as git.example.com/team"))
			case strings.HasSuffix(p, "/..."):
				r.fail(r.spec.ErrorIn(field, p, "modules.private: %s is not a pattern of module paths", p).WithHelp("write %s: it stands for all below", strings.TrimSuffix(p, "/...")))
			case p == "" || strings.ContainsAny(p, " \n@:") || strings.HasPrefix(p, "-") || err != nil:
				r.fail(r.spec.ErrorIn(field, p, "modules.private: %q is not a pattern of module paths", p).WithHelp("expected one such as git.example.com/team or *.example.com"))
			default:
				patterns = append(patterns, p)
			}
		}
	}
	return patterns
}

// insteadOf makes git ask the hosts of private modules by ssh, as a git config
// with url.insteadOf does. A pattern with a wildcard names no host.
func insteadOf(private []string) []string {
	var env []string
	var hosts []string
	known := map[string]bool{}
	for _, p := range private {
		host, _, _ := strings.Cut(p, "/")
		if strings.ContainsAny(host, "*?[") || !strings.Contains(host, ".") || known[host] {
			continue
		}
		known[host] = true
		hosts = append(hosts, host)
	}
	if len(hosts) == 0 {
		return nil
	}
	env = append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(hosts)))
	for i, h := range hosts {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=url.ssh://git@%s/.insteadOf", i, h), fmt.Sprintf("GIT_CONFIG_VALUE_%d=https://%s/", i, h))
	}
	return env
}

// downloadPos is the place of what the spec says of the download.
func (r *resolver) downloadPos() spec.Pos {
	for i := range r.spec.Build.Env {
		if e := &r.spec.Build.Env[i]; e.Name == "GOPROXY" {
			return r.spec.At(&e.Value)
		}
	}
	return r.spec.At(&r.spec.Modules)
}
