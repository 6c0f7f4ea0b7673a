package spec

import _ "embed"

//go:embed schema.json
var schema string

// Schema returns the JSON Schema of a spec, for editors: the keys with their
// doc comments, and what their values look like. It rejects nothing that is a
// spec, and only some of what is none: it sees neither variables nor files.
func Schema() []byte { return []byte(schema) }
