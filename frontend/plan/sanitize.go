package plan

import "github.com/gopherfile/gopherfile/frontend/goflags"

// sanitizers are the flags of the go command that instrument what is compiled.
// Each is a build tag as well.
func sanitizers() []string { return []string{"race", "msan", "asan"} }

// sanitizer returns the flag of the go command among words that needs cgo, ""
// for none. The race detector needs none on macOS.
func sanitizer(words []string, goos string) string {
	for _, name := range sanitizers() {
		if goflags.On(words, name) && (name != "race" || goos != "darwin") {
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
