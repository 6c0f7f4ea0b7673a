// The command scanner is what BuildKit starts for an SBOM when the client names
// it: it writes a document with the name of what it looked at.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const statement = `{
  "_type": "https://in-toto.io/Statement/v0.1",
  "predicateType": "https://spdx.dev/Document",
  "predicate": {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "scanned %s"}
}
`

func main() {
	file := filepath.Join(os.Getenv("BUILDKIT_SCAN_DESTINATION"), "scan.spdx.json")
	text := fmt.Sprintf(statement, filepath.Base(os.Getenv("BUILDKIT_SCAN_SOURCE")))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
