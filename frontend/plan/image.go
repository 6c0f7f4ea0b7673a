package plan

import (
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// defaultPath is the PATH that BuildKit gives to images without one
// (util/system DefaultPathEnvUnix).
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// config is how the image of one target is run.
func (sc *scope) config(t *Target) Image {
	im := sc.image
	out := Image{
		UserPos:     sc.spec.Pos(&im.User),
		Workdir:     sc.workdir(t),
		Entrypoint:  []string{inImage(t.Port, t.Binaries[0].Path)},
		Cmd:         sc.texts(im.Cmd),
		Env:         sc.imageEnv(t),
		Expose:      sc.expose(),
		Volumes:     sc.volumes(t),
		Told:        sc.told(),
		Stopsignal:  sc.stopsignal(),
		Healthcheck: sc.healthcheck(t),
	}
	out.User, out.UserUnknown = sc.user(t)
	out.Labels = sc.stampLabels(out.Told)
	if im.Entrypoint != nil {
		out.Entrypoint = sc.texts(im.Entrypoint)
	}
	for i := range im.Labels {
		l := &im.Labels[i]
		if l.Name == "" {
			sc.fail(sc.spec.Errorf(&l.Name, "image.labels: a label needs a name"))
		}
		out.Labels[l.Name] = sc.text(&l.Value)
	}
	maps.Copy(out.Labels, sc.opt.Labels)
	for i := range im.Annotations {
		a := &im.Annotations[i]
		if a.Name == "" {
			sc.fail(sc.spec.Errorf(&a.Name, "image.annotations: an annotation needs a name"))
		}
		out.Annotations = append(out.Annotations, Annotation{Name: a.Name, Value: sc.text(&a.Value)})
	}
	return out
}

// inImage writes a path of the image as its operating system does.
func inImage(p Port, path string) string {
	if p.OS == "windows" {
		return "C:" + strings.ReplaceAll(path, "/", `\`)
	}
	return path
}

// absolute is what was likely meant by a path of the image.
func absolute(text string) string {
	text = strings.ReplaceAll(drivePattern.ReplaceAllString(text, ""), `\`, "/")
	return "/" + cmp.Or(strings.TrimLeft(text, "./~"), "data")
}

// drivePattern is what a path of Windows starts with.
var drivePattern = regexp.MustCompile(`^[A-Za-z]:`)

// workdir is where the binary starts.
func (sc *scope) workdir(t *Target) string {
	field := &sc.image.Workdir
	if *field == "" {
		if t.Base != "" {
			return ""
		}
		return inImage(t.Port, "/")
	}
	dir := sc.text(field)
	if t.Port.OS != "windows" && !strings.HasPrefix(dir, "/") {
		sc.fail(sc.spec.Errorf(field, "image.workdir: %q is not an absolute path", dir).WithHelp("expected one such as %s", absolute(dir)))
	} else if name := binaryAt(t, dir); name != "" {
		sc.fail(sc.spec.Errorf(field, "image.workdir: %s is no directory: %s is the binary", dir, name).WithHelp("choose another one, or leave it out"))
	}
	return dir
}

// binaryAt is the binary that stands where a directory of the image would have to
// be, "" for none.
func binaryAt(t *Target, dir string) string {
	for i := range t.Binaries {
		if name := t.Binaries[i].Path; strings.HasPrefix(path.Clean(dir)+"/", name+"/") {
			return name
		}
	}
	return ""
}

// volumes are the directories that hold the user's data.
func (sc *scope) volumes(t *Target) []string {
	var dirs []string
	for i := range sc.image.Volumes {
		field := &sc.image.Volumes[i]
		dir := sc.text(field)
		if t.Port.OS != "windows" && !strings.HasPrefix(dir, "/") {
			sc.fail(sc.spec.Errorf(field, "image.volumes: %q is not an absolute path", dir).WithHelp("expected one such as %s", absolute(dir)))
		} else if t.Port.OS != "windows" && strings.Contains(dir, ":") {
			sc.fail(sc.spec.Errorf(field, "image.volumes: %q is not a directory of the image", dir).WithHelp("expected one such as /data; what is mounted there is said at run time"))
		} else if name := binaryAt(t, dir); name != "" {
			sc.fail(sc.spec.Errorf(field, "image.volumes: %s is no directory: %s is the binary", dir, name).WithHelp("choose another one"))
		}
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// signalPattern is what an image config can name: a signal or its number
// (OCI image-spec config.md, StopSignal).
var signalPattern = regexp.MustCompile(`^(SIG(RTMIN|RTMIN\+([1-9]|1[0-5])|RTMAX|RTMAX-([1-9]|1[0-4]))|[1-9]|[1-5][0-9]|6[0-4])$`)

// signals are those that runtimes know by name (moby/sys/signal), for real-time
// see signalPattern.
func signals() []string {
	return strings.Fields(`SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL
		SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU
		SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ`)
}

// stopsignal is the signal that ends the binary.
func (sc *scope) stopsignal() string {
	field := &sc.image.Stopsignal
	if !sc.written(field) {
		return ""
	}
	signal := sc.text(field)
	if !signalPattern.MatchString(signal) && !slices.Contains(signals(), signal) {
		e := sc.spec.Errorf(field, "image.stopsignal: %q is not a signal", signal).WithHelp("expected one such as SIGTERM or 15")
		full := "SIG" + strings.TrimPrefix(strings.ToUpper(signal), "SIG")
		if near := spec.Nearest(full, signals()); near != "" && full != "SIG" {
			e.WithHelp("did you mean %s?", near)
		}
		sc.fail(e)
	}
	return signal
}

// imageEnv is the environment of the binary: PATH, then the spec's.
func (sc *scope) imageEnv(t *Target) []string {
	var env []string
	preset := t.Port.OS != "windows" && t.Base == ""
	if preset {
		env = append(env, "PATH="+defaultPath)
	}
	for i := range sc.image.Env {
		e := &sc.image.Env[i]
		if e.Name == "" || strings.ContainsAny(e.Name, "=\x00") {
			sc.fail(sc.spec.Errorf(&e.Name, "image.env: %q is not a name", e.Name).WithHelp("expected NAME: value"))
			continue
		}
		value := sc.variable(e, sc.vars)
		if e.Name == "PATH" && preset {
			env[0] = value
			continue
		}
		env = append(env, value)
	}
	return env
}
