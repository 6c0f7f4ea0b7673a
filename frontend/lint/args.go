package lint

import (
	"fmt"
	"reflect"
	"regexp"
)

func secretInArg() Rule {
	return Rule{
		Name:    "SecretInArg",
		Summary: "The value of an argument or a variable that is named like a secret is kept",
		Why: `
BuildKit keeps the build arguments and the steps of a build: in its history, and
in the full provenance (mode=max) that is pushed with an image. What image.env
holds is in the image, where everybody who has it can read it. None of that is a
place for a password.

The rule goes by the name, with the words that BuildKit's rule
SecretsUsedInArgOrEnv has for Dockerfiles: apikey, auth, credential, key,
password, secret, token and so on, and not where public, file or version is
part of the name.

Give a secret to the program when it runs. The module download, the one step
with a use for secrets, takes them from modules.netrc and modules.ssh.
`,
		Bad: Example{Spec: `
args:
  API_TOKEN: ""
build:
  ldflags: -X main.token=${API_TOKEN}
`},
		Good: Example{Spec: `
image:
  env:
    API_TOKEN_FILE: /run/secrets/api_token
`},
		Check: checkSecretInArg,
	}
}

// secretPattern and harmlessPattern are those of BuildKit's rule
// SecretsUsedInArgOrEnv (frontend/dockerfile/dockerfile2llb getSecretsRegex).
var (
	secretPattern   = regexp.MustCompile(`(?i)(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)`)
	harmlessPattern = regexp.MustCompile(`(?i)(?:_|^)(?:public|file|version)(?:_|$)`)
)

func isSecret(name string) bool {
	return secretPattern.MatchString(name) && !harmlessPattern.MatchString(name)
}

func checkSecretInArg(in *Input) (out []finding) {
	add := func(field *string, key, where string) {
		if isSecret(*field) {
			msg := fmt.Sprintf("%s: %s is a secret by its name, and %s", key, *field, where)
			out = append(out, finding{in.value(field), msg})
		}
	}
	for i := range in.Spec.Args {
		add(&in.Spec.Args[i].Name, "args", "BuildKit keeps it in the history and the provenance of the build")
	}
	for _, u := range in.units() {
		for i := range u.build.Env {
			if e := &u.build.Env[i]; e.Value != "" {
				add(&e.Name, "build.env", "BuildKit keeps it in the provenance of the build")
			}
		}
		for i := range u.image.Env {
			if e := &u.image.Env[i]; e.Value != "" {
				add(&e.Name, "image.env", "everybody who has the image can read it")
			}
		}
	}
	return out
}

func unusedArg() Rule {
	return Rule{
		Name:    "UnusedArg",
		Summary: "No value uses a declared argument",
		Why: `
An argument does something where a value holds ${NAME}. Without that, a
--build-arg of the name changes nothing, and nothing says so: the argument was
renamed in one place only, or what it was for is gone.
`,
		Bad: Example{Spec: `
args:
  VERSION: dev
build:
  ldflags: -X main.version=1.2.0
`},
		Good: Example{Spec: `
args:
  VERSION: dev
build:
  ldflags: -X main.version=${VERSION}
`},
		Check: checkUnusedArg,
	}
}

func checkUnusedArg(in *Input) (out []finding) {
	used := map[string]bool{}
	texts(reflect.ValueOf(in.Spec).Elem(), func(_ any, text string) {
		for _, r := range append(refs(text), bareRefs(text)...) { // VariableWithoutBraces tells of the others
			used[r.name] = true
		}
	})
	for i := range in.Spec.Args {
		if a := &in.Spec.Args[i]; !used[a.Name] {
			msg := fmt.Sprintf("args: no value uses ${%s} (leave the argument out)", a.Name)
			out = append(out, finding{in.value(&a.Name), msg})
		}
	}
	return out
}
