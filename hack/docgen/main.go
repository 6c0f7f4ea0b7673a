// The command docgen writes docs/spec.md and the JSON Schema from the structs of
// the spec, their doc comments and their tags: go generate ./frontend/spec.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: docgen SPEC.go OUT.md OUT.json")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(spec, page, schema string) error {
	g, err := readGrammar(spec)
	if err != nil {
		return err
	}
	dt, err := g.schema()
	if err != nil {
		return err
	}
	if err := os.WriteFile(page, g.reference(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(schema, dt, 0o644)
}
