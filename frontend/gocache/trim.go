package gocache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// These are the numbers of the go command, which trims the same folder. It
// counts the days in the same file.
const (
	trimEvery = 24 * time.Hour
	trimAfter = 5 * 24 * time.Hour
)

// maxStore is how large a store may be after trimming. What was used longest
// ago goes first. It is more than any build needs and less than a disk; the
// daemon's own garbage collection is stricter.
const maxStore = 16 << 30

// trim removes what nobody has used for long. It does so once a day and store,
// whichever process comes first.
func (s *store) trim(limit int64) error {
	due, err := s.trimDue()
	if err != nil || !due {
		return err
	}
	var files []oldFile
	oldest := s.now().Add(-trimAfter - usedEvery)
	for i := range 256 {
		files = s.trimFolder(files, filepath.Join(s.dir, fmt.Sprintf("%02x", i)), oldest)
	}
	var size int64
	for _, f := range files {
		size += f.size
	}
	slices.SortFunc(files, func(a, b oldFile) int { return a.used.Compare(b.used) })
	// Others may be about to open what they found a moment ago.
	recent := s.now().Add(-2 * usedEvery)
	for _, f := range files {
		if size <= limit || f.used.After(recent) {
			break
		}
		if os.Remove(f.name) == nil {
			size -= f.size
		}
	}
	return nil
}

// trimDue reports whether a day has passed, and if so starts the next one.
func (s *store) trimDue() (bool, error) {
	name := filepath.Join(s.dir, "trim.txt")
	recent := func(data []byte) bool {
		seconds, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
		if err != nil {
			return false
		}
		// A time in the future is that of a wrong clock.
		age := s.now().Sub(time.Unix(seconds, 0))
		return age < trimEvery && age > -usedEvery
	}
	if data, err := os.ReadFile(name); err == nil && recent(data) {
		return false, nil
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return false, err
	}
	defer f.Close()
	// The lock is the one that the go command takes. Whoever came second finds
	// the work done.
	if err := lockFile(f); err != nil {
		return false, err
	}
	if data, err := os.ReadFile(name); err == nil && recent(data) {
		return false, nil
	}
	now := strconv.AppendInt(nil, s.now().Unix(), 10)
	_, err = f.WriteAt(now, 0)
	return err == nil, errors.Join(err, f.Truncate(int64(len(now))))
}

// oldFile is a file that trimming may remove.
type oldFile struct {
	name string
	size int64
	used time.Time
}

// trimFolder removes what was used before oldest and adds the rest to files.
func (s *store) trimFolder(files []oldFile, dir string, oldest time.Time) []oldFile {
	f, err := os.Open(dir)
	if err != nil {
		return files
	}
	defer f.Close()
	// What could be read is trimmed, even when it is not all.
	names, _ := f.Readdirnames(-1)
	for _, name := range names {
		if !strings.HasSuffix(name, "-a") && !strings.HasSuffix(name, "-d") {
			continue
		}
		name = filepath.Join(dir, name)
		info, err := os.Lstat(name)
		if err != nil {
			continue
		}
		if info.ModTime().Before(oldest) {
			// A cached executable is a folder.
			os.RemoveAll(name)
			continue
		}
		if info.Mode().IsRegular() {
			files = append(files, oldFile{name, onDisk(info.Size()), info.ModTime()})
		}
	}
	return files
}

// onDisk is what a file of a size takes, at a guess: most entries are small.
func onDisk(size int64) int64 {
	const block = 4 << 10
	return (size + block - 1) / block * block
}
