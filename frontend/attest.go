package frontend

import (
	"encoding/csv"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/gateway/client"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/result"

	"github.com/gopherfile/gopherfile/frontend/sbom"
)

// ownSBOM reports whether the client asks for what the result is made of, and
// leaves it to us who says it. The daemon fills in a scanner where the client
// names none, and starts it unless the result has a document already.
func (b *build) ownSBOM() bool {
	if b.ui.SBOM == nil {
		return false
	}
	opts := b.ui.BuildOpts().Opts
	for _, key := range []string{"attest:sbom", "build-arg:BUILDKIT_ATTEST_SBOM"} {
		fields, err := csv.NewReader(strings.NewReader(opts[key])).Read()
		// error ignored: dockerui has read the same text
		if err == nil && slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(f, "generator=") }) {
			return false
		}
	}
	return true
}

// attest adds what every result is made of, in the order of the targets. An
// attestation for some of them would leave the others without any.
func (b *build) attest(res *client.Result, sboms []client.Reference) {
	for i, ref := range sboms {
		if ref == nil {
			continue
		}
		res.AddAttestation(platforms.FormatAll(platforms.Normalize(b.plan.Targets[i].Platform)), client.Attestation{
			Kind:     gatewaypb.AttestationKind_InToto,
			Ref:      ref,
			Path:     "/" + sbom.FileName,
			InToto:   result.InTotoAttestation{PredicateType: sbom.PredicateType},
			Metadata: map[string][]byte{result.AttestationReasonKey: []byte(result.AttestationReasonSBOM)},
		})
	}
}
