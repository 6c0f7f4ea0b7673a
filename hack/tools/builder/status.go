package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
)

// printStatus tells of every service whether it runs. It fails if one that
// should does not.
func printStatus(ctx context.Context, w io.Writer, l layout) error {
	s, err := loadState(l)
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, service := range services(l, s) {
		if service.name == "buildkitd" && s.foreign(l) {
			fmt.Fprintf(tw, "buildkitd\tnot ours\t%s\n", s.Host)
			continue
		}
		pid, _ := service.running(l)
		if pid == 0 {
			fmt.Fprintf(tw, "%s\tdown\n", service.name)
			continue
		}
		fmt.Fprintf(tw, "%s\tup, pid %d\t%s\n", service.name, pid, describe(l, s, service.name))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if !allUp(l, s) {
		return errDown
	}
	if err := answers(ctx, l, s.Host); err != nil {
		return fmt.Errorf("BuildKit does not answer: %w", err)
	}
	return nil
}

func describe(l layout, s state, service string) string {
	switch service {
	case "buildkitd":
		return s.Host
	case "hub":
		images := "golang and docker/dockerfile come from docker.io"
		if s.Assemble {
			images = "golang and docker/dockerfile are assembled here"
		}
		return s.registry() + "; " + images
	}
	return "behind the hub; stores in " + l.data("registry")
}

// foreign tells whether the BuildKit in use was not started by up.
func (s state) foreign(l layout) bool { return s.Host != "" && s.Host != l.buildkitHost() }

// allUp tells whether every service that up starts is there.
func allUp(l layout, s state) bool {
	if s.Host == "" {
		return false
	}
	for _, service := range services(l, s) {
		if service.name == "buildkitd" && s.foreign(l) {
			continue
		}
		if pid, _ := service.running(l); pid == 0 {
			return false
		}
	}
	return true
}
