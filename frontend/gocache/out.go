package gocache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
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
	if err := w.copyAll(objects); err != nil {
		return err
	}
	for action, o := range objects {
		if o.size == 0 || w.have[o.out] {
			w.records[action] = record{action: action, out: o.out, size: o.size, sum: o.sum}
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
	if _, err := checkRecord(f, r, nil); err != nil {
		return false
	}
	w.have[r.out] = true
	return true
}

// copyAll copies the files of objects that the layer lacks, as many at a time as
// there are processors: the go command waits for it with nothing else to do.
func (w *writer) copyAll(objects map[id]*object) error {
	lacking := map[id]*object{}
	for action, o := range objects {
		if !w.whole(record{action: action, out: o.out, size: o.size, sum: o.sum}) {
			lacking[o.out] = o
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	slots := make(chan struct{}, runtime.NumCPU())
	for out, o := range lacking {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			err := w.copy(o)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				w.have[out] = true
			case !errors.Is(err, errCorrupt) && !errors.Is(err, fs.ErrNotExist):
				failed = err
			}
		})
	}
	wg.Wait()
	return failed
}

// copy copies the file of an object into the layer. It is checked on the way, as
// it may be another one by now.
func (w *writer) copy(o *object) error {
	in, err := os.Open(o.path)
	if err != nil {
		return err
	}
	defer in.Close()
	return create(layerFile(w.dir, o.out), func(f *os.File) error {
		_, err := checkRecord(in, record{size: o.size, sum: o.sum}, f)
		return err
	})
}

// create writes a file of mode 0644, whatever the umask.
func create(name string, write func(*os.File) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Chmod(0o644), f.Close())
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
	if err := create(name+".new", func(f *os.File) error { _, err := f.Write(data); return err }); err != nil {
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
