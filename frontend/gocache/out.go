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
	"slices"
	"time"
)

// writer writes a layer. Several go commands may write the same one, one after
// the other or at once.
type writer struct {
	dir string
	// have is the files that are known to be whole.
	have    map[id]bool
	records map[id]record
	bytes   int64
}

// writeLayer adds objects to a layer and returns how many bytes it holds then.
// An object whose file is not what it was when it was checked is left out.
func writeLayer(dir string, objects map[id]*object) (size int64, err error) {
	w := &writer{dir: dir, have: map[id]bool{}, records: map[id]record{}}
	if err := w.write(objects); err != nil {
		return 0, fmt.Errorf("write layer %s: %w", dir, err)
	}
	return w.bytes, nil
}

func (w *writer) write(objects map[id]*object) error {
	if err := os.MkdirAll(filepath.Join(w.dir, "o"), 0o755); err != nil {
		return err
	}
	lock, err := os.Open(w.dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := lockFile(lock); err != nil {
		return err
	}
	if err := w.earlier(); err != nil {
		return err
	}
	for action, o := range objects {
		r := record{action: action, out: o.out, size: o.size, sum: o.sum}
		switch err := w.add(r, o.path); {
		case errors.Is(err, errCorrupt), errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		default:
			w.records[action] = r
		}
	}
	if err := w.index(); err != nil {
		return err
	}
	return w.settle()
}

// earlier reads what is in the layer. What is not whole is of a process that
// was killed, or cannot be told from it.
func (w *writer) earlier() error {
	l, err := openLayer(w.dir, false)
	if err != nil && !errors.Is(err, errCorrupt) {
		return err
	}
	for i := range l.len() {
		r := l.at(i)
		if w.whole(r) {
			w.records[r.action] = r
		}
	}
	return nil
}

// whole reports whether the layer has the file of a record.
func (w *writer) whole(r record) bool {
	if r.size == 0 || w.have[r.out] {
		return true
	}
	f, err := os.Open(layerFile(w.dir, r.out))
	if err != nil {
		return false
	}
	defer f.Close()
	if _, err := checkRecord(f, r); err != nil {
		return false
	}
	w.have[r.out] = true
	return true
}

// add copies a file into the layer.
func (w *writer) add(r record, path string) error {
	if w.whole(r) {
		return nil
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	if _, err := checkRecord(in, r); err != nil {
		return err
	}
	name := layerFile(w.dir, r.out)
	err = create(name, io.LimitReader(in, r.size))
	w.have[r.out] = err == nil
	return err
}

// create writes a file of mode 0644, whatever the umask.
func create(name string, r io.Reader) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Chmod(0o644), f.Close())
}

// index writes the records, which makes the objects visible.
func (w *writer) index() error {
	all := make([]record, 0, len(w.records))
	for _, r := range w.records {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b record) int { return bytes.Compare(a.action[:], b.action[:]) })
	data := []byte(layerHeader)
	for _, r := range all {
		data = appendRecord(data, r)
	}
	data = binary.BigEndian.AppendUint32(data, checksum(data))
	name := filepath.Join(w.dir, "index")
	if err := create(name+".new", bytes.NewReader(data)); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// settle removes what no record names and sets modes and times, so that equal
// objects give an equal layer.
func (w *writer) settle() error {
	o := filepath.Join(w.dir, "o")
	files, err := os.ReadDir(o)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, r := range w.records {
		named[r.out.String()] = r.size > 0
	}
	epoch := time.Unix(0, 0)
	for _, file := range files {
		name := filepath.Join(o, file.Name())
		if !named[file.Name()] {
			err = errors.Join(err, os.RemoveAll(name))
			continue
		}
		if info, statErr := file.Info(); statErr == nil {
			w.bytes += info.Size()
		}
		err = errors.Join(err, os.Chtimes(name, epoch, epoch))
	}
	for _, name := range []string{filepath.Join(w.dir, "index"), o, w.dir} {
		err = errors.Join(err, os.Chtimes(name, epoch, epoch))
	}
	return errors.Join(err, os.Chmod(o, 0o755))
}
