package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// fileLayer is a layer in a file. It implements v1.Layer.
type fileLayer struct {
	path           string
	digest, diffID v1.Hash
	size           int64
}

func (l *fileLayer) Digest() (v1.Hash, error)            { return l.digest, nil }
func (l *fileLayer) DiffID() (v1.Hash, error)            { return l.diffID, nil }
func (l *fileLayer) Size() (int64, error)                { return l.size, nil }
func (l *fileLayer) MediaType() (types.MediaType, error) { return types.OCILayer, nil }
func (l *fileLayer) Compressed() (io.ReadCloser, error)  { return os.Open(l.path) }

func (l *fileLayer) Uncompressed() (io.ReadCloser, error) {
	f, err := os.Open(l.path)
	if err != nil {
		return nil, err
	}
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{zr, f}, nil
}

// writeLayer hashes the layer on both sides of the compression while it writes
// it to the file.
func writeLayer(f *os.File, write func(*tarWriter) error) (*fileLayer, error) {
	digest, diffID := sha256.New(), sha256.New()
	buf := bufio.NewWriterSize(io.MultiWriter(f, digest), 1<<20)
	zw, err := gzip.NewWriterLevel(buf, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	tw := tar.NewWriter(io.MultiWriter(zw, diffID))
	if err := write(&tarWriter{tw}); err != nil {
		return nil, err
	}
	for _, end := range []func() error{tw.Close, zw.Close, buf.Flush} {
		if err := end(); err != nil {
			return nil, err
		}
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &fileLayer{path: f.Name(), digest: sum(digest), diffID: sum(diffID), size: info.Size()}, nil
}

func sum(h hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
}

// tarWriter writes entries that depend on nothing but the arguments: they
// belong to root and are of the year 1970.
type tarWriter struct {
	tw *tar.Writer
}

func (w *tarWriter) dir(name string, mode int64) error {
	return w.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode, ModTime: epoch()})
}

func (w *tarWriter) file(name, text string, mode int64) error {
	err := w.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(text)), ModTime: epoch()})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w.tw, text)
	return err
}

// copy writes the file at path.
func (w *tarWriter) copy(name, path string, mode int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "copy", Path: path, Err: fs.ErrInvalid}
	}
	err = w.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: info.Size(), ModTime: epoch()})
	if err != nil {
		return err
	}
	_, err = io.Copy(w.tw, f)
	return err
}

// symlink writes a symbolic link.
func (w *tarWriter) symlink(name, target string) error {
	return w.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777, ModTime: epoch()})
}

// hardlink writes another name for an entry of the same layer. The mode must be
// that of the entry: who unpacks the layer may set it anew.
func (w *tarWriter) hardlink(name, entry string, mode int64) error {
	return w.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: entry, Mode: mode, ModTime: epoch()})
}

func epoch() time.Time { return time.Unix(0, 0).UTC() }
