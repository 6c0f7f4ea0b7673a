// Package buildkitd has what the programs and tests of this repository share that
// start a BuildKit daemon of their own.
package buildkitd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Config is a daemon with an OCI worker on the network of the machine, and with
// no other.
type Config struct {
	// Root is the folder of its data.
	Root string
	// Run is the folder of its sockets. The path of a socket is short, that of a
	// checkout may be long.
	Run string
	// Registry is where images of docker.io come from: a host and a port.
	Registry string
	// Worker are more settings of the worker, a line each, such as
	// snapshotter = "native".
	Worker []string
}

// Address is where clients find the daemon.
func (c Config) Address() string { return "unix://" + filepath.Join(c.Run, "buildkitd.sock") }

// Write writes the configuration to a file, in the form of buildkitd.toml
// (docs/buildkitd.toml.md of BuildKit).
func (c Config) Write(file string) error {
	text := fmt.Sprintf(`root = %q

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
  gc = false
%s
[registry."docker.io"]
  mirrors = [%q]

[registry.%q]
  http = true
`, c.Root, c.Address(), filepath.Join(c.Run, "otel.sock"), strings.Join(append(c.Worker, ""), "\n"), c.Registry, c.Registry)
	return os.WriteFile(file, []byte(text), 0o600)
}
