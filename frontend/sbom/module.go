package sbom

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"
)

// devel is the version of a module that was built from a working tree.
const devel = "(devel)"

// modulePackage is a module as it was linked: when another one stands in for it,
// that one.
func modulePackage(m *debug.Module) pkg {
	p := newPackage(m.Path, m.Version)
	linked := m
	if r := m.Replace; r != nil {
		linked = r
		if r.Version == "" || r.Version == devel {
			// A folder: the code is not that of any version.
			p.Version, p.SourceInfo = "", "replaced by the folder "+r.Path
			p.Refs = []externalRef{purl(golangPurl(m.Path, ""))}
			return p.identified(m.Path, m.Version, r.Path)
		}
		p = newPackage(r.Path, r.Version)
		p.Comment = strings.TrimSpace("in place of " + m.Path + " " + m.Version)
	}
	if sum := sumOf(linked.Sum); sum != "" {
		p.Checksums = []checksum{{"SHA256", sum}}
		p.SourceInfo = "the checksum is that of go.sum: " + linked.Sum
	}
	p.Refs = []externalRef{purl(golangPurl(linked.Path, p.Version))}
	return p.identified(m.Path, m.Version, linked.Path, linked.Version)
}

// mainPackage is the module that a binary was built from.
func mainPackage(in *Input, m *debug.Module) pkg {
	p := newPackage(m.Path, m.Version)
	p.Purpose = "APPLICATION"
	p.Refs = []externalRef{purl(golangPurl(m.Path, p.Version))}
	if p.Version == "" {
		p.Version = in.Revision
	}
	if in.Revision != "" && isRemote(in.Source) {
		// What VCS locators of SPDX look like (7.7, package download location).
		location := "git+" + in.Source + "@" + strings.TrimSuffix(in.Revision, "-dirty")
		if locationPattern.MatchString(location) {
			p.Location = location
		} else {
			p.SourceInfo = "built from " + location
		}
	}
	return p.identified("main", m.Path)
}

// isRemote reports whether a source is a URL as SPDX can locate it.
func isRemote(source string) bool {
	u, err := url.Parse(source)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" || u.Scheme == "ssh") && !strings.ContainsAny(source, "@ \t")
}

// locationPattern is what the validators of the SPDX project take for a location
// in git. SPDX has no such rule, but with a host like localhost, or one below
// .internal, they call the whole document invalid.
var locationPattern = regexp.MustCompile(`^git\+[a-z]+://(?i:[a-z0-9]+([-.][a-z0-9]+)*\.[a-z]{2,5})(:[0-9]{1,5})?/[^\s#]*$`)

// stdPackages are the standard library and the toolchain of a release.
func stdPackages(release string) (std, toolchain pkg) {
	std, toolchain = newPackage("stdlib", ""), newPackage("toolchain", "")
	name, _, _ := strings.Cut(release, " ")
	version := strings.TrimPrefix(name, "go")
	if !releasePattern.MatchString(name) {
		version = "" // a development version, which has no number
		std.Comment, toolchain.Comment = release, release
	}
	for _, p := range []*pkg{&std, &toolchain} {
		p.Version = version
		p.LicenseDeclared = "BSD-3-Clause"
		p.Refs = []externalRef{purl(golangPurl(p.Name, version))}
	}
	if version != "" {
		cpe := "cpe:2.3:a:golang:go:" + version + ":*:*:*:*:*:*:*"
		std.Refs = append(std.Refs, externalRef{"SECURITY", "cpe23Type", cpe})
	}
	return std.identified("std", release), toolchain.identified("toolchain", release)
}

// releasePattern is the name of a Go release.
var releasePattern = regexp.MustCompile(`^go[0-9]+(\.[0-9]+)*((rc|beta)[0-9]+)?$`)

// basePackage is the image below the files.
func basePackage(b Base) pkg {
	repository, tag := b.Name, ""
	if at := strings.LastIndex(b.Name, ":"); at > strings.LastIndex(b.Name, "/") {
		repository, tag = b.Name[:at], b.Name[at+1:]
	}
	p := newPackage(repository, cmp.Or(b.Digest, tag))
	p.Purpose = "CONTAINER"
	p.Comment = "what is in the image is not listed here"
	if hash, ok := strings.CutPrefix(b.Digest, "sha256:"); ok {
		p.Checksums = []checksum{{"SHA256", hash}}
		locator := "pkg:oci/" + repository[strings.LastIndex(repository, "/")+1:] + "@" + escape(b.Digest) + "?repository_url=" + escape(repository)
		if tag != "" {
			locator += "&tag=" + escape(tag)
		}
		p.Refs = []externalRef{purl(locator)}
	}
	return p.identified("image", b.Name, b.Digest)
}

// newPackage is a package of which no more is known. A module without a version
// has none.
func newPackage(name, version string) pkg {
	if version == devel {
		version = ""
	}
	return pkg{
		Name: name, Version: version, Location: noAssertion,
		LicenseConcluded: noAssertion, LicenseDeclared: noAssertion, Copyright: noAssertion,
	}
}

// identified returns the package with an identifier, by all that tells it from
// others.
func (p pkg) identified(key ...string) pkg {
	p.ID = identifier("Package", p.Name+"-"+p.Version, key...)
	return p
}

func purl(locator string) externalRef { return externalRef{"PACKAGE-MANAGER", "purl", locator} }

// golangPurl is a module as a package URL: in lower case, as its type says.
func golangPurl(path, version string) string {
	var b strings.Builder
	b.WriteString("pkg:golang")
	for elem := range strings.SplitSeq(strings.ToLower(path), "/") {
		b.WriteString("/" + escape(elem))
	}
	if version != "" {
		b.WriteString("@" + escape(version))
	}
	return b.String()
}

// escape is percent-encoding as package URLs have it: all but letters, digits
// and . - _ ~ :.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "%3A", ":").Replace(url.QueryEscape(s))
}

// sumOf is a sum of go.sum in hexadecimal digits, as SPDX has it. It is that of
// the list of the module's files (golang.org/x/mod/sumdb/dirhash).
func sumOf(sum string) string {
	text, ok := strings.CutPrefix(sum, "h1:")
	hash, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(hash) != 32 {
		return ""
	}
	return hex.EncodeToString(hash)
}
