package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// builderName is what buildx calls the BuildKit in use.
const builderName = "gopherfile"

// setUpDocker makes the folder that DOCKER_CONFIG is to name: buildx as plugin
// of the docker command, and a builder that is the BuildKit at host.
func setUpDocker(ctx context.Context, l layout, host string) error {
	plugin := l.docker("cli-plugins/docker-buildx")
	if err := symlink("../../bin/buildx", plugin); err != nil {
		return err
	}
	config := l.docker("config.json")
	if _, err := os.Stat(config); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(config, []byte("{}\n"), 0o644); err != nil {
			return err
		}
	}
	if builderEndpoint(l) == host {
		return nil
	}
	if err := os.RemoveAll(l.docker("buildx/instances/" + builderName)); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, l.bin("buildx"), "create", "--name", builderName, "--driver", "remote", "--use", host)
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !slices.Contains(overriding(), name) {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "DOCKER_CONFIG="+l.docker(""))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("buildx create: %w\n%s", err, out)
	}
	return nil
}

// overriding are the variables of the environment that would lead docker or
// buildx to something else than what DOCKER_CONFIG and BUILDX_BUILDER name.
func overriding() []string { return []string{"BUILDX_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST"} }

// builderEndpoint returns the address of the builder that is set up, "" if
// none is.
func builderEndpoint(l layout) string {
	data, err := os.ReadFile(l.docker("buildx/instances/" + builderName))
	if err != nil {
		return ""
	}
	var instance struct {
		Nodes []struct{ Endpoint string }
	}
	if json.Unmarshal(data, &instance) != nil || len(instance.Nodes) != 1 {
		return ""
	}
	return instance.Nodes[0].Endpoint
}

func symlink(target, path string) error {
	if was, err := os.Readlink(path); err == nil && was == target {
		return nil
	}
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	return os.Symlink(target, path)
}
