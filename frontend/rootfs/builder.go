package rootfs

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
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

// zipFiles returns where distributions keep the toolchain's time zones, as
// patterns below the root.
func zipFiles() []string {
	const file = "lib/time/zoneinfo.zip"
	return []string{"usr/local/go/" + file, "usr/lib/go*/" + file, "usr/share/go*/" + file, "opt/go*/" + file}
}

// tzdata unpacks the time zones that the Go release ships, or copies those of
// the builder image's distribution.
func (w *writer) tzdata(from string) bool {
	for _, pattern := range zipFiles() {
		names, err := filepath.Glob(filepath.Join(from, pattern))
		if err != nil {
			continue
		}
		slices.Sort(names)
		for _, name := range slices.Backward(names) {
			rel := strings.TrimPrefix(name, from)
			if file, err := confs.RootPath(from, rel); err == nil && w.unzip(file) {
				return true
			}
		}
	}
	dir, err := confs.RootPath(from, ZoneinfoPath)
	return err == nil && w.copyZones(dir)
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
func (w *writer) copyZones(dir string) bool {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return false
	}
	return w.zones(os.DirFS(dir))
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
