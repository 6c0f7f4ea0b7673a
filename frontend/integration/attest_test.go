package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spdx/tools-golang/spdx"

	"github.com/gopherfile/gopherfile/frontend/sbom/sbomtest"
)

// cmdScanner makes an image that BuildKit can start for an SBOM: scanner NAME.
// The image is $REGISTRY/NAME.
func cmdScanner(ts *testscript.TestScript, _ bool, args []string) {
	dir, err := os.MkdirTemp(ts.MkAbs("."), "scanner")
	ts.Check(err)
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "scanner"), "./testdata/scanner")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		ts.Fatalf("%v\n%s", err, out)
	}
	dockerfile(ts, dir, ts.Getenv("REGISTRY")+"/"+args[0], "FROM scratch\nCOPY scanner /scanner\nENTRYPOINT [\"/scanner\"]\n")
}

// cmdSBOM checks a document, alone or in a statement: sbom FILE [BINARY…]. It must
// be valid, have the binaries as its files in this order, and for each of them the
// modules that go version -m lists, and no others.
func cmdSBOM(ts *testscript.TestScript, _ bool, args []string) {
	var statement struct{ Predicate json.RawMessage }
	data := []byte(ts.ReadFile(args[0]))
	ts.Check(json.Unmarshal(data, &statement))
	if statement.Predicate != nil {
		data = statement.Predicate
	}
	doc, err := sbomtest.Read(data)
	if err != nil {
		ts.Fatalf("%s is not valid: %v", args[0], err)
	}
	if len(args) > 1 && len(doc.Files) != len(args)-1 {
		ts.Fatalf("%s has %d files, want %d", args[0], len(doc.Files), len(args)-1)
	}
	for i, name := range args[1:] {
		out, err := exec.Command("go", "version", "-m", ts.MkAbs(name)).Output()
		ts.Check(err)
		if got, want := linked(doc, doc.Files[i]), listed(string(out)); !slices.Equal(got, want) {
			ts.Fatalf("%s: got %q, want %q", name, got, want)
		}
	}
}

// listed are the modules that go version -m lists, with their versions and sums.
func listed(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		f := strings.Split(strings.Trim(line, "\t\n"), "\t")
		switch f[0] {
		case "dep":
			all = append(all, strings.Join(f[1:], " "))
		case "=>":
			if path, _, _ := strings.Cut(all[len(all)-1], " "); strings.HasPrefix(f[1], ".") {
				all[len(all)-1] = path // the code of a folder has no version
			} else {
				all[len(all)-1] = strings.Join(f[1:], " ")
			}
		}
	}
	slices.Sort(all)
	return all
}

// linked are the modules that a document says are linked into a file.
func linked(doc *spdx.Document, f *spdx.File) []string {
	var all []string
	for _, r := range doc.Relationships {
		if r.RefA.ElementRefID != f.FileSPDXIdentifier || r.Relationship != "STATIC_LINK" {
			continue
		}
		at := slices.IndexFunc(doc.Packages, func(p *spdx.Package) bool { return p.PackageSPDXIdentifier == r.RefB.ElementRefID })
		p := doc.Packages[at]
		if p.PackageName == "stdlib" {
			continue
		}
		_, sum, _ := strings.Cut(p.PackageSourceInfo, "go.sum: ")
		all = append(all, strings.TrimSpace(p.PackageName+" "+p.PackageVersion+" "+sum))
	}
	slices.Sort(all)
	return all
}

// provenance is the part of a SLSA predicate that the script looks at.
type provenance struct {
	SLSA struct {
		BuildDefinition struct {
			ExternalParameters struct {
				ConfigSource struct{ Path string }
			}
			ResolvedDependencies []struct {
				URI    string
				Digest map[string]string
			}
		}
		RunDetails struct {
			Metadata struct {
				Hermetic bool `json:"buildkit_hermetic"`
				BuildKit struct {
					Source struct {
						Infos []struct {
							Filename string
							Data     []byte
						}
					}
				} `json:"buildkit_metadata"`
			}
		}
	}
}

// cmdProvenance says what a predicate of imagetools inspect holds: provenance
// FILE [PLATFORM] prints a line for every material with its digest, one for the
// spec with its text, and whether the build is hermetic.
func cmdProvenance(ts *testscript.TestScript, _ bool, args []string) {
	var p provenance
	data := []byte(ts.ReadFile(args[0]))
	if len(args) > 1 {
		var platforms map[string]json.RawMessage
		ts.Check(json.Unmarshal(data, &platforms))
		data = platforms[args[1]]
	}
	ts.Check(json.Unmarshal(data, &p))
	for _, d := range p.SLSA.BuildDefinition.ResolvedDependencies {
		for _, kind := range slices.Sorted(maps.Keys(d.Digest)) {
			fmt.Fprintf(ts.Stdout(), "material %s %s:%s\n", d.URI, kind, d.Digest[kind])
		}
	}
	for _, info := range p.SLSA.RunDetails.Metadata.BuildKit.Source.Infos {
		fmt.Fprintf(ts.Stdout(), "source %s %q\n", info.Filename, info.Data)
	}
	fmt.Fprintf(ts.Stdout(), "hermetic %v\n", p.SLSA.RunDetails.Metadata.Hermetic)
}

// cmdFilesize checks that a report of sizes has the size of a file: filesize
// FILE REPORT.
func cmdFilesize(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	var report struct {
		Binaries []struct {
			Name string
			File int64
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &report))
	for _, b := range report.Binaries {
		if b.Name == filepath.Base(args[0]) && b.File == info.Size() {
			return
		}
	}
	ts.Fatalf("%+v has no %s of %d bytes", report.Binaries, args[0], info.Size())
}
