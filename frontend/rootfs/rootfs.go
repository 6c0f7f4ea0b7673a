// Package rootfs writes the files that an image from scratch lacks: CA
// certificates, time zones, users and a place for temporary files.
//
// Equal arguments and an equal builder image give equal bytes: every mode is
// set whatever the umask, and every time is the epoch.
//
// Invariant: a file that the builder image does not have is left out and
// reported; an image is never broken by it.
package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// CertsPath is where the CA certificates stand, one of the places in which
// crypto/x509 looks for them.
const CertsPath = "/etc/ssl/certs/ca-certificates.crt"

// HomePath is the home directory of the user nonroot.
const HomePath = "/home/nonroot"

// ZoneinfoPath is where the time zones stand, one of the places in which
// package time looks for them.
const ZoneinfoPath = "/usr/share/zoneinfo"

// Options says what is written.
type Options struct {
	// Certs copies the CA certificates of the builder image.
	Certs bool
	// Tzdata unpacks the time zones of the builder image's Go toolchain.
	Tzdata bool
	// Passwd writes users, groups, their homes and nsswitch.conf.
	Passwd bool
	// Tmp makes /tmp.
	Tmp bool
}

// Write writes the files into the folder to. The folder from is the root file
// system of the builder image. It returns what the builder image lacks, in
// words.
func Write(from, to string, o Options) (missing []string, err error) {
	w := writer{root: to}
	if o.Certs {
		if found := w.certs(from); !found {
			missing = append(missing, "CA certificates")
		}
	}
	if o.Tzdata {
		if found := w.tzdata(from); !found {
			missing = append(missing, "time zones")
		}
	}
	if o.Passwd {
		w.passwd()
	}
	if o.Tmp {
		w.dir("/tmp", 0o777|fs.ModeSticky, 0)
	}
	w.settle()
	return missing, w.err
}

// writer writes below a root and remembers the first error.
type writer struct {
	root string
	err  error
}

// dir makes a directory, and its parents with mode 0755.
func (w *writer) dir(name string, mode fs.FileMode, owner int) {
	if w.err != nil {
		return
	}
	if parent := filepath.Dir(name); parent != "/" {
		if _, err := os.Stat(filepath.Join(w.root, parent)); errors.Is(err, fs.ErrNotExist) {
			w.dir(parent, 0o755, 0)
		}
	}
	path := filepath.Join(w.root, name)
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		w.fail(err)
		return
	}
	w.own(path, mode, owner)
}

// file writes a file with mode 0644, and its parents.
func (w *writer) file(name string, data []byte) {
	if parent := filepath.Dir(name); parent != "/" {
		w.dir(parent, 0o755, 0)
	}
	if w.err != nil {
		return
	}
	path := filepath.Join(w.root, name)
	w.fail(os.WriteFile(path, data, 0o644))
	w.own(path, 0o644, 0)
}

// own sets mode and owner. The mode comes last: a new owner clears bits of it.
func (w *writer) own(path string, mode fs.FileMode, owner int) {
	if w.err != nil {
		return
	}
	if os.Geteuid() == 0 {
		w.fail(os.Lchown(path, owner, owner))
	}
	w.fail(os.Chmod(path, mode))
}

func (w *writer) fail(err error) {
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("write rootfs files: %w", err)
	}
}

// settle sets every time to the epoch, children before their directory.
func (w *writer) settle() {
	if w.err != nil {
		return
	}
	var names []string
	w.fail(filepath.WalkDir(w.root, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	}))
	epoch := time.Unix(0, 0)
	for _, name := range slices.Backward(names) {
		w.fail(os.Chtimes(name, epoch, epoch))
	}
}

// passwd writes root, nobody and nonroot, whose number is that of distroless
// images, and tells the resolver to read /etc/hosts first.
func (w *writer) passwd() {
	w.file("/etc/passwd", []byte("root:x:0:0:root:/root:/sbin/nologin\n"+
		"nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"+
		"nonroot:x:65532:65532:nonroot:"+HomePath+":/sbin/nologin\n"))
	w.file("/etc/group", []byte("root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n"))
	w.file("/etc/nsswitch.conf", []byte("hosts: files dns\n"))
	w.dir("/root", 0o700, 0)
	w.dir(HomePath, 0o700, 65532)
}
