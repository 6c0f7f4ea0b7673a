package spec

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSchemaValues checks one value at a time, as YAML: those that plan takes,
// and those that it refuses.
func TestSchemaValues(t *testing.T) {
	schema := compile(t, "")
	for _, tt := range []struct{ key, good, bad string }{
		{"go: %s", `1.26 1.20 1.26.3 "1.26" 1.27rc1 ${GO}`, `latest go1.26 1.2.3.4 "1" v1.26`},
		{"platforms: [%s]", `linux/amd64 linux/arm/v7 ${P} ${OS}/amd64`, `linux a/b/c/d 5 true`},
		{"args: {%s: x}", `A _a A1`, `1A A-B "" <<`},
		{"args: {A: %s}", `x 1 1.50 true ~ ""`, `[] {}`},
		{"binaries: {%s: ./a}", `server a.b 7z`, `a/b -a "" <<`},
		{"build: {env: {%s: x}}", `GOFIPS140 A_B`, `A-B "" A=B`},
		{"build: {strip: %s}", `true False TRUE "true"`, `yes on 1 ~ ${X} "no"`},
		{"build: {buildmode: %s}", `default exe pie ${MODE}`, `plugin PIE "" 1 true`},
		{"image: {user: %s}", `root 1000 1000:1000 ${U}`, `~ [a]`},
		{"image: {env: {%s: x}}", `A a.b A-B`, `A=B "" <<`},
		{"image: {labels: {%s: x}}", `a A=B a.b/c`, `"" <<`},
		{"image: {expose: %s}", `8080 "8080" 53/udp 9000-9010 9000-9010/TCP ${PORT} [] [80,81/tcp]`, `http 80:80 -1 "" 80.5 true [http] [[80]]`},
		{"image: {stopsignal: %s}", `SIGTERM SIGRTMIN+3 15 "9" ${S}`, `TERM sigterm 0 100 "100" "" 1.5`},
		{"image: {healthcheck: {test: x, interval: %s}}", `30s 1m30s 1.5h .5s 100ms 0 "0" ${T}`, `30 "30" 5x 1d -5s "" true`},
		{"image: {healthcheck: {test: x, retries: %s}}", `3 "3" ${N}`, `0 -1 1.5 "0" many true`},
		{"image: {files: {from: a, to: %s}}", `/ /etc/ /a/b ${DIR}/a`, `a ./a "" 5`},
		{"image: {files: {from: a, to: /a, mode: %s}}", `0644 644 "0755" 4755 ${M}`, `rw "99" "0888" 77777 0.5 true`},
		{"image: {files: {from: a, to: /a, checksum: %s}}", "sha256:" + strings.Repeat("0f", 32) + " ${SUM}", `sha256:0f md5:00 ""`},
		{"generate: [{run: x, network: %s}]", `none default ${NET}`, `host "" true`},
	} {
		for _, good := range []bool{true, false} {
			list := tt.bad
			if good {
				list = tt.good
			}
			for value := range strings.FieldsSeq(list) {
				source := fmt.Sprintf(tt.key, strings.ReplaceAll(value, ",", ", "))
				if strings.Contains(value, "${") {
					source = fmt.Sprintf(tt.key, `"`+value+`"`)
				}
				v, err := editorValue(source)
				if err != nil {
					t.Fatalf("%s: %v", source, err)
				}
				if err := schema.Validate(v); (err == nil) != good {
					t.Errorf("%s: got %v, want good = %v", source, err, good)
				}
			}
		}
	}
}

// TestSchemaKinds writes every kind of value under every key: the schema and
// Parse agree on which of them are a spec.
func TestSchemaKinds(t *testing.T) {
	schema := compile(t, "")
	values := []string{
		`"${X}"`, `null`, `5`, `true`, `"true"`, `[]`, `["${X}"]`, `[["${X}"]]`, `[null]`, `[true]`, `{}`,
		`{"zzz": "${X}"}`, `{"zzz": null}`, `{"zzz": ["${X}"]}`, `{"zzz": {}}`, `[{"zzz": "${X}"}]`, `[{}]`, `{"<<": "${X}"}`,
	}
	keys := keysOf(reflect.TypeFor[Spec](), "%s", false)
	if len(keys) < 100 {
		t.Fatalf("got %d keys, want all", len(keys))
	}
	for _, key := range keys {
		for _, value := range values {
			doc := fmt.Sprintf(key.doc, value)
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(doc))
			if err != nil {
				t.Fatalf("%s: %v", doc, err)
			}
			_, parseErr := Parse("f", []byte(doc))
			schemaErr := schema.Validate(v)
			if key.shaped && parseErr == nil && !strings.Contains(value, "${") {
				continue // a value that plan refuses
			}
			if (parseErr == nil) != (schemaErr == nil) {
				t.Errorf("%s\nParse: %v\nschema: %v", doc, parseErr, schemaErr)
			}
		}
	}
}

// place is where a value can stand: a document with a hole. Shaped says that
// the value has a pattern.
type place struct {
	doc    string
	shaped bool
}

// keysOf returns the places below a type.
func keysOf(typ reflect.Type, doc string, shaped bool) []place {
	all := []place{{doc, shaped}}
	below := func(typ reflect.Type, format, name string, shaped bool) {
		all = append(all, keysOf(typ, fmt.Sprintf(doc, fmt.Sprintf(format, name)), shaped)...)
	}
	switch {
	case typ.Kind() == reflect.Struct:
		for _, f := range fieldsOf(typ) {
			format := `{"%s": %%s}`
			for _, other := range fieldsOf(typ) {
				if other.required && other.name != f.name {
					format = `{"` + other.name + `": "${X}", "%s": %%s}`
				}
			}
			field := typ.Field(f.index)
			below(field.Type, format, f.name, field.Tag.Get("pattern")+field.Tag.Get("enum") != "")
		}
	case typ.Kind() == reflect.Slice && hasKey(typ.Elem()):
		if typ.Elem().Field(1).Name == "Main" {
			below(typ.Elem(), `{"%s": %%s}`, "zzz", false)
		}
	case typ.Kind() == reflect.Slice:
		below(typ.Elem(), `[%s%%s]`, "", shaped)
	}
	return all
}
