package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/plan"
)

func proxyInBuildEnv() Rule {
	return Rule{
		Name:    "ProxyInBuildEnv",
		Summary: "A proxy in build.env is seen by no step with a network",
		Why: `
The compile has build.env, and no network. The module download has a network,
and of build.env the variables about modules only: GOPROXY, GOPRIVATE, GOSUMDB
and so on, and GOFLAGS. So a proxy in build.env does nothing but run the compile
again when it changes.

It is a build argument, as for Dockerfiles: --build-arg HTTPS_PROXY=…, or the
proxies of the client's config.json. Then it is no part of any cache key either.
`,
		Bad: Example{Spec: `
build:
  env:
    HTTPS_PROXY: http://proxy.example.com:3128
`},
		Good: Example{Options: "--build-arg HTTPS_PROXY=http://proxy.example.com:3128", Spec: `
main: .
`},
		Check: checkProxyInBuildEnv,
	}
}

func checkProxyInBuildEnv(in *Input) (out []finding) {
	for _, u := range in.units() {
		for i := range u.build.Env {
			if e := &u.build.Env[i]; isProxy(e.Name) {
				msg := fmt.Sprintf("build.env: no step with a network sees %s (give --build-arg %s=… instead)", e.Name, e.Name)
				out = append(out, finding{in.value(&e.Name), msg})
			}
		}
	}
	return out
}

// isProxy reports whether BuildKit knows a build argument of that name as a
// proxy setting, in either case.
func isProxy(name string) bool {
	return slices.Contains([]string{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"}, strings.ToUpper(name))
}

func sumdbOff() Rule {
	return Rule{
		Name:    "SumdbOff",
		Summary: "No module is looked up in the checksum database",
		Why: `
The checksum database says whether a module that go.sum does not know yet is the
one that everybody else gets. GOSUMDB=off, and * in GONOSUMDB, GOPRIVATE or
modules.private, turn that off for every module, the public ones too. What go.sum
knows is still checked against go.sum.

modules.private takes patterns: only your own modules need to be in it.
`,
		Bad: Example{Spec: `
modules:
  private: "*"
`, Tree: requiring},
		Good: Example{Spec: `
modules:
  private: git.example.com/team
`, Tree: requiring},
		Check: checkSumdbOff,
	}
}

// requiring is a module that needs a download.
const requiring = `
-- go.mod --
module example.com/app

go 1.26.0

require example.com/dep v1.0.0
-- main.go --
package main

import _ "example.com/dep"

func main() {}
`

func checkSumdbOff(in *Input) (out []finding) {
	var d *plan.Download
	for _, t := range in.Plan.Targets {
		for _, b := range t.Binaries {
			d = cmp.Or(d, b.Fetch())
		}
	}
	if d == nil {
		return nil // nothing is verified
	}
	env := in.Spec.Build.Env
	if e := pair(env, "GOSUMDB"); e != nil {
		if value := goflags.Getenv(d.Env, "GOSUMDB"); value == "off" {
			out = append(out, finding{in.value(&e.Value), "build.env: GOSUMDB=off leaves modules that go.sum does not know unverified (name your own under modules.private)"})
		}
	}
	everything := func(field *string, key string) {
		for from, item := range items(*field, ",") {
			if strings.TrimSpace(item) == "*" {
				msg := key + ": * turns the checksum database off for all modules (name your own, such as git.example.com/team)"
				at := from + strings.Index(item, "*")
				out = append(out, finding{in.inside(field, at, 1), msg})
			}
		}
	}
	if e := pair(env, "GONOSUMDB"); e != nil {
		everything(&e.Value, "build.env: GONOSUMDB")
		return out // what is private does not decide then
	}
	if e := pair(env, "GOPRIVATE"); e != nil {
		everything(&e.Value, "build.env: GOPRIVATE")
	}
	for i := range in.Spec.Modules.Private {
		everything(&in.Spec.Modules.Private[i], "modules.private")
	}
	return out
}

func goflagsHidesFlag() Rule {
	return Rule{
		Name:    "GoflagsHidesFlag",
		Summary: "GOFLAGS holds a flag that has a key of its own",
		Why: `
Gopherfile writes the flags of go build itself, and what stands on the command
line wins over GOFLAGS: -ldflags in GOFLAGS has no effect, since the command line
has -ldflags=-s -w. What it does not write works, and is hidden: tags in GOFLAGS
are not considered when the main package is looked for, and the path of a
profile begins at the module instead of the context.

Each of these flags is a key under build. GOFLAGS is for the others, such as
-mod=readonly.
`,
		Bad: Example{Spec: `
build:
  env:
    GOFLAGS: -ldflags=-X=main.version=1.0
`},
		Good: Example{Spec: `
build:
  ldflags: -X main.version=1.0
`},
		Check: checkGoflagsHidesFlag,
	}
}

// flagKeys are the flags of go build that have a key.
func flagKeys() map[string]string {
	return map[string]string{
		"tags": "build.tags", "ldflags": "build.ldflags", "gcflags": "build.gcflags", "asmflags": "build.asmflags",
		"buildmode": "build.buildmode", "pgo": "build.pgo", "trimpath": "build.trimpath", "buildvcs": "build.stamp",
	}
}

func checkGoflagsHidesFlag(in *Input) (out []finding) {
	for _, u := range in.units() {
		e := pair(u.build.Env, "GOFLAGS")
		if e == nil || len(u.targets) == 0 {
			continue
		}
		words, _ := goflags.Split(e.Value) // of a quote that is never closed the build fails
		end := 0
		for _, word := range words {
			from := end + strings.Index(e.Value[end:], word)
			end = from + len(word)
			name, _, _ := goflags.Cut(word)
			key := flagKeys()[name]
			if key == "" {
				continue
			}
			msg := fmt.Sprintf("build.env: Gopherfile does not see -%s in GOFLAGS (write %s)", name, key)
			if overrides(u.targets[0].Binaries[0].Flags, name) {
				msg = fmt.Sprintf("build.env: -%s in GOFLAGS has no effect, since go build gets one of its own (write %s)", name, key)
			}
			out = append(out, finding{in.inside(&e.Value, from, strings.Index(word, name)+len(name)), msg})
		}
	}
	return out
}

// overrides reports whether the flags of go build make that of GOFLAGS
// ineffective. Those for patterns of packages may let some of it through.
func overrides(flags []string, name string) bool {
	return name != "gcflags" && name != "asmflags" && slices.ContainsFunc(flags, func(f string) bool {
		return f == "-"+name || strings.HasPrefix(f, "-"+name+"=")
	})
}
