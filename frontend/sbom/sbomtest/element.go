package sbomtest

import (
	"crypto/sha1" //nolint:gosec // a verification code is made of such sums
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
)

type pkg struct {
	Name             string   `json:"name"`
	ID               string   `json:"SPDXID"`
	Version          *string  `json:"versionInfo"`
	Location         string   `json:"downloadLocation"`
	FilesAnalyzed    *bool    `json:"filesAnalyzed"`
	HasFiles         []string `json:"hasFiles"`
	VerificationCode *struct {
		Value    string   `json:"packageVerificationCodeValue"`
		Excluded []string `json:"packageVerificationCodeExcludedFiles"`
	} `json:"packageVerificationCode"`
	LicenseFromFiles []string      `json:"licenseInfoFromFiles"`
	Purpose          *string       `json:"primaryPackagePurpose"`
	Checksums        []checksum    `json:"checksums"`
	SourceInfo       *string       `json:"sourceInfo"`
	Comment          *string       `json:"comment"`
	LicenseConcluded *string       `json:"licenseConcluded"`
	LicenseDeclared  *string       `json:"licenseDeclared"`
	Copyright        *string       `json:"copyrightText"`
	Refs             []externalRef `json:"externalRefs"`
}

type file struct {
	Name             string     `json:"fileName"`
	ID               string     `json:"SPDXID"`
	Types            []string   `json:"fileTypes"`
	Checksums        []checksum `json:"checksums"`
	LicenseConcluded *string    `json:"licenseConcluded"`
	LicenseInFile    []string   `json:"licenseInfoInFiles"`
	Copyright        *string    `json:"copyrightText"`
	Comment          *string    `json:"comment"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type externalRef struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

// Clause 7, package information.
func (c *checker) pkg(p *pkg) {
	c.want(isLine(p.Name), "7.1: the name of %s is %q", p.ID, p.Name)
	c.want(p.Version == nil || isLine(*p.Version), "7.3: the version of %s is not one line", p.ID)
	c.want(p.Location == none || p.Location == noAssertion || locationPattern.MatchString(p.Location), "7.7: %s is located at %q", p.ID, p.Location)
	c.files(p)
	c.checksums("7.10", p.ID, p.Checksums)
	c.want(filled(p.SourceInfo), "7.12: the source information of %s is empty", p.ID)
	c.license("7.13", p.ID, p.LicenseConcluded)
	c.license("7.15", p.ID, p.LicenseDeclared)
	c.want(filled(p.Copyright), "7.17: the copyright of %s is empty", p.ID)
	c.want(filled(p.Comment), "7.20: the comment of %s is empty", p.ID)
	c.want(p.Purpose == nil || slices.Contains(purposes(), *p.Purpose), "7.24: the purpose of %s is not known", p.ID)
	for _, r := range p.Refs {
		c.ref(p, r)
	}
}

// files checks what follows from filesAnalyzed (7.8, 7.9, 7.14).
func (c *checker) files(p *pkg) {
	contained := 0
	var sums []string
	for _, f := range c.doc.Files {
		if !slices.Contains(c.packagesOf(f.ID), p.ID) {
			continue
		}
		contained++
		for _, s := range f.Checksums {
			if s.Algorithm == "SHA1" {
				sums = append(sums, s.Value)
			}
		}
	}
	for _, id := range p.HasFiles {
		c.want(c.elements[id] == "file", "7.8: %s has a file %s, which is none", p.ID, id)
	}
	if p.FilesAnalyzed != nil && !*p.FilesAnalyzed {
		c.want(contained == 0 && len(p.HasFiles) == 0, "7.8: %s contains files, and filesAnalyzed is false", p.ID)
		c.want(p.VerificationCode == nil, "7.9: %s has a verification code, and filesAnalyzed is false", p.ID)
		c.want(len(p.LicenseFromFiles) == 0, "7.14: %s has licenses of files, and filesAnalyzed is false", p.ID)
		return
	}
	if p.VerificationCode == nil {
		c.want(false, "7.9: %s has no verification code, and filesAnalyzed is not false", p.ID)
		return
	}
	slices.Sort(sums)
	want := fmt.Sprintf("%x", sha1.Sum([]byte(strings.Join(sums, "")))) //nolint:gosec // the specification says so
	c.want(p.VerificationCode.Value == want || len(p.VerificationCode.Excluded) > 0, "7.9: the verification code of %s is not that of its files", p.ID)
	for i := range p.LicenseFromFiles {
		c.license("7.14", p.ID, &p.LicenseFromFiles[i])
	}
}

// Clause 8, file information.
func (c *checker) file(f *file) {
	relative := strings.HasPrefix(f.Name, "./") && !slices.Contains(strings.Split(f.Name, "/"), "..")
	c.want(isLine(f.Name) && relative, "8.1: the name of %s is %q", f.ID, f.Name)
	for _, kind := range f.Types {
		c.want(slices.Contains(fileTypes(), kind), "8.3: the type of %s is %q", f.ID, kind)
	}
	c.want(slices.ContainsFunc(f.Checksums, func(s checksum) bool { return s.Algorithm == "SHA1" }), "8.4: %s has no SHA1", f.ID)
	c.checksums("8.4", f.ID, f.Checksums)
	c.license("8.5", f.ID, f.LicenseConcluded)
	for i := range f.LicenseInFile {
		c.license("8.6", f.ID, &f.LicenseInFile[i])
	}
	c.want(filled(f.Copyright), "8.8: the copyright of %s is empty", f.ID)
	c.want(filled(f.Comment), "8.12: the comment of %s is empty", f.ID)
}

// filled reports whether a text is not there, or not empty.
func filled(text *string) bool { return text == nil || *text != "" }

var hexPattern = regexp.MustCompile(`^[0-9a-f]*$`)

// checksums checks sums of which each algorithm has one.
func (c *checker) checksums(clause, id string, all []checksum) {
	seen := map[string]bool{}
	for _, s := range all {
		digits, ok := map[string]int{
			"SHA1": 40, "SHA224": 56, "SHA256": 64, "SHA384": 96, "SHA512": 128,
			"SHA3-256": 64, "SHA3-384": 96, "SHA3-512": 128,
			"BLAKE2b-256": 64, "BLAKE2b-384": 96, "BLAKE2b-512": 128,
			"MD2": 32, "MD4": 32, "MD5": 32, "ADLER32": 8,
		}[s.Algorithm]
		c.want(ok && len(s.Value) == digits && hexPattern.MatchString(s.Value), "%s: %s has the %s %q", clause, id, s.Algorithm, s.Value)
		c.want(!seen[s.Algorithm], "%s: %s has two sums of %s", clause, id, s.Algorithm)
		seen[s.Algorithm] = true
	}
}

// license checks that a license is one that our documents may name.
func (c *checker) license(clause, id string, text *string) {
	c.want(text == nil || slices.Contains([]string{noAssertion, none, "BSD-3-Clause"}, *text), "%s: a license of %s is not known", clause, id)
}

// purposes are those of 7.24.
func purposes() []string {
	return strings.Fields("APPLICATION FRAMEWORK LIBRARY CONTAINER OPERATING-SYSTEM DEVICE FIRMWARE SOURCE ARCHIVE FILE INSTALL OTHER")
}

// fileTypes are those of 8.3.
func fileTypes() []string {
	return strings.Fields("SOURCE BINARY ARCHIVE APPLICATION AUDIO IMAGE TEXT VIDEO DOCUMENTATION SPDX OTHER")
}

// locationPattern is what both validators take for a place in git: a URL with a
// path, whose host ends with a name of two to five letters. The specification also
// has places in other version control systems, and plain URLs.
var locationPattern = regexp.MustCompile(`^git\+(https?|ssh)://(?i:[a-z0-9]+([-.][a-z0-9]+)*\.[a-z]{2,5})(:[0-9]{1,5})?/[^\s#]*$`)

// cpePattern is the formatted string of a name in CPE 2.3: a part, and ten
// components.
var cpePattern = regexp.MustCompile(`^cpe:2\.3:[aho*-](:([A-Za-z0-9._-]|\\[^A-Za-z0-9\s]|[*?])+){10}$`)

// ref checks a reference (7.21, annex F).
func (c *checker) ref(p *pkg, r externalRef) {
	ok := false
	switch r.Category + " " + r.Type {
	case "PACKAGE-MANAGER purl":
		// What is not canonical, readers may compare with what is.
		u, err := packageurl.FromString(r.Locator)
		ok = err == nil && u.ToString() == r.Locator
	case "SECURITY cpe23Type":
		ok = cpePattern.MatchString(r.Locator)
	}
	c.want(ok, "7.21: %s has the reference %v", p.ID, r)
}
