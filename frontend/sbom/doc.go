// Package sbom writes what a Go binary is made of as an SPDX document: the
// modules that its build info lists, the standard library and the toolchain.
//
// Write is a function of its argument. Equal arguments give equal bytes: the
// time is given, identifiers and the namespace follow from the content, and
// every list is sorted.
//
// Invariant: nothing is in a document that nobody knows. Where a version, a
// license or a place is not recorded, the document says NOASSERTION or nothing.
package sbom

import (
	"runtime/debug"
	"time"
)

// PredicateType is what an attestation with such a document is of (in-toto).
const PredicateType = "https://spdx.dev/Document"

// FileName is what a document is called where it is a file.
const FileName = "sbom.spdx.json"

// Input is what a document is about.
type Input struct {
	// Name is that of the image or of the folder of files.
	Name string
	// Image says that the files are in an image.
	Image bool
	// Created is the time of the document.
	Created time.Time
	// Revision and Source are what the main modules were built from, "" when it
	// is not known.
	Revision, Source string
	// Base is the image below the files.
	Base Base
	// Files are the binaries.
	Files []File
}

// Base is an image that another one is built on. The zero value is none.
type Base struct {
	// Name is a full reference, such as docker.io/library/debian:13.
	Name string
	// Digest is that of the manifest or index, such as sha256:….
	Digest string
}

// File is a binary.
type File struct {
	// Name is a path, from the root of the image or in the folder.
	Name string
	// SHA1 and SHA256 are sums of the content, in hexadecimal digits. SPDX wants
	// the first one of every file.
	SHA1, SHA256 string
	// Info is the build info. Nil: the file has none that can be read.
	Info *debug.BuildInfo
}
