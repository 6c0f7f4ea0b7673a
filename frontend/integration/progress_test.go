package integration

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
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

// cmdStopat stops a build as soon as a step begins: stopat NAME COMMAND, which is for
// a shell. The name is as that of ran. It fails when the step does not begin.
func cmdStopat(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("sh", "-c", args[1])
	cmd.Dir, cmd.Env = ts.Getenv("WORK"), append(os.Environ(), "BUILDKIT_HOST="+ts.Getenv("BUILDKIT_HOST"))
	progress, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	begins := regexp.MustCompile(`^#\d+ \[(?:[a-z0-9]+(?:/[a-z0-9]+)+ )?` + regexp.QuoteMeta(args[0]) + `\] (?:go |download what)`)
	var seen strings.Builder
	lines, found := bufio.NewScanner(progress), false
	for lines.Scan() {
		fmt.Fprintln(&seen, lines.Text())
		if !found && begins.MatchString(lines.Text()) {
			found = true
			ts.Check(cmd.Process.Signal(os.Interrupt))
		}
	}
	if err := cmd.Wait(); !found || err == nil {
		ts.Fatalf("%s began: %v, the build ended with %v\n%s", args[0], found, err, &seen)
	}
}
