package plan

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// defaultPath is the PATH that BuildKit gives to images without one
// (util/system DefaultPathEnvUnix).
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// DefaultUser is nonroot of the passwd file, as in distroless images.
const DefaultUser = "65532:65532"

// userPattern is what an image config can name: a user, optionally with a group.
var userPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)

// image is how the image of one target is run.
func (r *resolver) image(t Target, vars map[string]string) Image {
	im := &r.spec.Image
	out := Image{
		User:       r.user(t, vars),
		Workdir:    "/",
		Entrypoint: []string{t.Path},
		Cmd:        r.expandAll(im.Cmd, vars),
		Env:        r.imageEnv(t, vars),
		Expose:     r.expose(vars),
		Volumes:    r.volumes(t, vars),
		Labels:     map[string]string{},
		Stopsignal: r.stopsignal(vars),
	}
	if t.Port.OS == "windows" {
		out.Workdir = `C:\`
		out.Entrypoint = []string{`C:` + strings.ReplaceAll(t.Path, "/", `\`)}
	}
	if im.Entrypoint != nil {
		out.Entrypoint = r.expandAll(im.Entrypoint, vars)
	}
	if im.Workdir != "" {
		out.Workdir = r.expandFor(vars, &im.Workdir)
		if t.Port.OS != "windows" && !strings.HasPrefix(out.Workdir, "/") {
			r.fail(r.spec.Errorf(&im.Workdir, "image.workdir: %q is not an absolute path", out.Workdir).WithHelp("expected one such as /%s", strings.TrimPrefix(out.Workdir, "./")))
		}
	}
	for i := range im.Labels {
		l := &im.Labels[i]
		if l.Name == "" {
			r.fail(r.spec.Errorf(&l.Name, "image.labels: a label needs a name"))
		}
		out.Labels[l.Name] = r.expandFor(vars, &l.Value)
	}
	maps.Copy(out.Labels, r.opt.Labels)
	for i := range im.Annotations {
		a := &im.Annotations[i]
		if a.Name == "" {
			r.fail(r.spec.Errorf(&a.Name, "image.annotations: an annotation needs a name"))
		}
		out.Annotations = append(out.Annotations, spec.Pair{Name: a.Name, Value: r.expandFor(vars, &a.Value)})
	}
	return out
}

// volumes are the directories that hold the user's data.
func (r *resolver) volumes(t Target, vars map[string]string) []string {
	var dirs []string
	for i := range r.spec.Image.Volumes {
		field := &r.spec.Image.Volumes[i]
		dir := r.expandFor(vars, field)
		if t.Port.OS != "windows" && !strings.HasPrefix(dir, "/") {
			r.fail(r.spec.Errorf(field, "image.volumes: %q is not an absolute path", dir).WithHelp("expected one such as /data"))
		}
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// signalPattern is what an image config can name: a signal or its number
// (OCI image-spec config.md, StopSignal).
var signalPattern = regexp.MustCompile(`^(SIG[A-Z0-9]+([+-][0-9]+)?|[1-9][0-9]?)$`)

// stopsignal is the signal that ends the binary.
func (r *resolver) stopsignal(vars map[string]string) string {
	field := &r.spec.Image.Stopsignal
	if !r.written(field) {
		return ""
	}
	signal := r.expandFor(vars, field)
	if !signalPattern.MatchString(signal) {
		r.fail(r.spec.Errorf(field, "image.stopsignal: %q is not a signal", signal).WithHelp("expected one such as SIGTERM or 15"))
	}
	return signal
}

// user is who runs the binary. Windows has no such numbers.
func (r *resolver) user(t Target, vars map[string]string) string {
	field := &r.spec.Image.User
	if *field == "" {
		if t.Port.OS == "windows" {
			return ""
		}
		return DefaultUser
	}
	user := r.expandFor(vars, field)
	if !userPattern.MatchString(user) {
		r.fail(r.spec.Errorf(field, "image.user: %q is not a user", user).WithHelp("expected a number or name, optionally with :group, such as %s", DefaultUser))
		return user
	}
	names, groups := []string{"root", "nobody", "nonroot"}, []string{"root", "nobody", "nonroot"}
	if !isTrue(r.spec.Image.Passwd) {
		names, groups = nil, nil
	}
	name, group, _ := strings.Cut(user, ":")
	if t.Port.OS != "windows" && (!isKnownID(name, names) || !isKnownID(group, groups)) {
		help := "expected a number, root, nobody or nonroot"
		if names == nil {
			help = "without a passwd file only numbers are known"
		}
		r.fail(r.spec.Errorf(field, "image.user: the image knows no %q", user).WithHelp("%s", help))
	}
	return user
}

// isKnownID reports whether a name is a number or in the image's passwd file.
func isKnownID(name string, known []string) bool {
	_, err := strconv.ParseUint(name, 10, 31)
	return name == "" || err == nil || slices.Contains(known, name)
}

// imageEnv is the environment of the binary: PATH, then the spec's.
func (r *resolver) imageEnv(t Target, vars map[string]string) []string {
	var env []string
	if t.Port.OS != "windows" {
		env = append(env, "PATH="+defaultPath)
	}
	for i := range r.spec.Image.Env {
		e := &r.spec.Image.Env[i]
		if e.Name == "" || strings.ContainsAny(e.Name, "=\x00") {
			r.fail(r.spec.Errorf(&e.Name, "image.env: %q is not a name", e.Name).WithHelp("expected NAME: value"))
			continue
		}
		value := e.Name + "=" + r.expandFor(vars, &e.Value)
		if e.Name == "PATH" && len(env) > 0 {
			env[0] = value
			continue
		}
		env = append(env, value)
	}
	return env
}

// expose is the list of ports with their protocols, without repetitions.
func (r *resolver) expose(vars map[string]string) []string {
	var ports []string
	for i := range r.spec.Image.Expose {
		field := &r.spec.Image.Expose[i]
		text := r.expandFor(vars, field)
		found, ok := parsePorts(text)
		if !ok {
			r.fail(r.spec.Errorf(field, "image.expose: %q is not a port", text).WithHelp("expected one such as 8080, 53/udp or 9000-9010"))
		}
		ports = append(ports, found...)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// parsePorts reads port, port/protocol or first-last/protocol.
func parsePorts(text string) ([]string, bool) {
	span, protocol, given := strings.Cut(text, "/")
	if !given {
		protocol = "tcp"
	}
	protocol = strings.ToLower(protocol)
	if !slices.Contains([]string{"tcp", "udp", "sctp"}, protocol) {
		return nil, false
	}
	low, high, ranged := strings.Cut(span, "-")
	if !ranged {
		high = low
	}
	first, err1 := strconv.ParseUint(low, 10, 16)
	last, err2 := strconv.ParseUint(high, 10, 16)
	if err1 != nil || err2 != nil || first == 0 || last < first {
		return nil, false
	}
	var ports []string
	for p := first; p <= last; p++ {
		ports = append(ports, fmt.Sprintf("%d/%s", p, protocol))
	}
	return ports, true
}

// expandAll expands the items of a list. A list that was written stays one.
func (r *resolver) expandAll(items []string, vars map[string]string) []string {
	if items == nil {
		return nil
	}
	out := make([]string, len(items))
	for i := range items {
		out[i] = r.expandFor(vars, &items[i])
	}
	return out
}
