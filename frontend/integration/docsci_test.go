package integration

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// ciFile reports whether a file of YAML is no spec but one that runs a build.
func ciFile(name string) bool {
	return strings.HasPrefix(name, ".github/workflows/") || slices.Contains([]string{".gitlab-ci.yml", "compose.yaml", ".ko.yaml"}, name)
}

// runFile does what the reader of a file would do: GitHub and GitLab run its
// commands in the folder of the repository, which is that of the page; bake
// prints what it would build from a compose or bake file; of ko's configuration
// the keys are looked at, since ko is not here.
func (p *page) runFile(b block) {
	switch {
	case strings.HasPrefix(b.file, ".github/workflows/"):
		p.workflow(b)
	case b.file == ".gitlab-ci.yml":
		p.gitlab(b)
	case b.file == ".ko.yaml":
		p.ko(b)
	case b.file == "":
		p.fatalf("a block of %s needs a name", b.lang)
	default:
		dir, name := filepath.Split(b.file)
		p.command("cd ./"+dir+" && docker buildx bake -f "+name+" --print", "")
	}
}

// workflow is what the pages use of the workflow language of GitHub. A key that
// is not here is an error.
type workflow struct {
	Name        string
	On          any
	Permissions map[string]string
	Env         map[string]string
	Jobs        map[string]struct {
		RunsOn      string `yaml:"runs-on"`
		Permissions map[string]string
		Env         map[string]string
		Steps       []struct {
			Name, Uses, Run string
			With, Env       map[string]string
		}
	}
}

// decode reads YAML strictly.
func (p *page) decode(b block, v any) {
	d := yaml.NewDecoder(strings.NewReader(b.text))
	d.KnownFields(true)
	if err := d.Decode(v); err != nil {
		p.fatalf("%s: %v", b.file, err)
	}
}

// workflow runs the steps of a workflow. Those with docker's actions are run as
// the commands that these actions call.
func (p *page) workflow(b block) {
	var w workflow
	p.decode(b, &w)
	for _, name := range slices.Sorted(maps.Keys(w.Jobs)) {
		job := w.Jobs[name]
		for _, s := range job.Steps {
			run := s.Run
			if s.Uses != "" {
				run = p.action(s.Uses, s.With)
			}
			if run == "" {
				continue
			}
			var script strings.Builder
			script.WriteString("set -e\n")
			for _, env := range []map[string]string{w.Env, job.Env, s.Env} {
				for _, k := range slices.Sorted(maps.Keys(env)) {
					fmt.Fprintf(&script, "export %s=%s\n", k, quoted(p.expressions(env[k])))
				}
			}
			p.command(script.String()+p.expressions(run), "")
		}
	}
}

// expressions puts values in the place of GitHub's ${{ }}.
func (p *page) expressions(text string) string {
	values := map[string]string{
		"github.actor":         "gopher",
		"github.repository":    "team/app",
		"github.sha":           "0123456789abcdef0123456789abcdef01234567",
		"github.ref_name":      "v1.2.0",
		"secrets.GITHUB_TOKEN": "token",
		"secrets.NETRC":        "machine git.example.com login ci password secret",
	}
	return regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`).ReplaceAllStringFunc(text, func(s string) string {
		v, ok := values[strings.TrimSpace(s[3:len(s)-2])]
		if !ok {
			p.fatalf("nobody knows the value of %s", s)
		}
		return v
	})
}

// action is the command that an action runs, "" for one that only prepares. The
// names of the inputs are those of action.yml of the release that is named.
func (p *page) action(uses string, with map[string]string) string {
	inputs := map[string]map[string]string{
		"actions/checkout@v6":           {},
		"docker/setup-buildx-action@v4": {},
		"docker/login-action@v4":        {"registry": "", "username": "", "password": ""},
		"docker/build-push-action@v7": {
			"build-args": "--build-arg", "cache-from": "--cache-from", "cache-to": "--cache-to", "call": "--call", "file": "--file", "labels": "--label",
			"outputs": "--output", "platforms": "--platform", "secret-files": "--secret", "ssh": "--ssh", "tags": "--tag", "target": "--target", "context": "", "push": "",
		},
		"docker/bake-action@v7": {"call": "--call", "files": "-f", "set": "--set", "source": "", "targets": "", "push": ""},
	}
	flags, ok := inputs[uses]
	if !ok {
		p.fatalf("nobody knows the action %s", uses)
	}
	var args []string
	for _, k := range slices.Sorted(maps.Keys(with)) {
		flag, ok := flags[k]
		if !ok {
			p.fatalf("%s: nobody knows the input %s", uses, k)
		}
		for line := range strings.Lines(with[k]) {
			line = strings.TrimSpace(line)
			if id, file, found := strings.Cut(line, "="); found && k == "secret-files" {
				line = "id=" + id + ",src=" + file
			}
			if flag != "" {
				args = append(args, flag, quoted(line))
			}
		}
	}
	if with["push"] == "true" {
		args = append(args, "--push")
	}
	switch name, _, _ := strings.Cut(uses, "@"); name {
	case "docker/build-push-action":
		if with["context"] == "" {
			p.fatalf("%s: without a context it builds from github.com, which the test cannot", uses)
		}
		return "docker buildx build " + strings.Join(append(args, with["context"]), " ")
	case "docker/bake-action":
		if with["source"] != "." {
			p.fatalf("%s: without source: . it builds from github.com, which the test cannot", uses)
		}
		return "docker buildx bake " + strings.Join(append(args, strings.Fields(with["targets"])...), " ")
	}
	return ""
}

// gitlab runs the scripts of the jobs. GitLab's variables are in the
// environment; the daemon that buildctl-daemonless.sh would start is there.
func (p *page) gitlab(b block) {
	type job struct {
		Stage        string
		Image        any
		Services     []any
		Rules        []any
		Variables    map[string]string
		BeforeScript []string `yaml:"before_script"`
		Script       []string
	}
	var jobs map[string]job
	p.decode(b, &jobs)
	for _, name := range slices.Sorted(maps.Keys(jobs)) {
		script := "set -e\nbuildctl-daemonless.sh() { buildctl \"$@\"; }\n" +
			"export CI_COMMIT_SHA=0123456789abcdef0123456789abcdef01234567 CI_COMMIT_SHORT_SHA=01234567 CI_PROJECT_URL=https://gitlab.com/team/app\n" +
			"export CI_REGISTRY=registry.example.com CI_REGISTRY_IMAGE=registry.example.com/team/app CI_REGISTRY_USER=ci CI_REGISTRY_PASSWORD=secret\n"
		for _, k := range slices.Sorted(maps.Keys(jobs[name].Variables)) {
			script += "export " + k + "=" + quoted(jobs[name].Variables[k]) + "\n"
		}
		p.command(script+strings.Join(append(jobs[name].BeforeScript, jobs[name].Script...), "\n"), "")
	}
}

// ko looks at the keys of ko's configuration (ko pkg/commands/options/build.go
// and pkg/build/config.go).
func (p *page) ko(b block) {
	p.decode(b, &struct {
		DefaultBaseImage   string            `yaml:"defaultBaseImage"`
		BaseImageOverrides map[string]string `yaml:"baseImageOverrides"`
		DefaultPlatforms   []string          `yaml:"defaultPlatforms"`
		DefaultEnv         []string          `yaml:"defaultEnv"`
		DefaultFlags       []string          `yaml:"defaultFlags"`
		DefaultLdflags     []string          `yaml:"defaultLdflags"`
		Builds             []struct {
			ID, Dir, Main       string
			Env, Flags, Ldflags []string
		}
	}{})
}

// quoted writes a word for a shell.
func quoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
