package spec

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
	"golang.org/x/tools/txtar"
)

// TestSchema holds the schema against every spec of the archives: it accepts
// the good ones, and of the bad ones it rejects those whose errors it can see.
func TestSchema(t *testing.T) {
	schema := compile(t, "")
	for _, glob := range []string{"testdata/ok/*", "testdata/err/*", "../plan/testdata/*"} {
		files, err := filepath.Glob(glob + ".txtar")
		if err != nil || len(files) == 0 {
			t.Fatalf("no archives: %v", err)
		}
		for _, file := range files {
			t.Run(strings.TrimSuffix(file, ".txtar"), func(t *testing.T) {
				checkArchive(t, schema, file)
			})
		}
	}
}

// compile returns the schema at a JSON pointer, which is checked to be one.
func compile(t *testing.T, pointer string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json#" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaExamples holds the schema against its own examples and defaults,
// and against the examples of this repository.
func TestSchemaExamples(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	var walk func(pointer string, v any)
	walk = func(pointer string, v any) {
		object, _ := v.(map[string]any)
		examples, _ := object["examples"].([]any)
		if d, ok := object["default"]; ok {
			examples = append(examples, d)
		}
		if len(examples) > 0 {
			s := compile(t, pointer)
			for _, e := range examples {
				count++
				if err := s.Validate(e); err != nil {
					t.Errorf("%s: %v", pointer, err)
				}
			}
		}
		for name, below := range object {
			if name != "default" && name != "examples" {
				walk(pointer+"/"+name, below)
			}
		}
	}
	walk("", doc)
	if count < 80 {
		t.Errorf("got %d examples, want all", count)
	}
	files, err := filepath.Glob("../../examples/*/Gopherfile.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		dt, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		value, err := editorValue(string(dt))
		if err != nil {
			t.Fatal(err)
		}
		if err := compile(t, "").Validate(value); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func checkArchive(t *testing.T, schema *jsonschema.Schema, file string) {
	t.Helper()
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var source, said string
	for _, f := range ar.Files {
		switch f.Name {
		case "Gopherfile.yaml":
			source = string(f.Data)
		case "errors":
			said = string(f.Data)
		}
	}
	value, err := editorValue(source)
	if err != nil {
		if said == "" {
			t.Errorf("an editor cannot read it: %v", err)
		}
		return
	}
	err = schema.Validate(value)
	must, may := visible(source, said)
	switch {
	case said == "" && err != nil:
		t.Error(err)
	case must != "" && err == nil:
		t.Errorf("the schema does not see: %s", must)
	case must == "" && !may && err != nil && strings.Contains(file, "/plan/"):
		// Parse stops before values are looked at, but plan reports them all.
		t.Errorf("rejected for a reason that mustSee and maySee do not know:\n%v", err)
	}
}

// mustSee lists the errors that a schema can see. What depends on other values,
// on files or on what the client asks for is not among them, nor is YAML itself.
func mustSee() string {
	return strings.Join([]string{
		`unknown key .*`,
		`expected keys such as .*`,
		`.*: expected keys \(.*`,
		`.*: expected a value, found .*`,
		`.*: expected a value or a list of values, found .*`,
		`.*: expected names with values .*`,
		`.*: expected true or false, found .*`,
		`.*: (from|to) is missing`,
		`merge keys are not supported .*`,
		`args: ".*" is not a name .*`,
		`binaries: ".*" is not a name of a binary .*`,
		`(build|image)\.env: ".*" is not a name .*`,
		`image\.(labels|annotations): .* needs a name`,
		`go: ".*" is not a release .*`,
		`unknown platform "[^/]*".*`,
		`build\.buildmode: (unknown mode ".*"|.* makes no program) .*`,
		`generate: network: unknown mode .*`,
		`image\.expose: "([^0-9"].*|.*[: ].*)?" is not a port .*`,
		`image\.stopsignal: ".*" is not a signal .*`,
		`image\.healthcheck: ".*" is not a number of retries .*`,
		`image\.healthcheck: .*: ".*" is not a duration .*`,
		`image\.files: ".*" is not (a mode|an absolute path|a checksum) .*`,
	}, "|")
}

// maySee lists those that it sees depending on the value.
func maySee() string {
	return strings.Join([]string{
		`unknown platform .*`,
		`image\.expose: .*`,
	}, "|")
}

// visible returns an error that the schema must see, "" for none, and whether
// there is one that it may see.
func visible(source, said string) (must string, may bool) {
	place := regexp.MustCompile(`^Gopherfile\.yaml:(\d+):(\d+): (.*)$`)
	sees := func(list, msg string) bool { return regexp.MustCompile(`^(` + list + `)$`).MatchString(msg) }
	for line := range strings.Lines(said) {
		m := place.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		switch {
		case m == nil:
		case !sees(mustSee(), m[3]):
			may = may || sees(maySee(), m[3])
		case isLossy(at(source, m[1], m[2])):
			may = true
		default:
			must = m[3]
		}
	}
	return must, may
}

// isLossy reports whether the schema does not see the text of a value: that of
// a variable, or of a number, which has lost its spelling.
func isLossy(value string) bool {
	word := value
	if end := strings.IndexAny(value, " ,]}"); end >= 0 {
		word = value[:end]
	}
	switch plain(word).(type) {
	case float64, int64, bool:
		return true
	}
	return strings.Contains(value, "${")
}

// at returns the rest of a line from a place on.
func at(source, line, column string) string {
	n, _ := strconv.Atoi(line)
	c, _ := strconv.Atoi(column)
	lines := strings.Split(source, "\n")
	if n > len(lines) || c > len(lines[n-1]) {
		return ""
	}
	return lines[n-1][c-1:]
}

// editorValue is what a YAML 1.2 editor takes a document for, as JSON has it.
func editorValue(source string) (any, error) {
	l, err := yaml.NewLoader(strings.NewReader(source))
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := l.Load(&doc); errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return jsonValue(doc.Content[0], 0)
}

func jsonValue(n *yaml.Node, depth int) (any, error) {
	if depth > 100 {
		return nil, errors.New("an alias inside of what it stands for")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return jsonValue(n.Alias, depth+1)
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			v, err := jsonValue(item, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Kind != yaml.ScalarNode {
				return nil, errors.New("a key that is no text")
			}
			v, err := jsonValue(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			object[n.Content[i].Value] = v
		}
		return object, nil
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return n.Value, nil
	}
	return plain(n.Value), nil
}

// plain is a scalar without quotes in the core schema of YAML 1.2.
func plain(text string) any {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return nil
	case "true", "True", "TRUE":
		return true
	case "false", "False", "FALSE":
		return false
	}
	number := regexp.MustCompile(`^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
	based := regexp.MustCompile(`^(0o[0-7]+|0x[0-9a-fA-F]+)$`)
	switch {
	case number.MatchString(text):
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || f-f != 0 { // infinite: JSON has no such number
			return 0.5
		}
		return f
	case based.MatchString(text):
		n, _ := strconv.ParseInt(text, 0, 64)
		return n
	}
	return text
}
