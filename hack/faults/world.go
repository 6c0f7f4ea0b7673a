package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	digest "github.com/opencontainers/go-digest"
)

// world is all that a build touches, each part of which can be broken.
type world struct {
	// dir is kept from run to run, run is not.
	dir, run string
	lock     *os.File
	disk     *disk
	registry *registry
	proxy    *server
	dep      *dependency
	daemon   *daemon
	gate     *gate
	project  project
	// more are lines of the spec that a fault has added, damaged the files that it
	// has changed in a cache, each with what it was then.
	more    string
	damaged map[string]string
	// healthy is the image of a build with which nothing goes wrong.
	healthy digest.Digest
	// builder is the image that compiles, layer the one that no other has.
	builder string
	layer   digest.Digest
	log     io.Writer
}

// needed are the variables that hack/builder env sets.
func needed() []string {
	return []string{"BUILDKIT_HOST", "DOCKER_CONFIG", "BUILDX_BUILDER", "GOPHERFILE_REGISTRY"}
}

// newWorld starts everything. Its data lies below dir.
func newWorld(ctx context.Context, dir string, log io.Writer) (_ *world, err error) {
	for _, name := range needed() {
		if os.Getenv(name) == "" {
			return nil, fmt.Errorf(`%s is not set: run hack/builder up, then eval "$(hack/builder env)"`, name)
		}
	}
	w := &world{dir: dir, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if err := w.reserve(); err != nil {
		return nil, err
	}
	// The path of a socket is short, that of a checkout may be long.
	if w.run, err = os.MkdirTemp("", "faults"); err != nil {
		return nil, err
	}
	w.project.dir = filepath.Join(w.run, "project")
	if w.disk, err = mountDisk(ctx, dir); err != nil {
		return nil, err
	}
	if w.registry, err = startRegistry(ctx, os.Getenv("GOPHERFILE_REGISTRY")); err != nil {
		return nil, err
	}
	if w.dep, err = newDependency(depSource); err != nil {
		return nil, err
	}
	if w.proxy, err = startServer(w.dep.handler()); err != nil {
		return nil, err
	}
	if w.daemon, err = newDaemon(filepath.Join(w.disk.point, "buildkitd"), w.run, w.registry.addr); err != nil {
		return nil, err
	}
	if err := w.daemon.start(ctx); err != nil {
		return nil, err
	}
	if w.gate, err = startGate(filepath.Join(w.run, "sock"), w.daemon.socket()); err != nil {
		return nil, err
	}
	return w, w.setUpDocker(ctx)
}

// reserve makes sure that nobody else uses the folder.
func (w *world) reserve() error {
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return err
	}
	var err error
	if w.lock, err = os.OpenFile(filepath.Join(w.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if err := syscall.Flock(int(w.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("%s is in use by another run: %w", w.dir, err)
	}
	return nil
}

// host is where clients find the daemon.
func (w *world) host() string { return "unix://" + filepath.Join(w.run, "sock") }

// env is the environment of a client.
func (w *world) env() []string {
	return append(os.Environ(), "BUILDKIT_HOST="+w.host(), "DOCKER_CONFIG="+filepath.Join(w.run, "docker"), "BUILDX_BUILDER=faults", "OTEL_TRACES_EXPORTER=none", "BUILDX_GIT_INFO=0")
}

// setUpDocker gives docker buildx a builder that is the daemon behind the gate.
func (w *world) setUpDocker(ctx context.Context) error {
	plugins := filepath.Join(w.run, "docker", "cli-plugins")
	buildx, err := filepath.EvalSymlinks(filepath.Join(os.Getenv("DOCKER_CONFIG"), "cli-plugins", "docker-buildx"))
	if err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(plugins, 0o755), os.Symlink(buildx, filepath.Join(plugins, "docker-buildx"))); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "docker", "buildx", "create", "--name", "faults", "--driver", "remote", w.host())
	cmd.Env = w.env()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("buildx create: %w\n%s", err, out)
	}
	return nil
}

// close ends everything. What is on the disk stays for the next run.
func (w *world) close() error {
	var errs []error
	if w.gate != nil {
		errs = append(errs, w.gate.close())
	}
	if w.daemon != nil {
		errs = append(errs, w.daemon.stop())
	}
	if w.proxy != nil {
		errs = append(errs, w.proxy.stop())
	}
	if w.registry != nil && w.registry.server != nil {
		errs = append(errs, w.registry.stop())
	}
	if w.disk != nil {
		errs = append(errs, w.disk.unmount())
	}
	if w.run != "" {
		errs = append(errs, os.RemoveAll(w.run))
	}
	if w.lock != nil {
		errs = append(errs, w.lock.Close())
	}
	return errors.Join(errs...)
}

// spec is the build definition of the project.
func (w *world) spec() string {
	return "# syntax=gopherfile/gopherfile:1\nbuilder: " + w.builder + "\nmain: .\nmodules:\n  proxy: http://" + w.proxy.addr + "\n" + w.more
}

// renew makes the project as it should be, for a builder image that the daemon
// has not seen: all steps run again.
func (w *world) renew() error {
	var err error
	if w.builder, w.layer, err = w.registry.builder(); err != nil {
		return err
	}
	return w.project.write(w.dep, w.spec())
}

// begin builds the project as it should be, and runs it once.
func (w *world) begin(ctx context.Context) error {
	const limit = 10 * time.Minute // an empty daemon compiles net/http
	fmt.Fprintln(w.log, "a build with which nothing goes wrong")
	if err := w.renew(); err != nil {
		return err
	}
	out, err := w.build(ctx, request{push: w.registry.addr + "/faults/healthy:1"}, nil, nil, limit)
	if err != nil {
		return err
	}
	if out.failed || out.digest == "" {
		return fmt.Errorf("the build fails with nothing wrong:\n%s", out.output)
	}
	w.healthy = out.digest
	dest := filepath.Join(w.run, "healthy")
	if out, err = w.build(ctx, request{dest: dest}, nil, nil, limit); err != nil || out.failed {
		return errors.Join(err, fmt.Errorf("the export fails with nothing wrong:\n%s", out.output))
	}
	said, err := exec.CommandContext(ctx, filepath.Join(dest, "app")).CombinedOutput()
	if err == nil && string(said) != identity() {
		err = fmt.Errorf("the program says %q, want %q", said, identity())
	}
	return errors.Join(err, os.RemoveAll(dest))
}

// works builds with nothing wrong.
func (w *world) works(ctx context.Context, req request) error {
	out, err := w.build(ctx, req, nil, nil, usualLimit)
	if err == nil && out.failed {
		err = fmt.Errorf("the build fails with nothing wrong:\n%s", out.output)
	}
	return err
}

// prune makes the daemon forget the outputs of the steps, and with them that it
// ran them. The images stay.
func (w *world) prune(ctx context.Context) error {
	for _, what := range []string{"mount /out from exec", "copy source"} {
		cmd := exec.CommandContext(ctx, "buildctl", "--addr", w.host(), "prune", "--filter", "type==regular,description~="+strings.ReplaceAll(what, " ", "."))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("buildctl prune: %w\n%s", err, out)
		}
	}
	return nil
}

// heal makes all good again, whatever was wrong.
func (w *world) heal(ctx context.Context) error {
	w.gate.rate.Store(0)
	errs := []error{w.registry.heal(), w.proxy.heal(), w.disk.release()}
	if !w.daemon.running() {
		errs = append(errs, w.daemon.start(ctx))
	}
	return errors.Join(append(errs, w.project.write(w.dep, w.spec()))...)
}

// plainly takes what changes from run to run out of a text.
func (w *world) plainly(text string) string {
	text = strings.NewReplacer(
		w.builder, "REGISTRY/golang:1.26-alpine",
		w.registry.addr, "REGISTRY",
		w.registry.upstream, "REGISTRY",
		w.proxy.addr, "PROXY",
		w.run, "RUN",
		filepath.Join(w.disk.point, "buildkitd"), "ROOT",
	).Replace(text)
	for _, r := range [][2]string{
		{`sha256(:|%3A|-)[0-9a-f]{64}`, "DIGEST"},
		{`127\.0\.0\.1:\d+`, "CLIENT"},
		{`faults/app\d+`, "app"},
		{`faults/builder/manifests/b\d+`, "golang/manifests/1.26-alpine"},
		{`faults/builder/`, "golang/"},
		{`uploads/[^"\s]+`, "uploads/UPLOAD"},
		{`\b[a-z0-9]{25}\b`, "SNAPSHOT"},
		{`new-\d+`, "new"},
	} {
		text = regexp.MustCompile(r[0]).ReplaceAllString(text, r[1])
	}
	return text
}

// pushFrontend builds the frontend of a checkout and pushes it to where builds
// look for it.
func pushFrontend(ctx context.Context, root string) error {
	ref := os.Getenv("GOPHERFILE_REGISTRY") + "/gopherfile/gopherfile:1"
	cmd := exec.CommandContext(ctx, "docker", "buildx", "build", "--progress=plain", "--provenance=false", "--push", "-t", ref, root)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the frontend image: %w\n%s", err, out)
	}
	return nil
}
