// The command docgen writes docs/spec.md from the doc comments of the spec's
// structs: go generate ./frontend/spec.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: docgen SPEC.go OUT.md")
		os.Exit(2)
	}
	page, err := reference(os.Args[1])
	if err == nil {
		err = os.WriteFile(os.Args[2], page, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

const head = `# The spec

A Gopherfile is YAML. All keys are optional; the file may be the syntax line alone. Unknown keys, duplicate keys and
wrong types are errors, and all errors of a file are reported at once. A list may be written as a single value. Text
keeps its spelling: 1.20 is not 1.2.

${NAME} in a value is replaced: a declared argument, BUILDPLATFORM, REVISION or SOURCE; under build and image also
TARGETPLATFORM, TARGETOS, TARGETARCH and TARGETVARIANT. ${NAME:-default} is the default where NAME is empty; $$ is a
dollar. A variable inside a flag never becomes two flags; a variable that is the whole item of ldflags or gcflags stands
for flags.
`

// reference returns the page for the structs of a Go file.
func reference(file string) ([]byte, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	structs := map[string]*ast.StructType{}
	ast.Inspect(f, func(n ast.Node) bool {
		if t, ok := n.(*ast.TypeSpec); ok {
			if st, ok := t.Type.(*ast.StructType); ok {
				structs[t.Name.Name] = st
			}
		}
		return true
	})
	if structs["Spec"] == nil {
		return nil, fmt.Errorf("%s has no struct Spec", file)
	}
	var b bytes.Buffer
	b.WriteString("<!-- Generated from frontend/spec/spec.go by go generate. -->\n\n" + head)
	b.WriteString("\n| key | value | meaning |\n|---|---|---|\n")
	rows(&b, structs, "Spec", "")
	return b.Bytes(), nil
}

// rows writes a row for every key of a struct, and of the structs below it.
func rows(b *bytes.Buffer, structs map[string]*ast.StructType, name, parent string) {
	for _, field := range structs[name].Fields.List {
		if field.Tag == nil || field.Doc == nil {
			continue
		}
		key := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("yaml")
		key = parent + key
		text := strings.Join(strings.Fields(field.Doc.Text()), " ")
		kind := field.Type
		if id, ok := kind.(*ast.Ident); ok && structs[id.Name] != nil {
			rows(b, structs, id.Name, key+".")
			continue
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", key, value(kind), strings.ReplaceAll(text, "|", `\|`))
	}
}

// value names the kind of value that a field takes.
func value(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return "true or false"
	case *ast.ArrayType:
		if id, ok := t.Elt.(*ast.Ident); ok && id.Name != "string" {
			return "names with values"
		}
		return "list"
	}
	return "text"
}
