package main

import (
	"fmt"
	"os"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// schemaCommand prints the JSON schema of the spec.
func schemaCommand(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("schema: expected no arguments, found %q", args[0])
	}
	_, err := os.Stdout.Write(spec.Schema())
	return err
}
