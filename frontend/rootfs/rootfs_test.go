package rootfs

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const bundle = "# a comment\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

// tree makes a folder: a name that ends in a slash is a directory, a value
// that starts with -> is a link, everything else a file.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, data := range files {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		target, link := strings.CutPrefix(data, "->")
		switch {
		case strings.HasSuffix(name, "/"):
			must(t, os.MkdirAll(path, 0o755))
		case link:
			must(t, os.Symlink(target, path))
		default:
			must(t, os.WriteFile(path, []byte(data), 0o600))
		}
	}
	return root
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// umask makes the process as private as it can be until the test ends.
func umask(t *testing.T) {
	t.Helper()
	old := syscall.Umask(0o077)
	t.Cleanup(func() { syscall.Umask(old) })
}

// list writes every file below a folder: mode, owner, name and size.
func list(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.ModTime().Equal(time.Unix(0, 0)) {
			t.Errorf("%s: got time %v, want the epoch", path, info.ModTime())
		}
		if path == root {
			return nil
		}
		owner := "?"
		if st, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
			owner = fmt.Sprintf("%d:%d", st.Uid, st.Gid)
		}
		fmt.Fprintf(&b, "%v %s %s", info.Mode(), owner, strings.TrimPrefix(path, root))
		if info.Mode().IsRegular() {
			fmt.Fprintf(&b, " %d", info.Size())
		}
		b.WriteString("\n")
		return nil
	}))
	return b.String()
}

// TestWrite writes everything under a umask that lets nobody in.
func TestWrite(t *testing.T) {
	umask(t)
	from := tree(t, map[string]string{
		"etc/ssl/certs/ca-certificates.crt": bundle,
		"usr/share/zoneinfo/Europe/Berlin":  "TZif1",
		"usr/share/zoneinfo/UTC":            "TZif",
		"usr/share/zoneinfo/tzdata.zi":      "# no zone\n",
	})
	to := t.TempDir()
	missing, err := Write(from, to, Options{Certs: true, Tzdata: true, Passwd: true, Tmp: true})
	if err != nil || len(missing) > 0 {
		t.Fatalf("got error %v and %q missing, want neither", err, missing)
	}
	want := `drwxr-xr-x 0:0 /etc
-rw-r--r-- 0:0 /etc/group 43
-rw-r--r-- 0:0 /etc/nsswitch.conf 17
-rw-r--r-- 0:0 /etc/passwd 149
drwxr-xr-x 0:0 /etc/ssl
drwxr-xr-x 0:0 /etc/ssl/certs
-rw-r--r-- 0:0 /etc/ssl/certs/ca-certificates.crt 71
drwxr-xr-x 0:0 /home
drwx------ 65532:65532 /home/nonroot
drwx------ 0:0 /root
dtrwxrwxrwx 0:0 /tmp
drwxr-xr-x 0:0 /usr
drwxr-xr-x 0:0 /usr/share
drwxr-xr-x 0:0 /usr/share/zoneinfo
drwxr-xr-x 0:0 /usr/share/zoneinfo/Europe
-rw-r--r-- 0:0 /usr/share/zoneinfo/Europe/Berlin 5
-rw-r--r-- 0:0 /usr/share/zoneinfo/UTC 4
`
	if os.Geteuid() != 0 {
		want = strings.NewReplacer(" 0:0 ", " ? ", " 65532:65532 ", " ? ").Replace(want)
	}
	if got := list(t, to); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestOptions checks that nothing is written that nobody asked for.
func TestOptions(t *testing.T) {
	from := tree(t, map[string]string{"etc/ssl/cert.pem": bundle, "usr/share/zoneinfo/UTC": "TZif"})
	for _, tt := range []struct {
		opt  Options
		want []string
	}{
		{Options{}, nil},
		{Options{Certs: true}, []string{"etc"}},
		{Options{Tzdata: true}, []string{"usr"}},
		{Options{Passwd: true}, []string{"etc", "home", "root"}},
		{Options{Tmp: true}, []string{"tmp"}},
	} {
		to := t.TempDir()
		if _, err := Write(from, to, tt.opt); err != nil {
			t.Errorf("%+v: %v", tt.opt, err)
		}
		entries, err := os.ReadDir(to)
		must(t, err)
		var got []string
		for _, e := range entries {
			got = append(got, e.Name())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%+v: got %q, want %q", tt.opt, got, tt.want)
		}
	}
}

// TestMissing checks that an empty builder image breaks nothing.
func TestMissing(t *testing.T) {
	to := t.TempDir()
	missing, err := Write(t.TempDir(), to, Options{Certs: true, Tzdata: true, Tmp: true})
	if want := []string{"CA certificates", "time zones"}; err != nil || !slices.Equal(missing, want) {
		t.Errorf("got error %v and %q missing, want %q", err, missing, want)
	}
	if got := list(t, to); !strings.HasSuffix(got, " /tmp\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("got %s, want /tmp only", got)
	}
}

// TestNoTarget checks that a folder that does not exist is an error.
func TestNoTarget(t *testing.T) {
	_, err := Write(t.TempDir(), filepath.Join(t.TempDir(), "none"), Options{Tmp: true})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
}

// TestReproducible compares the archives of two runs, bit by bit. The builder
// images differ in what must not matter: times, modes and the order of writing.
func TestReproducible(t *testing.T) {
	files := map[string]string{"etc/ssl/cert.pem": bundle}
	for _, zone := range []string{"Africa/Cairo", "Europe/Berlin", "Europe/Paris", "UTC", "Z/Y/X/W"} {
		files["usr/share/zoneinfo/"+zone] = "TZif " + zone
	}
	archive := func() []byte {
		to := t.TempDir()
		must(t, os.Chmod(to, 0o755)) // the folder itself is the caller's
		if _, err := Write(tree(t, files), to, Options{Certs: true, Tzdata: true, Passwd: true, Tmp: true}); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		must(t, w.AddFS(os.DirFS(to)))
		must(t, w.Close())
		return b.Bytes()
	}
	first := archive()
	umask(t)
	if second := archive(); !bytes.Equal(first, second) {
		t.Errorf("got another archive of %d bytes, want the first one of %d bytes", len(second), len(first))
	}
}
