package integration

import (
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdRan fails unless the steps that ran a go command in the last build are
// exactly those: ran [NAME…]. The name is that in the brackets of the plain
// progress, without a platform.
func cmdRan(ts *testscript.TestScript, _ bool, args []string) {
	slices.Sort(args)
	if diff := cmp.Diff(args, ran(ts.ReadFile("stderr"))); diff != "" {
		ts.Fatalf("steps that ran: -want +got:\n%s", diff)
	}
}

var (
	vertex   = regexp.MustCompile(`^(#\d+) \[(?:[a-z0-9]+(?:/[a-z0-9]+)+ )?([^]]+)\] (?:go build|download what|go mod download)`)
	finished = regexp.MustCompile(`^(#\d+) (?:DONE|CANCELED|ERROR)`)
	// A result that an imported cache has is pulled, and then done as well.
	present = regexp.MustCompile(`^(#\d+) (?:CACHED|sha256:|extracting sha256:)`)
)

// ran lists the steps of a plain progress that ran a go command.
func ran(progress string) []string {
	names, done := map[string]string{}, []string{}
	for line := range strings.Lines(progress) {
		if m := vertex.FindStringSubmatch(line); m != nil {
			names[m[1]] = m[2]
		} else if m := present.FindStringSubmatch(line); m != nil {
			delete(names, m[1])
		} else if m := finished.FindStringSubmatch(line); m != nil && names[m[1]] != "" {
			done = append(done, names[m[1]])
		}
	}
	slices.Sort(done)
	return slices.Compact(done)
}
