package modcache

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// manifest is the files of a module.
type manifest struct {
	// zipHash is the line of go.sum that confirms it, "" when there is none.
	zipHash string
	// files are the SHA-256 in hex by name. An unconfirmed one has none.
	files map[string]string
	// dirs are the names by directory, sorted.
	dirs map[string][]string
}

// manifest returns the files of a module, and fails when they are not those
// that go.sum means. Of a confirmed one the files may still be others by now.
func (r *run) manifest(m module.Version, dir string) (*manifest, error) {
	sums := r.tree.sums[m]
	if len(sums) == 0 {
		names, err := walk(dir)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSuspect, err)
		}
		man := newManifest("")
		for _, name := range names {
			man.add(name, "")
		}
		return man, nil
	}
	kept, err := r.keptManifest(m)
	if err != nil {
		return nil, err
	}
	if data, err := os.ReadFile(kept); err == nil {
		if man := parseManifest(m, string(data), sums); man != nil {
			return man, nil
		}
	}
	data, err := hashDir(m, dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSuspect, err)
	}
	man := parseManifest(m, data, sums)
	if man == nil {
		return nil, fmt.Errorf("%w: %s is not what go.sum says", errSuspect, m)
	}
	if !r.private {
		keep(kept, data)
	}
	return man, nil
}

// keptManifest is where the shared cache has the manifest of a module.
func (r *run) keptManifest(m module.Version) (string, error) {
	path, version, err := escape(m)
	return filepath.Join(r.cache, "cache", "gopherfile", filepath.FromSlash(path)+"@"+version+".sums"), err
}

// keep writes a manifest. Without it the next build hashes the module again,
// which is why an error is ignored.
func keep(name, data string) {
	if os.MkdirAll(filepath.Dir(name), 0o755) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".sums-")
	if err != nil {
		return
	}
	_, err = io.WriteString(f, data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		if err = os.Rename(f.Name(), name); err != nil && os.RemoveAll(name) == nil { // a directory
			err = os.Rename(f.Name(), name)
		}
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
}

// hashDir hashes all files of a module. The result is what dirhash.Hash1 makes
// its sum of.
func hashDir(m module.Version, dir string) (string, error) {
	names, err := walk(dir)
	if err != nil {
		return "", err
	}
	lines := make([]string, len(names))
	index := make([]int, len(names))
	for i := range index {
		index[i] = i
	}
	err = parallel(runtime.NumCPU(), index, func(i int) error {
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(names[i])))
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		lines[i] = fmt.Sprintf("%x  %s/%s\n", h.Sum(nil), m, names[i])
		return nil
	})
	return strings.Join(lines, ""), err
}

// walk lists the files of a module, sorted.
func walk(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, ok := inside(dir, name)
		if !ok || !d.Type().IsRegular() || strings.Contains(rel, "\n") {
			return fmt.Errorf("%q is in no module", name)
		}
		names = append(names, rel)
		return nil
	})
	slices.Sort(names)
	return names, err
}

// parseManifest returns nil when no sum confirms the manifest.
func parseManifest(m module.Version, data string, sums []string) *manifest {
	all := sha256.Sum256([]byte(data))
	zipHash := "h1:" + base64.StdEncoding.EncodeToString(all[:])
	if !slices.Contains(sums, zipHash) {
		return nil
	}
	man := newManifest(zipHash)
	for line := range strings.Lines(data) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		name, ok := strings.CutPrefix(name, m.String()+"/")
		if ok && filepath.IsLocal(name) && len(sum) == hex.EncodedLen(sha256.Size) {
			man.add(name, sum)
		}
	}
	return man
}

func newManifest(zipHash string) *manifest {
	return &manifest{zipHash: zipHash, files: map[string]string{}, dirs: map[string][]string{}}
}

func (man *manifest) add(name, sum string) {
	man.files[name] = sum
	man.dirs[path.Dir(name)] = append(man.dirs[path.Dir(name)], name)
}
