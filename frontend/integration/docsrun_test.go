package integration

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// dockerRun is docker run without an engine: a command that runs the program of
// an image in the image's files, as its user, with its environment. It knows
// --rm, -v and -w, which is all that the pages need, and has no network, process
// or cgroup namespace of its own.
func (p *page) dockerRun(command string) *exec.Cmd {
	// The shell splits the command into words.
	words, err := exec.Command("env", "-C", p.dir, "bash", "-c", `docker() { printf '%s\0' "${@:2}"; }; `+p.real(command)).Output()
	p.ts.Check(err)
	args := strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00")
	mounts, workdir := map[string]string{}, ""
	for ; len(args) > 0 && strings.HasPrefix(args[0], "-"); args = args[1:] {
		switch args[0] {
		case "--rm":
			continue
		case "-v":
			from, to, _ := strings.Cut(args[1], ":")
			mounts[to] = from
		case "-w":
			workdir = args[1]
		default:
			p.fatalf("docker run: nobody executes the flag %s", args[0])
		}
		args = args[1:]
	}
	files, config := p.image(args[0])
	script, argv := "", []string{"--root=" + files}
	for to, from := range mounts {
		p.ts.Check(os.MkdirAll(filepath.Join(files, to), 0o755))
		script += `mount --bind "` + from + `" "` + filepath.Join(files, to) + `"; `
	}
	if workdir == "" {
		workdir = config.WorkingDir
	}
	if workdir != "" {
		argv = append(argv, "--wd="+workdir)
	}
	if user, group, found := strings.Cut(config.User, ":"); found {
		argv = append(argv, "--setgid="+group, "--setuid="+user)
	}
	argv = append(append(argv, config.Entrypoint...), args[1:]...)
	if len(args) == 1 {
		argv = append(argv, config.Cmd...)
	}
	unshare, err := exec.LookPath("unshare")
	p.ts.Check(err)
	cmd := exec.Command(unshare, append([]string{"--mount", "bash", "-c", "set -e; PATH=/usr/bin:/bin; " + script + `exec "$0" "$@"`, unshare}, argv...)...)
	cmd.Env = append(config.Env, "HOSTNAME=test")
	return cmd
}

// image unpacks an image.
func (p *page) image(ref string) (files string, config ocispecs.ImageConfig) {
	out, err := exec.Command("docker", "buildx", "imagetools", "inspect", p.pullable(ref), "--format", "{{json .Image}}").Output()
	if err != nil {
		p.fatalf("inspect %s: %v", ref, err)
	}
	var img ocispecs.Image
	if err := json.Unmarshal(out, &img); err != nil || img.OS == "" {
		var byPlatform map[string]ocispecs.Image
		p.ts.Check(json.Unmarshal(out, &byPlatform))
		img = byPlatform["linux/"+p.ts.Getenv("BUILDARCH")]
	}
	files, err = os.MkdirTemp(p.root, "run")
	p.ts.Check(err)
	p.ts.Check(os.Chmod(files, 0o755))
	cmd := exec.Command("docker", "buildx", "build", "--progress=plain", "-o", files, "-")
	cmd.Stdin = strings.NewReader("FROM " + ref + "\n")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Run(); err != nil {
		p.fatalf("unpack %s: %v\n%s", ref, err, log.String())
	}
	return files, img.Config
}

// pullable is where the client finds an image that BuildKit takes from the
// mirror of docker.io.
func (p *page) pullable(ref string) string {
	if host, _, _ := strings.Cut(ref, "/"); strings.ContainsAny(host, ".:") {
		return ref
	}
	return os.Getenv("GOPHERFILE_REGISTRY") + "/" + ref
}
