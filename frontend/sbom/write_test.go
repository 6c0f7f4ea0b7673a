package sbom

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spdx/tools-golang/spdx"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/sbom/sbomtest"
)

var update = flag.Bool("update", false, "rewrite the golden sections")

// TestWrite runs every archive of testdata: the section input holds NAME=value,
// a file info/NAME is what go version -m says of a binary, and document is what
// comes of it, which is valid.
func TestWrite(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := input(t, ar)
			got, err := Write(in)
			if err != nil {
				t.Fatal(err)
			}
			slices.Reverse(in.Files)
			if again, err := Write(in); err != nil || !bytes.Equal(got, again) {
				t.Errorf("the order of the files changes the document: %v", err)
			}
			isGolden := func(f txtar.File) bool { return f.Name == "document" }
			if *update {
				ar.Files = append(slices.DeleteFunc(ar.Files, isGolden), txtar.File{Name: "document", Data: got})
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var want []byte
			if at := slices.IndexFunc(ar.Files, isGolden); at >= 0 {
				want = ar.Files[at].Data
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			validate(t, got)
		})
	}
}

// validate reads a document, which must break no rule.
func validate(t *testing.T, data []byte) *spdx.Document {
	t.Helper()
	doc, err := sbomtest.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// input reads an archive.
func input(t *testing.T, ar *txtar.Archive) Input {
	t.Helper()
	in := Input{Created: time.Unix(0, 0)}
	for _, file := range ar.Files {
		if name, ok := strings.CutPrefix(file.Name, "info/"); ok {
			f := File{Name: name, SHA1: fmt.Sprintf("%x", sha1.Sum(file.Data)), SHA256: fmt.Sprintf("%x", sha256.Sum256(file.Data))}
			if len(file.Data) > 0 {
				info, err := debug.ParseBuildInfo(string(file.Data))
				if err != nil {
					t.Fatal(err)
				}
				// The release is not in what ParseBuildInfo reads.
				first, _, _ := strings.Cut(string(file.Data), "\n")
				info.GoVersion = strings.TrimPrefix(first, "go\t")
				f.Info = info
			}
			in.Files = append(in.Files, f)
		}
		if file.Name != "input" {
			continue
		}
		for line := range strings.Lines(string(file.Data)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch key {
			case "name":
				in.Name = value
			case "image":
				in.Image = value == "true"
			case "created":
				seconds, err := strconv.ParseInt(value, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				in.Created = time.Unix(seconds, 0)
			case "revision":
				in.Revision = value
			case "source":
				in.Source = value
			case "base":
				in.Base.Name = value
			case "base-digest":
				in.Base.Digest = value
			default:
				t.Fatalf("unknown key %q", key)
			}
		}
	}
	return in
}

// TestNamespace checks that documents with different contents have different
// names.
func TestNamespace(t *testing.T) {
	seen := map[string]bool{}
	for _, in := range []Input{{Name: "a"}, {Name: "b"}, {Name: "a", Revision: "1"}, {Name: "a", Created: time.Unix(1, 0)}} {
		data, err := Write(in)
		if err != nil {
			t.Fatal(err)
		}
		name := validate(t, data).DocumentNamespace
		if seen[name] {
			t.Errorf("two documents are %s", name)
		}
		seen[name] = true
	}
}
