package sbomtest

import (
	"strings"
	"testing"
)

// sound is a document that breaks no rule: of two files one is in a package whose
// files are all known, and the other one is described by the document.
const sound = `{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "app",
  "documentNamespace": "https://example.com/spdx/app-1",
  "creationInfo": {"created": "1970-01-01T00:00:00Z", "creators": ["Tool: gopherfile"]},
  "packages": [
    {
      "name": "image", "SPDXID": "SPDXRef-Package-image", "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
      "primaryPackagePurpose": "CONTAINER", "checksums": [{"algorithm": "SHA256", "checksumValue": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]
    },
    {
      "name": "std", "SPDXID": "SPDXRef-Package-std", "versionInfo": "1.26.8", "downloadLocation": "git+https://example.com/go.git@abc",
      "filesAnalyzed": false, "sourceInfo": "source", "comment": "text", "copyrightText": "NOASSERTION",
      "licenseConcluded": "NOASSERTION", "licenseDeclared": "BSD-3-Clause",
      "externalRefs": [
        {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:golang/stdlib@1.26.8"},
        {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:golang:go:1.26.8:*:*:*:*:*:*:*"}
      ]
    },
    {
      "name": "whole", "SPDXID": "SPDXRef-Package-whole", "downloadLocation": "NONE",
      "packageVerificationCode": {"packageVerificationCodeValue": "10a34637ad661d98ba3344717656fcc76209c2f8"},
      "licenseInfoFromFiles": ["NOASSERTION"]
    }
  ],
  "files": [
    {
      "fileName": "./app", "SPDXID": "SPDXRef-File-app", "fileTypes": ["BINARY"], "copyrightText": "NONE", "comment": "text",
      "checksums": [{"algorithm": "SHA1", "checksumValue": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}],
      "licenseConcluded": "NOASSERTION", "licenseInfoInFiles": ["NOASSERTION"]
    },
    {
      "fileName": "./other", "SPDXID": "SPDXRef-File-other",
      "checksums": [{"algorithm": "SHA1", "checksumValue": "a9993e364706816aba3e25717850c26c9cd0d89d"}]
    }
  ],
  "relationships": [
    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-Package-image"},
    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-File-other"},
    {"spdxElementId": "SPDXRef-Package-whole", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-File-app"},
    {"spdxElementId": "SPDXRef-Package-image", "relationshipType": "CONTAINS", "relatedSpdxElement": "NOASSERTION"}
  ]
}`

// TestRead breaks each rule in turn.
func TestRead(t *testing.T) {
	doc, err := Read([]byte(sound))
	if err != nil || len(doc.Packages) != 3 || len(doc.Files) != 2 {
		t.Fatalf("got %+v, %v, want no error", doc, err)
	}
	for name, rule := range map[string]struct{ old, new, want string }{
		"no JSON":                {sound, "spdxVersion: SPDX-2.3", "not a document"},
		"two documents":          {sound, sound + "{}", "something follows"},
		"unknown field":          {`"name": "app"`, `"title": "app"`, "unknown field"},
		"wrong type":             {`"filesAnalyzed": false`, `"filesAnalyzed": "false"`, "not a document"},
		"version":                {"SPDX-2.3", "SPDX-2.2", "6.1:"},
		"data license":           {"CC0-1.0", "MIT", "6.2:"},
		"document identifier":    {`"SPDXID": "SPDXRef-DOCUMENT"`, `"SPDXID": "DOCUMENT"`, "6.3:"},
		"no document name":       {`"name": "app"`, `"name": ""`, "6.4:"},
		"relative namespace":     {"https://example.com/spdx/app-1", "spdx/app-1", "6.5:"},
		"fragment of namespace":  {"spdx/app-1", "spdx/app-1#a", "6.5:"},
		"no namespace":           {"https://example.com/spdx/app-1", "", "6.5:"},
		"no creator":             {`["Tool: gopherfile"]`, `[]`, "6.8:"},
		"unknown creator":        {"Tool: gopherfile", "gopherfile", "6.8:"},
		"creator without a name": {"Tool: gopherfile", "Tool: ", "6.8:"},
		"tool with an address":   {"Tool: gopherfile", "Tool: gopherfile (a@b.test)", "6.8:"},
		"time with a zone":       {"00:00:00Z", "00:00:00+00:00", "6.9:"},
		"time with a fraction":   {"00:00:00Z", "00:00:00.5Z", "6.9:"},
		"no such day":            {"1970-01-01", "1970-02-30", "6.9:"},
		"no time":                {"1970-01-01T00:00:00Z", "", "6.9:"},

		"no package name":       {`"name": "std"`, `"name": ""`, "7.1:"},
		"package name of lines": {`"name": "std"`, `"name": "std\nlib"`, "7.1:"},
		"asserted name":         {`"name": "std"`, `"name": "NOASSERTION"`, "7.1:"},
		"identifier of package": {"SPDXRef-Package-std", "SPDXRef-Package_std", "7.2, 8.2:"},
		"no prefix":             {"SPDXRef-Package-std", "Package-std", "7.2, 8.2:"},
		"same identifier":       {"SPDXRef-Package-std", "SPDXRef-Package-whole", "7.2, 8.2:"},
		"package as document":   {"SPDXRef-Package-std", "SPDXRef-DOCUMENT", "7.2, 8.2:"},
		"package as file":       {"SPDXRef-Package-std", "SPDXRef-File-app", "7.2, 8.2:"},
		"empty version":         {`"versionInfo": "1.26.8"`, `"versionInfo": ""`, "7.3:"},
		"asserted version":      {`"versionInfo": "1.26.8"`, `"versionInfo": "NOASSERTION"`, "7.3:"},
		"no location":           {`"downloadLocation": "NOASSERTION", `, ``, "7.7:"},
		"location as a word":    {"git+https://example.com/go.git@abc", "example", "7.7:"},
		"location with a user":  {"git+https://example.com", "git+https://user@example.com", "7.7:"},
		"location without host": {"git+https://example.com/go.git", "git+https:///go.git", "7.7:"},
		"location of localhost": {"git+https://example.com", "git+https://localhost", "7.7:"},
		"location of an IP":     {"git+https://example.com", "git+http://127.0.0.1:80", "7.7:"},
		"location with a space": {"go.git@abc", "go.git@a c", "7.7:"},

		"contained file":          {`"SPDXRef-Package-whole", "relationshipType"`, `"SPDXRef-Package-image", "relationshipType"`, "7.8:"},
		"file that is contained":  {`"SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-File-other"`, `"SPDXRef-File-other", "relationshipType": "CONTAINED_BY", "relatedSpdxElement": "SPDXRef-Package-image"`, "7.8:"},
		"hasFiles":                {`"primaryPackagePurpose"`, `"hasFiles": ["SPDXRef-File-app"], "primaryPackagePurpose"`, "7.8:"},
		"hasFiles of a package":   {`"primaryPackagePurpose"`, `"hasFiles": ["SPDXRef-Package-std"], "primaryPackagePurpose"`, "which is none"},
		"code without files":      {`"primaryPackagePurpose"`, `"packageVerificationCode": {"packageVerificationCodeValue": ""}, "primaryPackagePurpose"`, "7.9:"},
		"licenses without files":  {`"primaryPackagePurpose"`, `"licenseInfoFromFiles": ["NONE"], "primaryPackagePurpose"`, "7.14:"},
		"files without a code":    {`"filesAnalyzed": false,`, ``, "7.9:"},
		"files known, no code":    {`"filesAnalyzed": false,`, `"filesAnalyzed": true,`, "7.9:"},
		"wrong verification code": {"10a34637", "10a34638", "7.9:"},
		"unknown license of file": {`"licenseInfoFromFiles": ["NOASSERTION"]`, `"licenseInfoFromFiles": ["No"]`, "7.14:"},

		"short SHA256":            {"e3b0c442", "e3b0c4", "7.10:"},
		"upper case SHA256":       {"e3b0c442", "E3B0C442", "7.10:"},
		"unknown algorithm":       {`"SHA256"`, `"SHA-256"`, "7.10:"},
		"sum of another length":   {`"SHA256"`, `"SHA512"`, "7.10:"},
		"empty source":            {`"sourceInfo": "source"`, `"sourceInfo": ""`, "7.12:"},
		"empty concluded license": {`"licenseConcluded": "NOASSERTION", "licenseDeclared"`, `"licenseConcluded": "", "licenseDeclared"`, "7.13:"},
		"unknown license":         {"BSD-3-Clause", "BSD", "7.15:"},
		"empty copyright":         {`"copyrightText": "NOASSERTION"`, `"copyrightText": ""`, "7.17:"},
		"empty comment":           {`"comment": "text", "copyrightText"`, `"comment": "", "copyrightText"`, "7.20:"},
		"category":                {"PACKAGE-MANAGER", "PACKAGE_MANAGER", "7.21:"},
		"type of a reference":     {`"purl"`, `"url"`, "7.21:"},
		"no purl":                 {"pkg:golang/stdlib", "golang/stdlib", "7.21:"},
		"purl without a name":     {"pkg:golang/stdlib@1.26.8", "pkg:golang", "7.21:"},
		"purl with a space":       {"stdlib@1.26.8", "std lib@1.26.8", "7.21:"},
		"purl not canonical":      {"pkg:golang/stdlib", "pkg:golang/STDLIB", "7.21:"},
		"CPE without a part":      {"cpe:2.3:a:golang", "cpe:2.3:golang", "7.21:"},
		"CPE too short":           {":*:*:*:*:*:*:*", ":*:*:*:*:*:*", "7.21:"},
		"purpose":                 {`"CONTAINER"`, `"IMAGE"`, "7.24:"},

		"absolute file":          {"./other", "/other", "8.1:"},
		"file above":             {"./other", "./../other", "8.1:"},
		"no file name":           {"./other", "", "8.1:"},
		"file name of lines":     {"./other", "./a\\nb", "8.1:"},
		"identifier of file":     {"SPDXRef-File-other", "SPDXRef-File+other", "7.2, 8.2:"},
		"type of file":           {"BINARY", "PROGRAM", "8.3:"},
		"no SHA1":                {`"SHA1", "checksumValue": "a9993e364706816aba3e25717850c26c9cd0d89d"`, `"MD5", "checksumValue": "d41d8cd98f00b204e9800998ecf8427e"`, "has no SHA1"},
		"short SHA1":             {"a9993e36", "a999", "8.4:"},
		"two SHA1":               {`9cd0d89d"}`, `9cd0d89d"}, {"algorithm": "SHA1", "checksumValue": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}`, "two sums"},
		"concluded license":      {`"licenseConcluded": "NOASSERTION", "licenseInfo`, `"licenseConcluded": "X", "licenseInfo`, "8.5:"},
		"license in a file":      {`"licenseInfoInFiles": ["NOASSERTION"]`, `"licenseInfoInFiles": [""]`, "8.6:"},
		"empty file copyright":   {`"copyrightText": "NONE"`, `"copyrightText": ""`, "8.8:"},
		"empty comment on files": {`"NONE", "comment": "text"`, `"NONE", "comment": ""`, "8.12:"},

		"nothing related":         {`"SPDXRef-Package-image"}`, `"SPDXRef-Package-none"}`, "is to no element"},
		"relationship of nothing": {`"SPDXRef-Package-whole", "relationshipType"`, `"SPDXRef-none", "relationshipType"`, "is of no element"},
		"relationship of NONE":    {`"SPDXRef-Package-whole", "relationshipType"`, `"NONE", "relationshipType"`, "is of no element"},
		"relationship type":       {`"CONTAINS"`, `"HAS"`, "no known type"},
		"described by a package":  {`"CONTAINS", "relatedSpdxElement": "NOASSERTION"`, `"DESCRIBES", "relatedSpdxElement": "SPDXRef-Package-std"`, "is not of the document"},
		"relationship twice":      {`"SPDXRef-File-other"}`, `"SPDXRef-Package-image"}`, "is there twice"},
		"nothing described":       {`"DESCRIBES"`, `"AMENDS"`, "describes nothing"},
		"file nowhere":            {`"relatedSpdxElement": "SPDXRef-File-app"`, `"relatedSpdxElement": "SPDXRef-Package-std"`, "is in no package"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := strings.ReplaceAll(sound, rule.old, rule.new)
			if broken == sound {
				t.Fatalf("%q is not in the document", rule.old)
			}
			if _, err := Read([]byte(broken)); err == nil || !strings.Contains(err.Error(), rule.want) {
				t.Errorf("got %v, want an error with %q", err, rule.want)
			}
		})
	}
}
