package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

var errDown = errors.New("not up; run: hack/builder up")

// printEnv prints the commands that make a POSIX shell use what is up.
func printEnv(w io.Writer, l layout) error {
	s, err := loadState(l)
	if err != nil {
		return err
	}
	if !allUp(l, s) {
		return errDown
	}
	_, err = io.WriteString(w, exports(l, s, os.LookupEnv))
	return err
}

func exports(l layout, s state, lookup func(string) (string, bool)) string {
	var b strings.Builder
	for _, name := range overriding() {
		if _, ok := lookup(name); ok {
			fmt.Fprintf(&b, "unset %s\n", name)
		}
	}
	fmt.Fprintf(&b, "export BUILDKIT_HOST=%s\n", quote(s.Host))
	fmt.Fprintf(&b, "export PATH=%s:\"$PATH\"\n", quote(filepath.Clean(l.bin(""))))
	fmt.Fprintf(&b, "export DOCKER_CONFIG=%s\n", quote(filepath.Clean(l.docker(""))))
	fmt.Fprintf(&b, "export BUILDX_BUILDER=%s\n", quote(builderName))
	fmt.Fprintf(&b, "export GOPHERFILE_REGISTRY=%s\n", quote(s.registry()))
	return b.String()
}

// quote makes s one word of a POSIX shell.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
