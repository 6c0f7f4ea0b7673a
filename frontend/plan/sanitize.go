package plan

import (
	"slices"
	"strconv"
	"strings"
)

// sanitizer returns the flag of the go command among words that needs cgo, ""
// for none. The race detector needs none on macOS.
func sanitizer(words []string, goos string) string {
	for _, w := range words {
		flag, value, given := strings.Cut(w, "=")
		name := strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-")
		if name == flag || !slices.Contains([]string{"race", "msan", "asan"}, name) || name == "race" && goos == "darwin" {
			continue
		}
		if on, err := strconv.ParseBool(value); !given || err == nil && on {
			return "-" + name
		}
	}
	return ""
}

// testArgs are the arguments of go test. It refuses those that need cgo; what
// follows -args is for the tests themselves.
func (sc *scope) testArgs() []string {
	given := sc.texts(sc.spec.Test)
	for i, word := range given {
		if word == "-args" || word == "--args" {
			break
		}
		if flag := sanitizer([]string{word}, sc.port.OS); flag != "" {
			sc.fail(sc.spec.Errorf(&sc.spec.Test[i], "test: %s needs cgo, and tests are built without cgo", flag).
				WithHelp("leave it out; go test %s runs where there is a C compiler", flag))
		}
	}
	return given
}

// checkGoflags refuses flags in GOFLAGS that need cgo.
func (sc *scope) checkGoflags(words []string) {
	flag := sanitizer(words, sc.port.OS)
	if flag == "" {
		return
	}
	for i := range sc.build.Env {
		if e := &sc.build.Env[i]; e.Name == "GOFLAGS" {
			sc.fail(sc.spec.ErrorIn(&e.Value, flag, "build.env: GOFLAGS holds %s, which needs cgo, and binaries are built without cgo", flag).
				WithHelp("leave it out"))
		}
	}
}
