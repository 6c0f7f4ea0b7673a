// The command gopherfile is the frontend: without arguments it serves one
// build request to BuildKit's gateway.
package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"

	// The gateway speaks the messages of this codec.
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto"

	"github.com/gopherfile/gopherfile/frontend"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gopherfile:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build)
	}
	switch args[0] {
	case "rootfs":
		return rootfsCommand(args[1:])
	case "version":
		fmt.Println("gopherfile", version())
		return nil
	}
	return fmt.Errorf("unknown command %q: expected version; BuildKit calls gopherfile without arguments", args[0])
}
