package gocache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
)

// The form of a layer, as the package comment describes it.
const (
	layerHeader = "gopherfile objects 1\n"
	recordSize  = 32 + 32 + 8 + 4
	trailerSize = 4
)

// record is what the index of a layer says of an action.
type record struct {
	action, out id
	size        int64
	sum         uint32
}

func appendRecord(b []byte, r record) []byte {
	b = append(b, r.action[:]...)
	b = append(b, r.out[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.size))
	return binary.BigEndian.AppendUint32(b, r.sum)
}

// index is the records of a layer as they lie in the file. Searching them there
// saves a table that would be built for every step.
type index []byte

// parseIndex checks the index of a layer. After that every record can be used.
func parseIndex(data []byte) (index, error) {
	rest, ok := bytes.CutPrefix(data, []byte(layerHeader))
	if !ok || len(rest) < trailerSize || (len(rest)-trailerSize)%recordSize != 0 {
		return nil, fmt.Errorf("%w: index of another form", errCorrupt)
	}
	end := len(data) - trailerSize
	if checksum(data[:end]) != binary.BigEndian.Uint32(data[end:]) {
		return nil, fmt.Errorf("%w: index with a wrong CRC-32C", errCorrupt)
	}
	x := index(rest[:len(rest)-trailerSize])
	for i := range x.len() {
		if i > 0 && bytes.Compare(x.action(i-1), x.action(i)) >= 0 {
			return nil, fmt.Errorf("%w: index out of order", errCorrupt)
		}
		if x.at(i).size < 0 {
			return nil, fmt.Errorf("%w: index with a negative size", errCorrupt)
		}
	}
	return x, nil
}

func (x index) len() int {
	return len(x) / recordSize
}

func (x index) action(i int) []byte {
	return x[i*recordSize:][:32]
}

func (x index) at(i int) record {
	b := x[i*recordSize:][:recordSize]
	r := record{
		size: int64(binary.BigEndian.Uint64(b[64:])),
		sum:  binary.BigEndian.Uint32(b[72:]),
	}
	copy(r.action[:], b)
	copy(r.out[:], b[32:])
	return r
}

func (x index) find(action id) (record, bool) {
	i := sort.Search(x.len(), func(i int) bool { return bytes.Compare(x.action(i), action[:]) >= 0 })
	if i == x.len() || !bytes.Equal(x.action(i), action[:]) {
		return record{}, false
	}
	return x.at(i), true
}

// layer is a read-only folder of objects.
type layer struct {
	dir  string
	base bool
	index
}

// openLayer reads the index of a layer. A folder without one is an empty layer.
func openLayer(dir string, base bool) (*layer, error) {
	l := &layer{dir: dir, base: base}
	data, err := os.ReadFile(filepath.Join(dir, "index"))
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l.index, err = parseIndex(data)
	return l, err
}

func layerFile(dir string, out id) string {
	return filepath.Join(dir, "o", out.String())
}

// get returns the output of an action after checking it. The error wraps
// errCorrupt, or fs.ErrNotExist when the layer does not know the action.
// Nothing is pinned: a layer stays as it is.
func (l *layer) get(action id) (*object, error) {
	r, ok := l.find(action)
	if !ok {
		return nil, fs.ErrNotExist
	}
	o := &object{out: r.out, size: r.size, sum: r.sum, from: fromLayer}
	if l.base {
		o.from = fromBase
	}
	if r.size == 0 {
		return o, nil
	}
	f, err := os.Open(layerFile(l.dir, r.out))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	defer f.Close()
	o.path = f.Name()
	o.kind, err = checkRecord(f, r, nil)
	return o, err
}

// checkRecord compares a file with the size and the checksum of its record. What it
// reads it writes to more, unless that is nil.
func checkRecord(f *os.File, r record, more io.Writer) (kind, error) {
	info, err := regular(f)
	if err != nil {
		return plain, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	if info.Size() != r.size {
		return plain, fmt.Errorf("%w: %d bytes instead of %d", errCorrupt, info.Size(), r.size)
	}
	d, err := read(f, r.size, more)
	if err == nil && d.sum != r.sum {
		err = fmt.Errorf("%w: wrong CRC-32C", errCorrupt)
	}
	return d.kind, err
}
