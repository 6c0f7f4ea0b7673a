package gocache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"
)

// id is the SHA-256 that names an action or an output.
type id [sha256.Size]byte

func (i id) String() string {
	return hex.EncodeToString(i[:])
}

// makeID returns an id as it stands in a request.
func makeID(b []byte) (id, error) {
	var i id
	if len(b) != len(i) {
		return i, fmt.Errorf("identifier of %d bytes: expected %d", len(b), len(i))
	}
	copy(i[:], b)
	return i, nil
}

// subkey is the action under which the go command keeps a by-product of
// another one, as its cache.Subkey computes it.
func subkey(action id, name string) id {
	h := sha256.New()
	h.Write([]byte("subkey:"))
	h.Write(action[:])
	h.Write([]byte(name))
	return id(h.Sum(nil))
}

// origin says where an object comes from.
type origin int

const (
	fromPut origin = iota
	fromStore
	fromLayer
	// fromBase is a layer that -out does not repeat.
	fromBase
)

// object is the output of an action, as a file.
type object struct {
	out  id
	size int64
	sum  uint32
	kind kind
	from origin
	// path is where the go command finds it until it closes the cache.
	path string
	// time is when the store took it, if it did.
	time *time.Time
}

// kind is what an object holds, as far as it matters here.
type kind int

const (
	plain kind = iota
	// archive is a compiled package.
	archive
	// moduleIndex says which packages the folders of a module hold.
	moduleIndex
)

// kindOf tells the kind from the first bytes.
func kindOf(head []byte) kind {
	switch {
	case bytes.HasPrefix(head, []byte("!<arch>\n")):
		return archive
	case bytes.HasPrefix(head, []byte("go index v")):
		return moduleIndex
	}
	return plain
}

// errCorrupt is wrapped by what is wrong with the bytes that a layer or the
// store holds, as opposed to what is not there.
var errCorrupt = errors.New("corrupt object")

// pieceSize is how much of a file is read at once: what the caches of a
// processor hold easily.
const pieceSize = 128 << 10

// digest is what a check found out about the content of a file.
type digest struct {
	sum  uint32
	kind kind
}

// checksum returns the CRC-32C of a body. It is some ten times faster than
// SHA-256, without which a build of a thousand packages would read for longer
// than it compiles.
func checksum(body []byte) uint32 {
	return crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
}

// read computes the digest of a file of a given size. Whatever follows, such as
// a stronger hash or a copy, sees the same bytes.
func read(f io.ReaderAt, size int64, more io.Writer) (digest, error) {
	var d digest
	piece := make([]byte, min(size, pieceSize))
	table := crc32.MakeTable(crc32.Castagnoli)
	for at := int64(0); at < size; at += int64(len(piece)) {
		piece = piece[:min(size-at, pieceSize)]
		if _, err := f.ReadAt(piece, at); err != nil {
			return d, err
		}
		if at == 0 {
			d.kind = kindOf(piece)
		}
		d.sum = crc32.Update(d.sum, table, piece)
		if more == nil {
			continue
		}
		if _, err := more.Write(piece); err != nil {
			return d, err
		}
	}
	return d, nil
}

// regular returns the size of an open file, and an error when it has none that
// an object could have. A cached executable of a newer go command is a folder.
func regular(f *os.File) (os.FileInfo, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", f.Name())
	}
	return info, nil
}
