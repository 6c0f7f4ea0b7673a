package main

import (
	"fmt"
	"go/version"
	"regexp"
	"strings"
)

// releaseTag matches what is before the first hyphen of a golang tag that
// names a release, or the newest one of a line: 1.26.1, 1.27rc1, 1.26, 1.
var releaseTag = regexp.MustCompile(`^1(\.\d+(\.\d+|(rc|beta)\d+)?)?$`)

// systemTag matches what is there in one that names none, only a system.
var systemTag = regexp.MustCompile(`^(latest|alpine[\d.]*|bullseye|bookworm|trixie|forky)$`)

// wish is what a golang tag asks for.
type wish struct {
	// release is one in full, as in 1.26.1, or a line, as in 1.26. It is empty
	// for a tag that leaves the choice.
	release string
	// tools are wanted besides Go. The images on Alpine Linux have no git.
	tools bool
}

// parseTag tells what a tag asks for. A system that it does not know is taken
// for a Debian.
func parseTag(tag string) (wish, bool) {
	release, system, _ := strings.Cut(tag, "-")
	switch {
	case systemTag.MatchString(release):
		release, system = "", release
	case release == "1":
		release = ""
	case !releaseTag.MatchString(release):
		return wish{}, false
	}
	return wish{release: release, tools: !strings.HasPrefix(system, "alpine")}, true
}

// isLine tells whether a release from parseTag stands for the newest of its
// line.
func isLine(release string) bool { return version.Lang("go"+release) == "go"+release }

// chooseLocal tells whether the local toolchain is what is asked for.
func chooseLocal(release, local string) bool {
	return release == "" || release == local ||
		isLine(release) && version.Lang("go"+local) == "go"+release
}

// choose returns the release, among those known, that is asked for.
func choose(release string, known []string) (string, error) {
	best := ""
	for _, k := range known {
		switch {
		case !isLine(release):
			if k == release {
				return k, nil
			}
		case version.Lang("go"+k) == "go"+release && isStable(k) && version.Compare("go"+k, "go"+best) > 0:
			best = k
		}
	}
	if best == "" {
		return "", fmt.Errorf("%w: Go has no release %s", errNotFound, release)
	}
	return best, nil
}

func isStable(release string) bool {
	return !strings.Contains(release, "rc") && !strings.Contains(release, "beta")
}
