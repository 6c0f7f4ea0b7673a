// Package vuln joins what govulncheck says of several binaries: in words, as
// SARIF and as OpenVEX. It fills in what govulncheck cannot know, and takes out
// the time: the same findings are the same bytes.
package vuln

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// The files that findings are written to.
const (
	TextFile  = "vuln.txt"
	SARIFFile = "vuln.sarif"
	VEXFile   = "vuln.openvex.json"
)

// Binary is what was looked at.
type Binary struct {
	Name string
	// Module is the path of its main module, and SHA256 the sum of the file that
	// is shipped, in hexadecimal digits.
	Module, SHA256 string
	// Text, SARIF and VEX are what govulncheck says.
	Text, SARIF, VEX []byte
}

// textLimit is how much of what govulncheck says stands in the text, in bytes: all
// binaries share it, and each of them has room for some lines at least. The words
// are those of a database. The other documents have all of it.
const textLimit, leastText = 4 << 20, 4 << 10

// Report is what is known of the binaries of a platform.
type Report struct {
	Platform string
	// Created is the time of the documents.
	Created  time.Time
	Binaries []Binary
}

// WriteText writes what a person reads, on a terminal.
func (r *Report) WriteText(w io.Writer) error {
	limit := max(textLimit/max(len(r.Binaries), 1), leastText)
	for i, b := range r.Binaries {
		if i > 0 {
			fmt.Fprintln(w)
		}
		text := strings.TrimSpace(redact.Lines(string(b.Text), limit))
		if _, err := fmt.Fprintf(w, "%s for %s\n\n%s\n", b.Name, r.Platform, text); err != nil {
			return err
		}
	}
	return nil
}

// WriteSARIF writes one log with a run for each binary.
func (r *Report) WriteSARIF(w io.Writer) error {
	var all map[string]any
	runs := []any{}
	for _, b := range r.Binaries {
		log, err := object(b.SARIF)
		if err != nil {
			return fmt.Errorf("read the SARIF log of %s: %w", b.Name, err)
		}
		own, _ := log["runs"].([]any)
		for _, run := range own {
			if run, ok := run.(map[string]any); ok {
				run["automationDetails"] = map[string]any{"id": "govulncheck/" + b.Name + "/" + r.Platform + "/"}
			}
		}
		runs = append(runs, own...)
		if len(log) > len(all) {
			all = log // one that was not looked into has nothing in it
		}
	}
	if len(all) == 0 {
		all = map[string]any{"version": "2.1.0"}
	}
	all["runs"] = runs
	return encode(w, all)
}

// WriteVEX writes one document with the statements on all binaries.
func (r *Report) WriteVEX(w io.Writer) error {
	var all map[string]any
	statements := []any{}
	ids := make([]string, 0, len(r.Binaries))
	for _, b := range r.Binaries {
		doc, err := object(b.VEX)
		if err != nil {
			return fmt.Errorf("read the OpenVEX document of %s: %w", b.Name, err)
		}
		own, _ := doc["statements"].([]any)
		for _, s := range own {
			if s, ok := s.(map[string]any); ok {
				name(s, b)
			}
		}
		if id, ok := doc["@id"].(string); ok {
			ids = append(ids, strings.TrimPrefix(id, "govulncheck/vex:"))
		}
		statements = append(statements, own...)
		if len(doc) > len(all) {
			all = doc
		}
	}
	if all == nil {
		all = map[string]any{}
	}
	all["@id"] = "govulncheck/vex:" + strings.Join(ids, "-")
	all["timestamp"] = r.Created.UTC().Format(time.RFC3339)
	all["author"] = "govulncheck"
	all["statements"] = statements
	return encode(w, all)
}

// name says which product a statement is about: govulncheck calls it unknown.
func name(statement map[string]any, b Binary) {
	products, _ := statement["products"].([]any)
	for _, p := range products {
		if p, ok := p.(map[string]any); ok {
			purl := "pkg:golang/" + strings.ToLower(b.Module)
			p["@id"] = purl + "#" + b.Name
			p["identifiers"] = map[string]any{"purl": purl}
			p["hashes"] = map[string]any{"sha-256": b.SHA256}
		}
	}
	delete(statement, "timestamp")
}

func object(data []byte) (map[string]any, error) {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, errors.New("expected an object")
	}
	return m, nil
}

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
