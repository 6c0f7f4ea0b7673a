// Package sbomtest says in tests whether an SPDX document is valid. It holds it
// against the rules of SPDX 2.3 that documents of package sbom touch, and against
// those that the validators of the SPDX project add (tools-python,
// Spdx-Java-Library). The project's library for Go reads nearly everything.
//
// A field that package sbom never writes is unknown here.
package sbomtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
)

const (
	noAssertion = "NOASSERTION"
	none        = "NONE"
	documentID  = "SPDXRef-DOCUMENT"
)

// Read reads a document with the library of the SPDX project. The error names
// every rule that the document breaks.
func Read(data []byte) (*spdx.Document, error) {
	c := &checker{elements: map[string]string{documentID: "document"}}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c.doc); err != nil {
		return nil, fmt.Errorf("not a document: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a document: something follows it")
	}
	c.document()
	for i := range c.doc.Packages {
		c.element(c.doc.Packages[i].ID, "package")
	}
	for i := range c.doc.Files {
		c.element(c.doc.Files[i].ID, "file")
	}
	c.relationships()
	for i := range c.doc.Packages {
		c.pkg(&c.doc.Packages[i])
	}
	for i := range c.doc.Files {
		c.file(&c.doc.Files[i])
	}
	doc, err := spdxjson.Read(bytes.NewReader(data))
	return doc, errors.Join(append(c.errs, err)...)
}

// document is one as it stands in JSON.
type document struct {
	Version   string `json:"spdxVersion"`
	License   string `json:"dataLicense"`
	ID        string `json:"SPDXID"`
	Name      string `json:"name"`
	Namespace string `json:"documentNamespace"`
	Creation  struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	} `json:"creationInfo"`
	Packages      []pkg          `json:"packages"`
	Files         []file         `json:"files"`
	Relationships []relationship `json:"relationships"`
}

type relationship struct {
	Element string `json:"spdxElementId"`
	Type    string `json:"relationshipType"`
	Related string `json:"relatedSpdxElement"`
}

// checker collects what is wrong with a document.
type checker struct {
	doc document
	// elements says what an identifier is of.
	elements map[string]string
	errs     []error
}

// want adds an error unless a claim about an element is true.
func (c *checker) want(ok bool, format string, a ...any) {
	if !ok {
		c.errs = append(c.errs, fmt.Errorf(format, a...))
	}
}

// Clause 6, document creation information.
func (c *checker) document() {
	d := &c.doc
	c.want(d.Version == "SPDX-2.3", "6.1: the version is %q", d.Version)
	c.want(d.License == "CC0-1.0", "6.2: the license of the data is %q", d.License)
	c.want(d.ID == documentID, "6.3: the document is %q", d.ID)
	c.want(isLine(d.Name), "6.4: the name is %q", d.Name)
	u, err := url.Parse(d.Namespace)
	c.want(err == nil && u.IsAbs() && u.Host != "" && !strings.Contains(d.Namespace, "#"), "6.5: the namespace is %q", d.Namespace)
	c.want(len(d.Creation.Creators) > 0, "6.8: nobody made the document")
	for _, creator := range d.Creation.Creators {
		c.want(creatorPattern.MatchString(creator), "6.8: the creator is %q", creator)
	}
	// RFC 3339 takes more than the specification does: other zones, and fractions.
	_, err = time.Parse(time.RFC3339, d.Creation.Created)
	c.want(err == nil && len(d.Creation.Created) == len("2006-01-02T15:04:05Z"), "6.9: created at %q", d.Creation.Created)
}

var creatorPattern = regexp.MustCompile(`^(Person: [^()]+( \([^()]*\))?|Organization: [^()]+( \([^()]*\))?|Tool: [^()\s]+)$`)

// isLine reports whether a text is what the specification calls a single line.
func isLine(text string) bool {
	return strings.TrimSpace(text) != "" && !strings.ContainsAny(text, "\r\n") && text != noAssertion && text != none
}

var idPattern = regexp.MustCompile(`^SPDXRef-[a-zA-Z0-9.-]+$`)

// element adds an identifier (7.2, 8.2).
func (c *checker) element(id, kind string) {
	c.want(idPattern.MatchString(id), "7.2, 8.2: the %s %q is no identifier", kind, id)
	c.want(c.elements[id] == "", "7.2, 8.2: %s is a %s and a %s", id, c.elements[id], kind)
	c.elements[id] = kind
}

// Clause 11, relationships.
func (c *checker) relationships() {
	seen, described := map[relationship]bool{}, 0
	for _, r := range c.doc.Relationships {
		c.want(c.elements[r.Element] != "", "11.1: %v is of no element", r)
		c.want(c.elements[r.Related] != "" || r.Related == noAssertion || r.Related == none, "11.1: %v is to no element", r)
		c.want(slices.Contains(relationshipTypes(), r.Type), "11.1: %v is of no known type", r)
		c.want(!seen[r], "11.1: %v is there twice", r)
		seen[r] = true
		if r.Type == "DESCRIBES" {
			c.want(r.Element == documentID, "11.1: %v is not of the document", r)
			described++
		}
	}
	c.want(described > 0, "11.1: the document describes nothing")
	for _, f := range c.doc.Files {
		c.want(seen[relationship{documentID, "DESCRIBES", f.ID}] || len(c.packagesOf(f.ID)) > 0,
			"11.1: %s is in no package, and the document does not describe it", f.ID)
	}
}

// packagesOf are the packages that contain a file.
func (c *checker) packagesOf(file string) []string {
	var all []string
	for _, r := range c.doc.Relationships {
		if r.Type == "CONTAINED_BY" {
			r.Element, r.Related = r.Related, r.Element
		} else if r.Type != "CONTAINS" {
			continue
		}
		if r.Related == file && c.elements[r.Element] == "package" {
			all = append(all, r.Element)
		}
	}
	for _, p := range c.doc.Packages {
		if slices.Contains(p.HasFiles, file) {
			all = append(all, p.ID)
		}
	}
	return all
}

// relationshipTypes are those of table 68.
func relationshipTypes() []string {
	return strings.Fields(`DESCRIBES DESCRIBED_BY CONTAINS CONTAINED_BY DEPENDS_ON DEPENDENCY_OF DEPENDENCY_MANIFEST_OF
		BUILD_DEPENDENCY_OF DEV_DEPENDENCY_OF OPTIONAL_DEPENDENCY_OF PROVIDED_DEPENDENCY_OF TEST_DEPENDENCY_OF
		RUNTIME_DEPENDENCY_OF EXAMPLE_OF GENERATES GENERATED_FROM ANCESTOR_OF DESCENDANT_OF VARIANT_OF
		DISTRIBUTION_ARTIFACT PATCH_FOR PATCH_APPLIED COPY_OF FILE_ADDED FILE_DELETED FILE_MODIFIED
		EXPANDED_FROM_ARCHIVE DYNAMIC_LINK STATIC_LINK DATA_FILE_OF TEST_CASE_OF BUILD_TOOL_OF DEV_TOOL_OF TEST_OF
		TEST_TOOL_OF DOCUMENTATION_OF OPTIONAL_COMPONENT_OF METAFILE_OF PACKAGE_OF AMENDS PREREQUISITE_FOR
		HAS_PREREQUISITE REQUIREMENT_DESCRIPTION_FOR SPECIFICATION_FOR OTHER`)
}
