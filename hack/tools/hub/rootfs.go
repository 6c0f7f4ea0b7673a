package main

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// writeBase writes what programs expect to find besides the toolchain.
func writeBase(w *tarWriter) error {
	certs, err := machineCerts()
	if err != nil {
		return err
	}
	return errors.Join(
		w.dir("etc", 0o755),
		w.file("etc/group", "root:x:0:\n", 0o644),
		w.file("etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\n", 0o644),
		w.dir("etc/ssl", 0o755),
		w.dir("etc/ssl/certs", 0o755),
		w.copy("etc/ssl/certs/ca-certificates.crt", certs, 0o644),
		w.dir("go", 0o1777),
		w.dir("go/bin", 0o1777),
		w.dir("go/src", 0o1777),
		w.dir("root", 0o700),
		w.dir("tmp", 0o1777),
		w.dir("usr", 0o755),
		w.dir("usr/local", 0o755),
	)
}

// machineCerts returns the file with the CA certificates that this machine
// trusts. Where it is depends on the distribution.
func machineCerts() (string, error) {
	for _, path := range []string{
		os.Getenv("SSL_CERT_FILE"),
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/ssl/cert.pem",
	} {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", errors.New("no CA certificates on this machine")
}

// writeToolchain writes the GOROOT at root to /usr/local/go.
func writeToolchain(w *tarWriter, root string) error {
	if err := w.dir(goroot, 0o755); err != nil {
		return err
	}
	return writeTree(w, root, "")
}

const goroot = "usr/local/go"

// writeTree writes what is in the folder dir of a GOROOT. It follows symbolic
// links: a distribution may have parts of the tree elsewhere.
func writeTree(w *tarWriter, root, dir string) error {
	entries, err := os.ReadDir(filepath.Join(root, dir)) // sorted
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		if leaveOut(name) {
			continue
		}
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			return err
		}
		if info.IsDir() {
			err = errors.Join(w.dir(path.Join(goroot, name), 0o755), writeTree(w, root, name))
		} else {
			err = w.copy(path.Join(goroot, name), filepath.Join(root, name), fileMode(name, info))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leaveOut names what building a program does not take. In a toolchain that
// was downloaded, _go.mod is the name of a go.mod inside of a module.
func leaveOut(name string) bool {
	switch name {
	case "api", "doc", "misc", "test", "pkg/obj":
		return true
	}
	return name[0] == '.' || path.Base(name) == "_go.mod"
}

// fileMode does not rely on the mode alone: modules do not keep it.
func fileMode(name string, info os.FileInfo) int64 {
	if info.Mode()&0o111 != 0 || strings.HasPrefix(name, "bin/") || strings.HasPrefix(name, "pkg/tool/") {
		return 0o755
	}
	return 0o644
}
