package integration

import (
	"bytes"
	gofmt "go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// modeline is the second line of every example. It is for editors; a page may
// show an example without it.
const modeline = "# yaml-language-server: $schema=https://raw.githubusercontent.com/gopherfile/gopherfile/main/frontend/spec/schema.json\n"

// execute does with a block what its language asks for, see TestDocs.
func (p *page) execute(b block) {
	if b.file != "" {
		p.writeFile(b)
	}
	if b.lang != "console" {
		p.uses(filepath.Dir(b.file), b.text)
		defer func(dir string) { p.dir = dir }(p.dir)
		p.dir = p.root
	}
	switch b.lang {
	case "yaml":
		if ciFile(b.file) {
			p.runFile(b)
		} else {
			p.spec(b)
		}
	case "hcl":
		p.runFile(b)
	case "dockerfile":
		p.need(b)
		p.command("docker buildx build --call=check -f "+b.file+" "+filepath.Dir(b.file), "")
	case "go":
		p.goFile(b)
	case "console":
		for _, session := range strings.Split("\n"+strings.ReplaceAll(b.text, "\\\n", ""), "\n$ ")[1:] {
			command, want, _ := strings.Cut(session, "\n")
			p.session(command, want)
		}
	case "sh":
		for _, script := range strings.Fields(b.text) {
			if _, err := os.Stat(filepath.Join(repository, script)); err != nil {
				p.fatalf("%v", err)
			}
		}
	case "", "text":
	default:
		p.fatalf("nobody executes a block of %s", b.lang)
	}
}

// writeFile writes a block for the commands of the page. An example must be the
// same in the repository.
func (p *page) writeFile(b block) {
	have, err := os.ReadFile(filepath.Join(repository, b.file))
	if strings.HasPrefix(b.file, "examples/") && err == nil && string(have) != b.text && strings.Replace(string(have), modeline, "", 1) != b.text {
		p.fatalf("%s differs from the repository's", b.file)
	}
	name := filepath.Join(p.root, b.file)
	p.ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
	p.ts.Check(os.WriteFile(name, []byte(p.real(b.text)), 0o644))
}

// need remembers a file that a later block must use.
func (p *page) need(b block) {
	if b.file == "" {
		p.fatalf("a block of %s needs a name, so that a command can use it", b.lang)
	}
	p.unused = slices.DeleteFunc(p.unused, func(u block) bool { return u.file == b.file })
	p.unused = append(p.unused, b)
}

// uses notes which files a command or a file in a folder of the page names.
func (p *page) uses(dir, text string) {
	p.unused = slices.DeleteFunc(p.unused, func(u block) bool {
		rel, err := filepath.Rel(dir, u.file)
		// The Dockerfile of a context needs no name.
		return err == nil && strings.Contains(text, strings.TrimSuffix(rel, "/Dockerfile"))
	})
}

// spec looks for errors in a spec. One that shows an error has a name, and a
// command that prints it.
func (p *page) spec(b block) {
	_, err := spec.Parse("Gopherfile.yaml", []byte(b.text))
	if b.file != "" {
		p.need(b)
	} else if err != nil {
		p.fatalf("%v", err)
	}
}

func (p *page) goFile(b block) {
	if b.file == "" {
		p.fatalf("a block of go needs a name")
	}
	out, err := gofmt.Source([]byte(b.text))
	if err != nil {
		p.fatalf("%v", err)
	}
	if string(out) != b.text {
		p.fatalf("not as gofmt writes it; that is:\n%s", out)
	}
	dir := filepath.Dir(filepath.Join(p.root, b.file))
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == p.root {
			p.fatalf("%s is in no module", b.file)
		}
		dir = filepath.Dir(dir)
	}
	if !slices.Contains(p.modules, dir) {
		p.modules = append(p.modules, dir)
	}
}

// vet runs go vet in a module of the page, with the environment of the test.
// What the page generates in a build is generated here, too.
func (p *page) vet(dir string) {
	for _, verb := range []string{"generate", "vet"} {
		cmd := exec.Command("go", verb, "./...")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			p.ts.Fatalf("%s: go %s in %s: %v\n%s", p.file, verb, dir, err, out)
		}
	}
}

// session runs a command of a console.
func (p *page) session(command, want string) {
	rel, err := filepath.Rel(p.root, p.dir)
	p.ts.Check(err)
	p.uses(rel, command)
	switch fields := strings.Fields(command); {
	case fields[0] == "cd" && len(fields) == 2:
		p.dir = filepath.Join(p.dir, fields[1])
	case strings.HasPrefix(command, "docker run "):
		p.expect(command, want, p.dockerRun(command))
	default:
		p.command(command, want)
	}
}

// command runs a command and looks for the lines that it should print.
func (p *page) command(command, want string) {
	for _, i := range p.inserts {
		command = strings.ReplaceAll(command, i[0], i[1])
	}
	p.expect(command, want, exec.Command("bash", "-c", p.real(command)))
}

// expect runs a command in the page's folder. The lines must be printed in
// their order; there may be others between them. A command that should fail is
// known by its error, or its warning, among the lines.
func (p *page) expect(command, want string, cmd *exec.Cmd) {
	if cmd.Dir == "" {
		cmd.Dir = p.dir
	}
	if cmd.Env == nil {
		cmd.Env = p.env()
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	fails := regexp.MustCompile(`(?m)^(ERROR: |gopherfile: |Check complete, \d)`).MatchString(want)
	told := p.told(out.String())
	if (err != nil) != fails {
		p.fatalf("%s: %v\n%s", command, err, told)
	}
	rest := "\n" + timeless(told)
	for line := range strings.Lines(timeless(want)) {
		line = strings.TrimRight(line, "\n")
		if line == "" {
			continue
		}
		_, after, found := strings.Cut(rest, "\n"+line+"\n")
		if !found {
			p.fatalf("%s: want the line %q, got:\n%s", command, line, told)
		}
		rest = "\n" + after
	}
}

// timeless takes out what differs between two runs: the numbers of BuildKit's
// steps, times, sizes, the patch of the Go release, and spaces that nobody sees.
func timeless(text string) string {
	text = regexp.MustCompile(`(?m)[ \t]+$`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^#\d+ `).ReplaceAllString(text, "#0 ")
	text = regexp.MustCompile(`(?m)^((?:#0 )?)\d+\.\d+ `).ReplaceAllString(text, "${1}0.0 ")
	text = regexp.MustCompile(`\b\d+\.\d+ [kM]B\b`).ReplaceAllString(text, "0.0 MB")
	text = regexp.MustCompile(`\b(go1\.\d+)\.\d+\b`).ReplaceAllString(text, "$1.0")
	return regexp.MustCompile(`\b\d+\.\d+s\b`).ReplaceAllString(text, "0.0s")
}

// env is the environment of a command: that of the test, with a home of its
// own, a user of git, and what the script of the page has set.
func (p *page) env() []string {
	env := os.Environ()
	for _, name := range []string{"HOME", "SSH_AUTH_SOCK", "SERVER", "PRIVATEADDR", "SSHADDR"} {
		if v := p.ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	const when = "2026-01-02T03:04:05Z" // so that a commit has the same name in every run
	return append(env, "PWD="+p.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=init.defaultBranch", "GIT_CONFIG_VALUE_0=main",
		"GIT_AUTHOR_NAME=gopher", "GIT_AUTHOR_EMAIL=gopher@example.com", "GIT_AUTHOR_DATE="+when,
		"GIT_COMMITTER_NAME=gopher", "GIT_COMMITTER_EMAIL=gopher@example.com", "GIT_COMMITTER_DATE="+when)
}
