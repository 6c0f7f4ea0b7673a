package sbom

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// namespace is what every document's own namespace starts with.
const namespace = "https://github.com/gopherfile/gopherfile/spdx/"

// Write returns the document as JSON.
func Write(in Input) ([]byte, error) {
	w := &writer{in: &in, packages: map[string]pkg{}, relationships: map[relationship]bool{}}
	root := w.root()
	for _, f := range in.Files {
		w.file(root, f)
	}
	doc := w.document(root)
	data, err := encode(doc)
	if err != nil {
		return nil, err
	}
	// The content names the document, so that no two have one name.
	doc.Namespace += fmt.Sprintf("-%x", sha256.Sum256(data))
	return encode(doc)
}

func encode(doc *document) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("write the SPDX document: %w", err)
	}
	return b.Bytes(), nil
}

// writer collects a document.
type writer struct {
	in            *Input
	packages      map[string]pkg // by identifier
	files         []file
	relationships map[relationship]bool
}

// root is the image, or the folder, and returns its identifier.
func (w *writer) root() string {
	p := newPackage(w.in.Name, w.in.Revision)
	p.Purpose = "APPLICATION"
	if w.in.Image {
		p.Purpose = "CONTAINER"
	}
	if len(w.in.Files) > 0 {
		p.Comment = "the files of this document are in it"
	}
	id := w.add(p.identified("root"))
	if w.in.Base.Name != "" {
		w.relate(id, "DESCENDANT_OF", w.add(basePackage(w.in.Base)))
	}
	return id
}

// file adds a binary and what it was linked from.
func (w *writer) file(root string, f File) {
	name := "./" + strings.TrimPrefix(f.Name, "/")
	out := file{
		Name: name, ID: identifier("File", name, name), Types: []string{"BINARY"},
		Checksums:        []checksum{{"SHA1", f.SHA1}, {"SHA256", f.SHA256}},
		LicenseConcluded: noAssertion, LicenseInFile: []string{noAssertion}, Copyright: noAssertion,
	}
	// Not all files of the root are known, and a package of which only some are must
	// contain none (7.8): the document describes the file itself.
	w.relate(documentID, "DESCRIBES", out.ID)
	if f.Info == nil {
		out.Comment = "the file has no build info"
	} else {
		out.Comment = settings(f.Info)
		w.modules(root, out.ID, f.Info)
	}
	w.files = append(w.files, out)
}

// modules adds what is linked into a binary.
func (w *writer) modules(root, binary string, info *debug.BuildInfo) {
	std, toolchain := stdPackages(info.GoVersion)
	w.relate(w.add(toolchain), "BUILD_TOOL_OF", binary)
	linked := []string{w.add(std)}
	for _, d := range info.Deps {
		if d != nil && d.Path != "" {
			linked = append(linked, w.add(modulePackage(d)))
		}
	}
	main := ""
	if info.Main.Path != "" {
		main = w.add(mainPackage(w.in, &info.Main))
		w.relate(root, "CONTAINS", main)
		// Syft leaves out what something is GENERATED_FROM, for it means source packages
		// of distributions by that.
		w.relate(main, "GENERATES", binary)
	}
	for _, id := range linked {
		// Binaries of one module may link different modules.
		w.relate(binary, "STATIC_LINK", id)
		if main != "" {
			w.relate(main, "DEPENDS_ON", id)
		}
	}
}

func (w *writer) add(p pkg) string {
	w.packages[p.ID] = p
	return p.ID
}

func (w *writer) relate(element, kind, related string) {
	w.relationships[relationship{element, kind, related}] = true
}

// document is all that was collected, in order. Readers that know one root take
// the first element that is described.
func (w *writer) document(root string) *document {
	doc := &document{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: documentID, Name: w.in.Name,
		Namespace: namespace + escape(w.in.Name),
		Creation: creation{
			Created:  w.in.Created.UTC().Format(time.RFC3339),
			Creators: []string{"Tool: gopherfile"},
		},
		Files: append([]file{}, w.files...), // an empty list is no null
	}
	doc.Packages = slices.SortedFunc(maps.Values(w.packages), func(a, b pkg) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(doc.Files, func(a, b file) int { return cmp.Compare(a.Name, b.Name) })
	doc.Relationships = append([]relationship{{documentID, "DESCRIBES", root}}, slices.SortedFunc(maps.Keys(w.relationships), func(a, b relationship) int {
		return cmp.Or(cmp.Compare(a.Element, b.Element), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Related, b.Related))
	})...)
	return doc
}

// settings writes how a binary was built, as go version -m does.
func settings(info *debug.BuildInfo) string {
	text := info.GoVersion + " " + info.Path
	for _, s := range info.Settings {
		text += "\n" + s.Key + "=" + s.Value
	}
	return text
}

// identifier is an SPDX identifier that can be read, and that differs whenever
// the key does. The characters are those that SPDX allows.
func identifier(kind, name string, key ...string) string {
	name = strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' {
			return c
		}
		return '-'
	}, name)
	sum := sha256.Sum256([]byte(strings.Join(key, "\x00")))
	return fmt.Sprintf("SPDXRef-%s-%s-%x", kind, strings.Trim(name, "-."), sum[:6])
}
