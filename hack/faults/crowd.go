package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// crowdLimit is how long all builds may take that run at once.
const crowdLimit = 20 * time.Minute

// member is one of many builds at once: a project of its own, with settings
// that few others have.
type member struct {
	n        int
	platform string
	loud     bool
	stamp    string
	strip    bool
}

// crowd makes up n members.
func crowd(n int) []member {
	platforms := []string{"linux/" + runtime.GOARCH, "linux/386", "linux/arm64", "windows/amd64"}
	var all []member
	for i := range n {
		m := member{n: i, platform: platforms[i%len(platforms)], loud: i%3 == 0, strip: i%10 != 0}
		if i%2 == 0 {
			m.stamp = fmt.Sprintf("stamp%d", i)
		}
		all = append(all, m)
	}
	return all
}

// name is the member's, that of its module, and that of its binary.
func (m *member) name() string { return fmt.Sprintf("member%d", m.n) }

// says is what the binary prints.
func (m *member) says() string {
	voice := "quiet"
	if m.loud {
		voice = "loud"
	}
	return fmt.Sprintf("<%s %s %s %s>", m.name(), m.platform, voice, m.stamp)
}

// write writes the project.
func (m *member) write(dir, builder string) error {
	spec := "# syntax=gopherfile/gopherfile:1\nbuilder: " + builder + "\nbuild:\n  strip: " + strconv.FormatBool(m.strip) + "\n"
	if m.loud {
		spec += "  tags: loud\n"
	}
	if m.stamp != "" {
		spec += "  ldflags: -X main.stamp=" + m.stamp + "\n"
	}
	spec += "image:\n  labels: {member: " + m.name() + "}\n  env: {MEMBER: " + m.name() + "}\n"
	goos, goarch, _ := strings.Cut(m.platform, "/")
	p := project{dir: dir}
	return errors.Join(
		p.put(specFile, spec),
		p.put("go.mod", "module example.com/"+m.name()+"\n\ngo 1.26.0\n"),
		p.put("main.go", fmt.Sprintf("package main\n\nimport \"runtime\"\n\nvar stamp string\n\nfunc main() {\n\tprintln(\"<%s \" + runtime.GOOS + \"/\" + runtime.GOARCH + \" \" + voice + \" \" + stamp + \">\", whole)\n}\n", m.name())),
		p.put("loud.go", "//go:build loud\n\npackage main\n\nconst voice = \"loud\"\n"),
		p.put("quiet.go", "//go:build !loud\n\npackage main\n\nconst voice = \"quiet\"\n"),
		// What a binary for another machine would say is in it.
		p.put("whole.go", fmt.Sprintf("package main\n\nvar whole = %q\n", m.whole())),
		p.put("port_"+goos+"_"+goarch+".go", "package main\n"),
	)
}

// whole is a text that no other member has.
func (m *member) whole() string { return "[" + m.name() + " is built for " + m.platform + "]" }

// load is what many builds at once take.
type load struct {
	What   string
	Builds int
	Wall   time.Duration
	// Daemon is the most memory of the daemon, Frontend that of one frontend,
	// Frontends that of all at a time, in bytes; Most is how many ran at a time.
	Daemon, Frontend, Frontends int64
	Most                        int
}

// gather makes n builds at once, looks at every result, and does it again with
// nothing left to do.
func (w *world) gather(ctx context.Context, n int) ([]load, error) {
	ctx, cancel := context.WithTimeout(ctx, crowdLimit)
	defer cancel()
	if err := w.renew(); err != nil {
		return nil, err
	}
	members := crowd(n)
	for i := range members {
		if err := members[i].write(filepath.Join(w.run, members[i].name()), w.builder); err != nil {
			return nil, err
		}
	}
	var all []load
	for _, what := range []string{"nothing is known", "nothing has changed"} {
		l, err := w.together(ctx, what, members)
		if err != nil {
			return all, err
		}
		all = append(all, *l)
	}
	return all, nil
}

// together makes all builds of a crowd at once.
func (w *world) together(ctx context.Context, what string, members []member) (*load, error) {
	l := &load{What: what, Builds: len(members)}
	logged := w.daemon.logged()
	end := make(chan struct{})
	var watching, working sync.WaitGroup
	watching.Go(func() { l.watch(w.daemon, end) })
	repo := fmt.Sprintf("faults/crowd%d", time.Now().UnixNano())
	errs := make([]error, len(members))
	start := time.Now()
	for i := range members {
		working.Go(func() { errs[i] = w.join(ctx, &members[i], repo) })
	}
	working.Wait()
	l.Wall = time.Since(start)
	close(end)
	watching.Wait()
	return l, errors.Join(append(errs, sane("the daemon", w.daemon.loggedSince(logged)))...)
}

// join builds one member and looks at what comes out: a folder, and an image in
// the registry.
func (w *world) join(ctx context.Context, m *member, repo string) error {
	dir := filepath.Join(w.run, m.name())
	dest := dir + ".out"
	ref := w.registry.addr + "/" + repo + ":" + m.name()
	local, image := "type=local,dest="+dest, "type=image,push=true,name="+ref
	args := []string{"docker", "buildx", "build", "--progress=plain", "--provenance=false", "-f", specFile, "--platform", m.platform, "--output", local, "--output", image, "."}
	if m.n%5 == 4 {
		args = []string{"buildctl", "build", "--progress=plain", "--frontend=gateway.v0", "--opt", "source=gopherfile/gopherfile:1", "--opt", "filename=" + specFile,
			"--opt", "platform=" + m.platform, "--local", "context=.", "--local", "dockerfile=.", "--output", local, "--output", image}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // G204: both are clients of ours
	cmd.Dir, cmd.Env = dir, w.env()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", m.name(), err, out)
	}
	if err := errors.Join(m.checkBinary(ctx, dest), m.checkImage(ctx, w, repo)); err != nil {
		return fmt.Errorf("%s: %w", m.name(), err)
	}
	return os.RemoveAll(dest)
}

// checkBinary looks whether a binary is the member's and nobody else's.
func (m *member) checkBinary(ctx context.Context, dest string) error {
	file := filepath.Join(dest, m.name())
	if strings.HasPrefix(m.platform, "windows/") {
		file += ".exe"
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Contains(data, []byte(m.whole())) {
		return fmt.Errorf("the binary does not hold %q", m.whole())
	}
	if m.platform != "linux/"+runtime.GOARCH && (m.platform != "linux/386" || runtime.GOARCH != "amd64") {
		return nil
	}
	said, err := exec.CommandContext(ctx, file).CombinedOutput()
	if want := m.says() + " " + m.whole() + "\n"; err == nil && string(said) != want {
		return fmt.Errorf("the program says %q, want %q", said, want)
	}
	return err
}

// checkImage looks whether an image in the registry is the member's.
func (m *member) checkImage(ctx context.Context, w *world, repo string) error {
	base := "http://" + w.registry.upstream + "/v2/" + repo
	body, _, code, err := fetch(ctx, http.MethodGet, base+"/manifests/"+m.name(), http.Header{"Accept": {ocispecs.MediaTypeImageManifest}})
	if err != nil || code != http.StatusOK {
		return errors.Join(err, fmt.Errorf("the image is not in the registry: status %d", code))
	}
	var manifest ocispecs.Manifest
	if err := json.Unmarshal(body, &manifest); err != nil {
		return err
	}
	if body, _, _, err = fetch(ctx, http.MethodGet, base+"/blobs/"+manifest.Config.Digest.String(), nil); err != nil {
		return err
	}
	var image ocispecs.Image
	if err := json.Unmarshal(body, &image); err != nil {
		return err
	}
	got := image.OS + "/" + image.Architecture + " " + image.Config.Labels["member"]
	if want := m.platform + " " + m.name(); got != want || !slices.Contains(image.Config.Env, "MEMBER="+m.name()) {
		return fmt.Errorf("the image is of %q with %v, want %q", got, image.Config.Env, want)
	}
	return nil
}

// watch keeps the most of what the daemon and its frontends take.
func (l *load) watch(d *daemon, end <-chan struct{}) {
	for {
		l.Daemon = max(l.Daemon, allocated(d.pid()))
		frontends := d.find(isFrontend)
		l.Most = max(l.Most, len(frontends))
		var sum int64
		for _, pid := range frontends {
			n := allocated(pid)
			sum += n
			l.Frontend = max(l.Frontend, n)
		}
		l.Frontends = max(l.Frontends, sum)
		select {
		case <-end:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// allocated is the memory that a process has allocated, in bytes: not what it
// mapped from files, which the kernel shares and may take back.
func allocated(pid int) int64 {
	text, err := os.ReadFile(proc(pid, "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "RssAnon:" {
			n, _ := strconv.ParseInt(f[1], 10, 64) // error ignored: the kernel writes numbers
			return n << 10
		}
	}
	return 0
}
