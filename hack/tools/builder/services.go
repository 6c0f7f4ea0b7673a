package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// services are in the order in which they start; they end in the reverse one.
func services(l layout, s state) []service {
	return []service{registryService(l), hubService(l, s), buildkitdService(l, s)}
}

// registryService is where images are stored. It listens on a socket only: the
// hub is its one client.
func registryService(l layout) service {
	socket, config := l.run("registry.sock"), l.run("registry.yaml")
	return service{
		name:       "registry",
		exe:        l.bin("registry"),
		args:       []string{"serve", config},
		env:        []string{"OTEL_TRACES_EXPORTER=none"},
		configPath: config,
		config: fmt.Sprintf(`version: 0.1
log:
  level: error
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: %q
  cache:
    blobdescriptor: inmemory
  delete:
    enabled: true
http:
  net: unix
  addr: %q
  relativeurls: true
`, l.data("registry"), socket),
		socket: socket,
		ready: func(ctx context.Context) error {
			dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			}
			return get(ctx, &http.Transport{DialContext: dial, DisableKeepAlives: true}, "http://registry/v2/")
		},
	}
}

// hubService is what BuildKit takes for docker.io.
func hubService(l layout, s state) service {
	return service{
		name: "hub",
		exe:  l.libexec("hub"),
		args: []string{
			"-listen", s.registry(),
			"-registry", l.run("registry.sock"),
			"-frontend", l.libexec("dockerfile-frontend"),
			"-tmp", l.data("tmp"),
			"-assemble=" + strconv.FormatBool(s.Assemble),
		},
		ready: func(ctx context.Context) error {
			return get(ctx, &http.Transport{DisableKeepAlives: true}, "http://"+s.registry()+"/healthz")
		},
	}
}

// buildkitdService shares nothing with another BuildKit of the machine: not
// the state, not the sockets. Build steps use the machine's network, which
// needs no bridge and no iptables.
func buildkitdService(l layout, s state) service {
	config := l.run("buildkitd.toml")
	return service{
		name:       "buildkitd",
		exe:        l.bin("buildkitd"),
		args:       []string{"--config", config},
		configPath: config,
		config: fmt.Sprintf(`root = %q
insecure-entitlements = ["network.host"]

[grpc]
  address = [%q]

[otel]
  socketPath = %q

[cdi]
  disabled = true

[worker.containerd]
  enabled = false

[worker.oci]
  enabled = true
  networkMode = "host"
  snapshotter = "auto"
  binary = %q
  gc = true

  [[worker.oci.gcpolicy]]
    all = true
    reservedSpace = "8GB"
    maxUsedSpace = "40GB"
    minFreeSpace = "15GB"

[registry."docker.io"]
  mirrors = [%q]

[registry.%q]
  http = true
`, l.data("buildkitd"), l.buildkitHost(), l.run("otel.sock"), findProgram("runc"), s.registry(), s.registry()),
		socket: l.run("buildkitd.sock"),
		ready:  func(ctx context.Context) error { return answers(ctx, l, l.buildkitHost()) },
	}
}

// answers asks the BuildKit at the address host whether it is there.
func answers(ctx context.Context, l layout, host string) error {
	if path, ok := strings.CutPrefix(host, "unix://"); ok {
		conn, err := net.Dial("unix", path) // cheaper to try than the program below
		if err != nil {
			return err
		}
		conn.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.bin("buildctl"), "--addr", host, "debug", "workers")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func get(ctx context.Context, rt http.RoundTripper, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: rt}).Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(url + ": " + resp.Status)
	}
	return nil
}
