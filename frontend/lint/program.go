package lint

import (
	"fmt"
	"path"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/plan"
)

func programNotInImage() Rule {
	return Rule{
		Name:    "ProgramNotInImage",
		Summary: "An image on scratch does not hold the program that it runs",
		Why: `
On scratch there are the binaries of the spec, the files that image.files puts
there, and no other program: no shell, no curl, no tini. What an entrypoint or a
healthcheck names must be one of them, by its path or by a name that is found
in PATH. The binaries stand in /, which is not part of PATH.

Without image.entrypoint the image runs its binary. A healthcheck may give a
binary of the image by its name. A program of image.files is found when it may
be in what is copied; where that is not certain, the rule says nothing.
`,
		Bad: Example{Spec: `
image:
  entrypoint: [app, serve]
`},
		Good: Example{Spec: `
image:
  entrypoint: [/app, serve]
`},
		Check: checkProgramNotInImage,
	}
}

func checkProgramNotInImage(in *Input) (out []finding) {
	for u, t := range in.images() {
		if t.Base != "" {
			continue
		}
		check := func(field *string, key, program string) {
			if program == "" || holds(t, program) {
				return
			}
			out = append(out, finding{in.value(field), missingProgram(t, key, program)})
		}
		switch im := u.image; {
		case len(im.Entrypoint) > 0:
			check(&im.Entrypoint[0], "image.entrypoint", t.Image.Entrypoint[0])
		case im.Entrypoint != nil && len(im.Cmd) > 0:
			check(&im.Cmd[0], "image.cmd", t.Image.Cmd[0])
		}
		if h := t.Image.Healthcheck; h != nil && len(u.image.Healthcheck.Test) > 0 {
			check(&u.image.Healthcheck.Test[0], "image.healthcheck", h.Test[0])
		}
	}
	return out
}

// missingProgram says that an image has no such program.
func missingProgram(t *plan.Target, key, program string) string {
	if words := strings.Fields(program); len(words) > 1 {
		return fmt.Sprintf("%s: the image has no %q (write a list: [%s])", key, program, strings.Join(words, ", "))
	}
	if !strings.Contains(program, "/") {
		program += " in PATH"
	}
	return fmt.Sprintf("%s: the image has no %s (the binary is %s)", key, program, t.Binaries[0].Path)
}

// holds reports whether an image on scratch may have a program.
func holds(t *plan.Target, program string) bool {
	dirs := []string{""}
	if !strings.Contains(program, "/") {
		value := goflags.Getenv(t.Image.Env, "PATH")
		dirs = strings.Split(value, ":")
	}
	binaries, files := map[string]bool{}, map[string]bool{}
	for i := range t.Binaries {
		binaries[t.Binaries[i].Path] = true
	}
	for i := range t.Files {
		files[path.Clean(t.Files[i].To)] = true
	}
	for _, dir := range dirs {
		name := path.Join(dir, program)
		if !path.IsAbs(name) {
			name = path.Join("/", t.Image.Workdir, name)
		}
		if binaries[name] || files["/"] || below(name, files) {
			return true
		}
	}
	return false
}

// below reports whether a path is one of dirs or below one.
func below(name string, dirs map[string]bool) bool {
	for name != "" {
		if dirs[name] {
			return true
		}
		name = name[:strings.LastIndexByte(name, '/')]
	}
	return false
}

func cmdRepeatsEntrypoint() Rule {
	return Rule{
		Name:    "CmdRepeatsEntrypoint",
		Summary: "The program gets its own path as its first argument",
		Why: `
The entrypoint is the program, the binary by default, and image.cmd holds the
arguments that it gets when docker run gives none. A Dockerfile without
ENTRYPOINT has the program in CMD; written like that into a spec, the program
runs with its own path as its first argument.
`,
		Bad: Example{Spec: `
image:
  cmd: [/app, -listen=:8080]
`},
		Good: Example{Spec: `
image:
  cmd: -listen=:8080
`},
		Check: checkCmdRepeatsEntrypoint,
	}
}

func checkCmdRepeatsEntrypoint(in *Input) (out []finding) {
	for u, t := range in.images() {
		im := t.Image
		if len(im.Entrypoint) != 1 || len(im.Cmd) == 0 || len(u.image.Cmd) == 0 {
			continue
		}
		if program := im.Entrypoint[0]; im.Cmd[0] == program && path.IsAbs(program) {
			msg := fmt.Sprintf("image.cmd: %s is the entrypoint already, and now its own first argument (leave it out)", program)
			out = append(out, finding{in.value(&u.image.Cmd[0]), msg})
		}
	}
	return out
}
