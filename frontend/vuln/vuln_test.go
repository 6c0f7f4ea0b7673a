package vuln

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestReport joins two binaries, and none.
func TestReport(t *testing.T) {
	r := &Report{Platform: "linux/arm64", Created: time.Unix(0, 0), Binaries: []Binary{
		{
			Name: "server", Module: "example.com/App", SHA256: "aa", Text: []byte("found one\n\n"),
			SARIF: []byte(`{"version": "2.1.0", "runs": [{"results": [{"ruleId": "GO-1", "rank": 12345678901234567890}]}]}`),
			VEX:   []byte(`{"@id": "govulncheck/vex:1", "timestamp": "2026-01-02T03:04:05Z", "statements": [{"status": "affected", "timestamp": "now", "products": [{"@id": "Unknown Product"}]}]}`),
		},
		{Name: "worker", Text: []byte("nothing"), SARIF: []byte(`{"version": "2.1.0", "runs": [{}]}`), VEX: []byte(`{"@id": "govulncheck/vex:2"}`)},
		{Name: "page.wasm", Text: []byte("nothing"), SARIF: []byte("{}"), VEX: []byte("{}")},
	}}
	for name, f := range map[string]struct {
		write func() ([]byte, error)
		want  string
	}{
		"text": {func() ([]byte, error) { var b bytes.Buffer; err := r.WriteText(&b); return b.Bytes(), err },
			"server for linux/arm64\n\nfound one\n\nworker for linux/arm64\n\nnothing\n\npage.wasm for linux/arm64\n\nnothing\n"},
		"sarif": {func() ([]byte, error) { var b bytes.Buffer; err := r.WriteSARIF(&b); return b.Bytes(), err }, `{
  "runs": [
    {
      "automationDetails": {
        "id": "govulncheck/server/linux/arm64/"
      },
      "results": [
        {
          "rank": 12345678901234567890,
          "ruleId": "GO-1"
        }
      ]
    },
    {
      "automationDetails": {
        "id": "govulncheck/worker/linux/arm64/"
      }
    }
  ],
  "version": "2.1.0"
}
`},
		"vex": {func() ([]byte, error) { var b bytes.Buffer; err := r.WriteVEX(&b); return b.Bytes(), err }, `{
  "@id": "govulncheck/vex:1-2",
  "author": "govulncheck",
  "statements": [
    {
      "products": [
        {
          "@id": "pkg:golang/example.com/app#server",
          "hashes": {
            "sha-256": "aa"
          },
          "identifiers": {
            "purl": "pkg:golang/example.com/app"
          }
        }
      ],
      "status": "affected"
    }
  ],
  "timestamp": "1970-01-01T00:00:00Z"
}
`},
		"nothing": {func() ([]byte, error) { var b bytes.Buffer; err := (&Report{}).WriteSARIF(&b); return b.Bytes(), err }, "{\n  \"runs\": [],\n  \"version\": \"2.1.0\"\n}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := f.write()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(f.want, string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestText writes what a database has for a terminal, and more than anybody reads.
func TestText(t *testing.T) {
	long := "found\x1b]0;pwned\x07\n" + strings.Repeat("more\n", 2_000_000) + "\u009b2Jaffected\n"
	r := &Report{Platform: "linux/arm64", Binaries: []Binary{{Name: "server", Text: []byte(long)}, {Name: "worker", Text: []byte("nothing")}}}
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if want := []string{"server for linux/arm64", "", `found\x1b]0;pwned\a`, "more"}; !slices.Equal(lines[:4], want) {
		t.Errorf("got %q, want %q first", lines[:4], want)
	}
	if got, want := lines[len(lines)-6:], []string{`\u009b2Jaffected`, "", "worker for linux/arm64", "", "nothing", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q last", got, want)
	}
	if n := b.Len(); n > textLimit || n < textLimit/4 || !strings.Contains(b.String(), "\n[lines that are left out here: ") {
		t.Errorf("got %d bytes, want up to %d, and how many lines are left out", n, textLimit)
	}
}

// FuzzReport joins whatever a program says.
func FuzzReport(f *testing.F) {
	f.Add([]byte(`{"runs": [{}]}`), []byte(`{"statements": [{"products": [{}]}]}`))
	f.Add([]byte(`null`), []byte(`null`))
	f.Fuzz(func(t *testing.T, sarif, vex []byte) {
		r := &Report{Binaries: []Binary{{Name: "a", SARIF: sarif, VEX: vex}, {Name: "b", SARIF: []byte("{}"), VEX: []byte("{}")}}}
		var b bytes.Buffer
		_ = r.WriteSARIF(&b) // errors are about the input
		_ = r.WriteVEX(&b)
	})
}
