package plan

import (
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// moduleVariables are the variables of the go command that only the download reads.
func moduleVariables() []string {
	return []string{"GOAUTH", "GOINSECURE", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOPROXY", "GOSUMDB", "GOVCS"}
}

// ownedVariables are the variables that Gopherfile sets itself, with the reason.
func ownedVariables() map[string]string {
	m := map[string]string{
		"CGO_ENABLED": "binaries are built without cgo",
		"GOROOT":      "it comes from the builder image", "GOTOOLCHAIN": "choose the release with go:",
		"GOTELEMETRY": "the builder has none", "GOENV": "write its variables under build.env",
		"PATH": "it comes from the builder image",
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOBIN", "GOTMPDIR", "TMPDIR", "GOCACHEPROG", "HOME"} {
		m[name] = "Gopherfile decides where files are"
	}
	for _, name := range []string{"GOOS", "GOARCH", "GOARM", "GOARM64", "GOAMD64", "GO386", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64"} {
		m[name] = "it comes from the platform, such as linux/arm/v7 or linux/amd64/v3"
	}
	return m
}

// workVariable says which go.work the go command obeys.
const workVariable = "GOWORK"

// NoWork reports whether a spec makes the go command ignore every go.work. It
// does so for all steps, since they are all of the same modules.
func NoWork(s *spec.Spec) bool {
	return slices.Contains(s.Build.Env, spec.Pair{Name: workVariable, Value: "off"})
}

// moduleEnv is the part of build.env that decides the download.
func (r *resolver) moduleEnv() []string {
	return r.env(&r.spec.Build, nil, func(name string) bool {
		return slices.Contains(moduleVariables(), name) || name == "GOFLAGS" || name == workVariable
	})
}

// compileEnv is the part of build.env that decides the binary.
func (sc *scope) compileEnv() []string {
	if sc.field != nil {
		for i := range sc.field.Build.Env {
			if e := &sc.field.Build.Env[i]; slices.Contains(moduleVariables(), e.Name) {
				sc.fail(sc.spec.Errorf(&e.Name, "build.env: %s is for the download, which all binaries share", e.Name).WithHelp("write it under the build of the spec"))
			}
			if e := &sc.field.Build.Env[i]; e.Name == workVariable {
				sc.fail(sc.spec.Errorf(&e.Name, "build.env: %s is for all binaries", e.Name).WithHelp("write it under the build of the spec"))
			}
		}
	}
	env := sc.env(sc.build, sc.vars, func(name string) bool { return !slices.Contains(moduleVariables(), name) })
	sc.checkGoflags(goflags.Env(env))
	return env
}

// env returns the entries of build.env whose names are wanted.
func (r *resolver) env(b *spec.Build, vars map[string]string, want func(string) bool) []string {
	if len(b.Env) == 0 {
		return nil
	}
	var env []string
	ours := ownedVariables()
	for i := range b.Env {
		e := &b.Env[i]
		reason, owned := ours[e.Name]
		switch {
		case owned:
			r.fail(r.spec.Errorf(&e.Name, "build.env: %s cannot be set", e.Name).WithHelp("%s", reason))
		case !isName(e.Name):
			r.fail(r.spec.Errorf(&e.Name, "build.env: %q is not a name", e.Name).WithHelp("expected letters, digits and _"))
		case e.Name == workVariable && e.Value != "off":
			r.fail(r.spec.Errorf(&e.Value, "build.env: GOWORK cannot be %q", e.Value).WithHelp("the go command finds go.work by itself; off ignores it"))
		case want(e.Name):
			variable := r.variable(e, vars)
			r.checkSecret(e, strings.TrimPrefix(variable, e.Name+"="))
			env = append(env, variable)
		}
	}
	return env
}

// variable is an entry of an environment as NAME=value.
func (r *resolver) variable(e *spec.Pair, vars map[string]string) string {
	value := r.expandText(&e.Value, e.Value, vars)
	r.spend(&e.Name, len(e.Name))
	return e.Name + "=" + value
}
