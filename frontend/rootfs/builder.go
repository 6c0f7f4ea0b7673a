package rootfs

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	confs "github.com/containerd/continuity/fs"
)

// certFiles returns where distributions keep the bundle, in the order of
// crypto/x509 (root_linux.go).
func certFiles() []string {
	return []string{
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/pki/tls/cacert.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"/etc/ssl/cert.pem",
	}
}

// certs copies the first bundle that holds a certificate.
func (w *writer) certs(from string) bool {
	for _, name := range certFiles() {
		// Links are followed as the builder image sees them, never out of it.
		file, err := confs.RootPath(from, name)
		if err != nil {
			continue
		}
		data, err := os.ReadFile(file)
		if err == nil && bytes.Contains(data, []byte("-----BEGIN CERTIFICATE-----")) {
			w.file(CertsPath, data)
			return true
		}
	}
	return false
}

// zipDirs returns where distributions keep Go, in folders that start with go.
func zipDirs() []string {
	return []string{"/usr/local", "/usr/lib", "/usr/share", "/opt"}
}

// tzdata unpacks the time zones that the Go release ships, or copies those of
// the builder image's distribution.
func (w *writer) tzdata(from string) bool {
	for _, dir := range zipDirs() {
		found, err := confs.RootPath(from, dir)
		if err != nil {
			continue
		}
		entries, err := os.ReadDir(found)
		if err != nil {
			continue
		}
		for _, e := range slices.Backward(entries) {
			if !strings.HasPrefix(e.Name(), "go") {
				continue
			}
			file, err := confs.RootPath(from, path.Join(dir, e.Name(), "lib/time/zoneinfo.zip"))
			if err == nil && w.unzip(file) {
				return true
			}
		}
	}
	return w.copyZones(zoneDir(from))
}

// unzip writes the zones of an archive. It returns false when there is none.
func (w *writer) unzip(file string) bool {
	r, err := zip.OpenReader(file)
	if err != nil {
		return false
	}
	defer r.Close()
	return w.zones(&r.Reader)
}

// copyZones writes the zones of a folder. It returns false when it has none.
func (w *writer) copyZones(dir zoneDir) bool {
	if info, err := fs.Stat(dir, "."); err != nil || !info.IsDir() {
		return false
	}
	return w.zones(dir)
}

// zoneDir is the folder of the time zones below the root of the builder image.
// Links are followed as the builder image sees them, never out of it.
type zoneDir string

// Open opens a file or folder.
func (root zoneDir) Open(name string) (fs.File, error) {
	file, err := confs.RootPath(string(root), path.Join(ZoneinfoPath, name))
	if err != nil {
		return nil, err
	}
	return os.Open(file)
}

// zones writes the time zone files of a tree, which start with TZif. Names are
// checked by fs.ValidPath, so none leaves the folder.
func (w *writer) zones(tree fs.FS) bool {
	found := false
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !fs.ValidPath(name) {
			return err
		}
		data, err := readZone(tree, name)
		if err != nil || !bytes.HasPrefix(data, []byte("TZif")) {
			return nil //nolint:nilerr // a file that is no zone is left out
		}
		found = true
		w.file(path.Join(ZoneinfoPath, name), data)
		return w.err
	})
	w.fail(err)
	return found
}

// readZone reads a file of at most 1 MiB, far more than any zone has.
func readZone(tree fs.FS, name string) ([]byte, error) {
	f, err := tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}
