package frontend

import (
	"context"
	"fmt"

	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	digest "github.com/opencontainers/go-digest"
)

// commandError is what the executor and the solver say of a failed command.
func commandError(code uint32, args, dgst string) error {
	err := fmt.Errorf("process %q did not complete successfully: %w", args, &gatewaypb.ExitError{ExitCode: code})
	return errdefs.WrapVertex(err, digest.Digest(dgst))
}

// solveError says which step failed (frontend/gateway wrapSolveError).
func solveError(err error, op *pb.Op, description map[string]string) error {
	return errdefs.WithSolveError(errdefs.WithOp(err, op, description), nil, nil, nil)
}

// withLocation adds the places that the definition has for a vertex.
func withLocation(err error, def *pb.Definition, dgst string) error {
	for _, loc := range def.Source.Locations[dgst].GetLocations() {
		err = errdefs.WithSource(err, &errdefs.Source{Info: def.Source.Infos[loc.SourceIndex], Ranges: loc.Ranges})
	}
	return err
}

// travel is an error after its way over the gateway: the typed details arrive,
// the Go types do not.
func travel(err error) error {
	return grpcerrors.FromGRPC(grpcerrors.ToGRPC(context.Background(), err))
}
