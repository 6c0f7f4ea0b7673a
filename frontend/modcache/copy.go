package modcache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/module"
)

// file is one file to copy.
type file struct {
	from, to string
	// sum is its SHA-256 in hex, "" when that is not known.
	sum string
}

// copyAll copies what is selected.
func (r *run) copyAll(sel map[module.Version]*selected) error {
	var mu sync.Mutex
	var files []file
	err := parallel(runtime.NumCPU(), slices.Collect(maps.Values(sel)), func(s *selected) error {
		some, err := r.copyModuleFiles(s)
		mu.Lock()
		defer mu.Unlock()
		files = append(files, some...)
		return err
	})
	if err != nil {
		return err
	}
	dirs := map[string]bool{}
	for _, f := range files {
		dirs[filepath.Dir(f.to)] = true
	}
	for dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return parallel(runtime.NumCPU(), files, copyFile)
}

// copyModuleFiles writes what is known of a module and lists its files.
func (r *run) copyModuleFiles(s *selected) ([]file, error) {
	man, err := r.manifest(s.Version, s.dir)
	if err != nil {
		return nil, err
	}
	if err := r.writeZipHash(s.Version, man.zipHash); err != nil {
		return nil, err
	}
	dir, err := moduleDir(r.Out, s.Version)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, name := range s.names(man) {
		local := filepath.FromSlash(name)
		files = append(files, file{from: filepath.Join(s.dir, local), to: filepath.Join(dir, local), sum: man.files[name]})
	}
	return files, os.MkdirAll(dir, 0o755)
}

// writeZipHash writes the hash of a module. One that go.sum does not know is
// taken from the cache, where there is none of a part of Go itself.
func (r *run) writeZipHash(m module.Version, zipHash string) error {
	if zipHash == "" {
		name, err := downloadFile(r.cache, m, ".ziphash")
		if err != nil {
			return err
		}
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		zipHash = string(data)
	}
	name, err := downloadFile(r.Out, m, ".ziphash")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o755)
	}
	if err == nil {
		err = os.WriteFile(name, []byte(zipHash), 0o644)
	}
	return err
}

// copyFile copies a file if it is what it should be.
func copyFile(f file) error {
	data, err := os.ReadFile(f.from)
	if err != nil {
		return fmt.Errorf("%w: %w", errSuspect, err)
	}
	if sum := sha256.Sum256(data); f.sum != "" && hex.EncodeToString(sum[:]) != f.sum {
		return fmt.Errorf("%w: %s is not what go.sum says", errSuspect, f.from)
	}
	return os.WriteFile(f.to, data, 0o644)
}

// consulted makes an empty folder of every module that the go command looks
// into, because its path is the start of an import path, and finds nothing.
// Nothing is read for that: an older version that go.sum still has does no harm.
func (r *run) consulted() error {
	some := map[module.Version]bool{}
	add := func(path string) {
		for _, m := range r.tree.candidates(path) {
			some[m] = true
		}
	}
	for _, b := range r.builds {
		for _, p := range b.packages {
			if !p.Standard {
				add(p.ImportPath)
			}
		}
	}
	for own := range r.tree.own {
		add(own)
		// A package of the tree may be below a module of elsewhere.
		for m := range r.tree.sums {
			if within(m.Path, own) {
				some[m] = true
			}
		}
	}
	for m := range some {
		if err := r.stub(m); err != nil {
			return err
		}
	}
	return nil
}

// stub makes the folder of a module.
func (r *run) stub(m module.Version) error {
	dir, err := moduleDir(r.Out, m)
	if err != nil {
		return nil // the go command cannot look into it either
	}
	zipHash, ok := r.tree.zipHash(m)
	if _, err := os.Lstat(dir); err == nil || !ok {
		return nil
	}
	if err := r.writeZipHash(m, zipHash); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}

// settle removes what the go command has left for itself, and sets modes and
// times.
func settle(out string) error {
	var all []string
	downloads, ours := filepath.Join(out, "cache")+string(filepath.Separator), filepath.Join(out, filepath.FromSlash(backFile))
	err := filepath.WalkDir(out, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, downloads) && !d.IsDir() && name != ours && !slices.Contains([]string{".mod", ".ziphash"}, filepath.Ext(name)) {
			return os.Remove(name)
		}
		all = append(all, name)
		return nil
	})
	if err != nil {
		return err
	}
	// From the inside out, as an entry changes the time of its directory.
	for _, name := range slices.Backward(all) {
		if err := settleOne(name, strings.HasPrefix(name, downloads)); err != nil {
			return err
		}
	}
	return nil
}

// settleOne sets the mode and time, and removes an empty directory where the
// go command looks into none.
func settleOne(name string, download bool) error {
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info.IsDir() {
		mode = 0o755
		if download && os.Remove(name) == nil {
			return nil
		}
	}
	epoch := time.Unix(0, 0)
	return errors.Join(os.Chmod(name, mode), os.Chtimes(name, epoch, epoch))
}
