package gocache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// store is a folder laid out like the go command's own cache. Below a folder
// named by the first two digits of a hash, ACTION-a says which output an action
// has, and OUTPUT-d is that output.
type store struct {
	dir  string
	pins *pins
	now  func() time.Time
}

// entrySize is the size of every ACTION-a, a line of the form
// "v1 ACTION OUTPUT SIZE TIME".
const entrySize = len("v1 ") + 64 + 1 + 64 + 1 + 20 + 1 + 20 + 1

// usedEvery is how exact the time of a file says when it was used last. It is
// that of the go command, which saves most writes.
const usedEvery = time.Hour

// entry is the content of an ACTION-a.
type entry struct {
	out  id
	size int64
	time time.Time
}

func (s *store) name(i id, suffix string) string {
	hash := i.String()
	return filepath.Join(s.dir, hash[:2], hash+suffix)
}

// get returns the output of an action after checking it. The error wraps
// errCorrupt, or says why there is none.
func (s *store) get(action id) (*object, error) {
	e, err := s.entry(action)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(s.name(e.out, "-d"))
	if err != nil {
		return nil, err
	}
	d, err := check(f, e)
	if err == nil && d.kind == moduleIndex {
		err = errors.New("a module index is of one module cache")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &object{
		out: e.out, size: e.size, sum: d.sum, kind: d.kind,
		from: fromStore, path: s.take(f, e), time: &e.time,
	}, nil
}

// take hands an open output over to the go command and returns its path, which
// an empty one does not have.
func (s *store) take(f *os.File, e entry) (path string) {
	s.used(s.name(e.out, "-d"), f)
	if e.size == 0 {
		f.Close()
		return ""
	}
	return s.pins.pin(f, s.name(e.out, "-d"))
}

// check compares a file with its entry. The SHA-256 is computed only for a file
// that nobody has checked before.
func check(f *os.File, e entry) (digest, error) {
	info, err := regular(f)
	if err != nil {
		return digest{}, err
	}
	if info.Size() != e.size {
		return digest{}, fmt.Errorf("%w: %d bytes instead of %d", errCorrupt, info.Size(), e.size)
	}
	if sum, ok := getSum(f, e.size); ok {
		d, err := read(f, e.size, nil)
		if err == nil && d.sum != sum {
			err = fmt.Errorf("%w: wrong CRC-32C", errCorrupt)
		}
		return d, err
	}
	h := sha256.New()
	d, err := read(f, e.size, h)
	if err != nil {
		return d, err
	}
	if id(h.Sum(nil)) != e.out {
		return d, fmt.Errorf("%w: wrong SHA-256", errCorrupt)
	}
	setSum(f, e.size, d.sum)
	return d, nil
}

func (s *store) entry(action id) (entry, error) {
	f, err := os.Open(s.name(action, "-a"))
	if err != nil {
		return entry{}, err
	}
	defer f.Close()
	line := make([]byte, entrySize+1)
	n, err := io.ReadFull(f, line)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		return entry{}, fmt.Errorf("%w: entry of another size", errCorrupt)
	}
	e, err := parseEntry(line[:n], action)
	if err == nil {
		s.used(f.Name(), f)
	}
	return e, err
}

func parseEntry(line []byte, action id) (entry, error) {
	var e entry
	field := bytes.Fields(line)
	if len(line) != entrySize || line[entrySize-1] != '\n' || len(field) != 5 || string(field[0]) != "v1" || string(field[1]) != action.String() {
		return e, fmt.Errorf("%w: entry of another form", errCorrupt)
	}
	if len(field[2]) != hex.EncodedLen(len(e.out)) {
		return e, fmt.Errorf("%w: entry with a short output", errCorrupt)
	}
	if _, err := hex.Decode(e.out[:], field[2]); err != nil {
		return e, fmt.Errorf("%w: entry without an output", errCorrupt)
	}
	size, err := strconv.ParseInt(string(field[3]), 10, 64)
	if err != nil || size < 0 {
		return e, fmt.Errorf("%w: entry without a size", errCorrupt)
	}
	nanos, err := strconv.ParseInt(string(field[4]), 10, 64)
	if err != nil {
		return e, fmt.Errorf("%w: entry without a time", errCorrupt)
	}
	e.size, e.time = size, time.Unix(0, nanos)
	return e, nil
}

// put keeps the output of an action. Neither file is seen before it is whole,
// and the output is there before the entry.
func (s *store) put(action, out id, body []byte, sum uint32) (*object, error) {
	e := entry{out: out, size: int64(len(body)), time: s.now()}
	f, err := s.sameFile(e, sum)
	if err != nil {
		f, err = s.replace(s.name(out, "-d"), body, func(f *os.File) { setSum(f, e.size, sum) })
	}
	if err != nil {
		return nil, err
	}
	line := fmt.Appendf(nil, "v1 %s %s %20d %20d\n", action, out, e.size, e.time.UnixNano())
	a, err := s.replace(s.name(action, "-a"), line, func(*os.File) {})
	if err != nil {
		f.Close()
		return nil, err
	}
	a.Close()
	return &object{out: out, size: e.size, sum: sum, kind: kindOf(body), path: s.take(f, e)}, nil
}

// sameFile opens the output when it is there already. It is checked, as a
// corrupt one has to be replaced.
func (s *store) sameFile(e entry, sum uint32) (*os.File, error) {
	f, err := os.Open(s.name(e.out, "-d"))
	if err != nil {
		return nil, err
	}
	d, err := check(f, e)
	if err == nil && d.sum != sum {
		err = fmt.Errorf("%w: wrong CRC-32C", errCorrupt)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// replace writes a file and returns it, still open. The name of the temporary
// file ends like that of an object, so that the go command trims it too.
func (s *store) replace(name string, data []byte, finish func(*os.File)) (*os.File, error) {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, "new-*-d")
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, err
		}
		f, err = os.CreateTemp(dir, "new-*-d")
	}
	if err != nil {
		return nil, err
	}
	_, err = f.Write(data)
	if err == nil {
		finish(f)
		// Others than the user that made it may read the store, as the go
		// command lets them.
		err = errors.Join(f.Chmod(0o644), rename(f.Name(), name))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}

// rename puts a file in the place of another, or of an empty directory, which a
// broken disk may have left there: it would be a miss forever. A directory that
// is not empty may be a program that the go command keeps.
func rename(from, to string) error {
	err := os.Rename(from, to)
	if err == nil || !isDir(to) || os.Remove(to) != nil {
		return err
	}
	return os.Rename(from, to)
}

func isDir(name string) bool {
	info, err := os.Lstat(name)
	return err == nil && info.IsDir()
}

// used lets trimming know that a file is in use.
func (s *store) used(name string, f *os.File) {
	if info, err := f.Stat(); err == nil {
		s.touch(name, info)
	}
}

// keep lets trimming know that an action is in use that a layer has answered.
// Otherwise the store would lose, after some days of builds that only change
// their own packages, what the next change of a dependency needs.
func (s *store) keep(action, out id) {
	for _, name := range []string{s.name(action, "-a"), s.name(out, "-d")} {
		info, err := os.Lstat(name)
		if err != nil {
			return
		}
		s.touch(name, info)
	}
}

func (s *store) touch(name string, info os.FileInfo) {
	if now := s.now(); now.Sub(info.ModTime()) >= usedEvery {
		os.Chtimes(name, now, now)
	}
}
