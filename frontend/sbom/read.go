package sbom

import (
	"bufio"
	"bytes"
	"debug/buildinfo"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

// errNoInfo is the error of a file that the go command did not make.
var errNoInfo = errors.New("no build info")

// Read returns the build info of a binary of any port. Package
// debug/buildinfo does not know WebAssembly.
func Read(r io.ReaderAt) (*debug.BuildInfo, error) {
	magic := make([]byte, len(wasmMagic))
	if _, err := r.ReadAt(magic, 0); err == nil && string(magic) == wasmMagic {
		return readWasm(r)
	}
	return buildinfo.Read(r)
}

// wasmMagic is what a WebAssembly module of version 1 starts with.
const wasmMagic = "\x00asm\x01\x00\x00\x00"

// The sections of a WebAssembly module that are of use.
const (
	sectionCustom = 0
	sectionData   = 11
)

// What stands before and behind the modules in a binary, for tools to find
// (cmd/go/internal/modload ModInfoData).
const (
	infoStart = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"
	infoEnd   = "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
)

// maxInfo is the most that a list of modules may have: 16 times that of the
// longest one known.
const maxInfo = 4 << 20

// readWasm finds the modules among the data, and the release in the section of
// producers. The linker writes no more for this port (cmd/link/internal/wasm).
func readWasm(r io.ReaderAt) (*debug.BuildInfo, error) {
	var release string
	var info *debug.BuildInfo
	at := int64(len(wasmMagic))
	for {
		var head [1 + binary.MaxVarintLen32]byte
		n, err := r.ReadAt(head[:], at)
		if n < 2 {
			break // the end
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		size, width := binary.Uvarint(head[1:n])
		if width <= 0 || size > 1<<32-1 {
			return nil, fmt.Errorf("%w: a section of no length", errNoInfo)
		}
		body := io.NewSectionReader(r, at+1+int64(width), int64(size))
		switch head[0] {
		case sectionCustom:
			release = max(release, producer(body))
		case sectionData:
			if info, err = findInfo(body); err != nil {
				return nil, err
			}
		}
		at += 1 + int64(width) + int64(size)
	}
	if info == nil {
		return nil, errNoInfo
	}
	info.GoVersion = release
	return info, nil
}

// findInfo finds the modules in the data.
func findInfo(data io.Reader) (*debug.BuildInfo, error) {
	in := bufio.NewReaderSize(data, 64<<10)
	if !skipTo(in, infoStart) {
		return nil, errNoInfo
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInfo))
	if err != nil {
		return nil, err
	}
	text, _, ok := bytes.Cut(text, []byte(infoEnd))
	if !ok {
		return nil, fmt.Errorf("%w: the list of modules has no end", errNoInfo)
	}
	info, err := debug.ParseBuildInfo(string(text))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoInfo, err)
	}
	return info, nil
}

// skipTo reads up to behind a text.
func skipTo(in *bufio.Reader, text string) bool {
	for {
		// Peek gives what there is, up to the end.
		part, _ := in.Peek(in.Size())
		if i := bytes.Index(part, []byte(text)); i >= 0 {
			_, _ = in.Discard(i + len(text))
			return true
		}
		if len(part) < in.Size() {
			return false
		}
		_, _ = in.Discard(len(part) - len(text) + 1)
	}
}

// producer is the Go release that a section of producers names, "" for none:
// fields with their values, such as language, Go, go1.26.0. The linker writes
// the language first.
func producer(section io.Reader) string {
	in := bufio.NewReader(section)
	text := func() string {
		n, err := binary.ReadUvarint(in)
		if err != nil || n > 256 {
			return ""
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(in, b); err != nil {
			return ""
		}
		return string(b)
	}
	count := func() uint64 {
		n, _ := binary.ReadUvarint(in) // error ignored: there is nothing then
		return n
	}
	if text() != "producers" || count() == 0 || text() != "language" || count() == 0 || text() != "Go" {
		return ""
	}
	return text()
}
