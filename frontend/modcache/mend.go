package modcache

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mend removes from a shared module cache what is otherwise in a private one, which
// was just filled: the next build downloads that, and not everything, as every build
// would from now on. Who reads it meanwhile reads what is damaged, or nothing, and
// makes do without the shared cache.
func mend(shared, private string) error {
	return filepath.WalkDir(private, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(private, name)
		if err != nil {
			return err
		}
		there := filepath.Join(shared, rel)
		switch {
		case d.IsDir() && strings.Contains(d.Name(), "@") && d.Name() != "@v":
			if !sameTree(there, name) {
				if err := discard(shared, there); err != nil {
					return err
				}
			}
			return fs.SkipDir
		case d.Type().IsRegular() && !likeFile(there, name):
			return discard(shared, there)
		}
		return nil
	})
}

// likeFile reports whether a file is what it should be. Of what is no part of a
// module, such as a lock, it is enough that it is a file.
func likeFile(there, name string) bool {
	if slices.Contains([]string{".info", ".mod", ".zip", ".ziphash"}, filepath.Ext(name)) {
		return sameFile(there, name)
	}
	info, err := os.Lstat(there)
	return err != nil || info.Mode().IsRegular()
}

// sameFile reports whether two files have the same content. What is not there is no
// harm.
func sameFile(there, name string) bool {
	got, err := os.ReadFile(there)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	want, wantErr := os.ReadFile(name)
	return err == nil && wantErr == nil && bytes.Equal(got, want)
}

// sameTree reports whether two modules have the same files.
func sameTree(there, name string) bool {
	if _, err := os.Lstat(there); errors.Is(err, fs.ErrNotExist) {
		return true
	}
	got, err := walk(there)
	want, wantErr := walk(name)
	if err != nil || wantErr != nil || !slices.Equal(got, want) {
		return false
	}
	return !slices.ContainsFunc(want, func(file string) bool {
		return !sameFile(filepath.Join(there, file), filepath.Join(name, file))
	})
}

// discard removes a name at once, and then what it stood for.
func discard(shared, name string) error {
	bin, err := os.MkdirTemp(shared, ".damaged-")
	if err != nil {
		return err
	}
	if err = os.Rename(name, filepath.Join(bin, "it")); errors.Is(err, fs.ErrNotExist) {
		err = nil // another build was faster
	}
	return errors.Join(err, os.RemoveAll(bin))
}
