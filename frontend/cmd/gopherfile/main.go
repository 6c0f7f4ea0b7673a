// The command gopherfile is the frontend: without arguments it serves one
// build request to BuildKit's gateway. With arguments it is a tool for those
// who write a spec.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"

	// The gateway speaks the messages of this codec.
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto"

	"github.com/gopherfile/gopherfile/frontend"
	"github.com/gopherfile/gopherfile/frontend/scan"
)

const usage = `usage: gopherfile COMMAND

  init      write Gopherfile.yaml for a Go module (gopherfile init -h)
  schema    print the JSON schema of Gopherfile.yaml
  verify    print what finished binaries are (gopherfile verify -h)
  version   print the version
  help      print this

Without a command gopherfile is the frontend, which BuildKit runs by itself.
`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gopherfile:", err)
		switch {
		case errors.Is(err, errVulnerable):
			os.Exit(3)
		case errors.Is(err, scan.ErrChanged):
			os.Exit(scan.ExitChanged)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		// The gateway sets it, even to nothing. Without the gateway, a call to
		// it would wait for an answer on standard input.
		if _, ok := os.LookupEnv("BUILDKIT_SESSION_ID"); !ok {
			return errors.New("this is a BuildKit frontend, which BuildKit runs by itself: write\n" +
				"\t# syntax=gopherfile/gopherfile:1\n" +
				"into the first line of Gopherfile.yaml (gopherfile init does so), then run docker buildx build -f Gopherfile.yaml with the context")
		}
		return grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build)
	}
	switch args[0] {
	case "init":
		return initCommand(args[1:])
	case "schema":
		return schemaCommand(args[1:])
	case "help", "-h", "-help", "--help":
		fmt.Print(usage)
		return nil
	case "checksums":
		return checksumsCommand(args[1:])
	case "diagnose":
		return diagnoseCommand(args[1:])
	case "rootfs":
		return rootfsCommand(args[1:])
	case "sbom":
		return sbomCommand(args[1:])
	case "scan":
		return scanCommand(args[1:])
	case "size":
		return sizeCommand(args[1:])
	case "vuln":
		return vulnCommand(args[1:])
	case "verify":
		return verifyCommand(args[1:], os.Stdout)
	case "version":
		fmt.Println("gopherfile", version())
		return nil
	}
	return fmt.Errorf("unknown command %q: expected init, schema, verify, version or help; BuildKit calls gopherfile without arguments", args[0])
}
