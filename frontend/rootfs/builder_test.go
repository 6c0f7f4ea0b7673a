package rootfs

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCerts finds the bundle wherever a distribution keeps it, and follows
// links as the builder image does.
func TestCerts(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "host.pem")
	must(t, os.WriteFile(secret, []byte(bundle+"host"), 0o600))
	type files = map[string]string
	tests := map[string]struct {
		files files
		want  string
	}{
		"absolute link":  {files{"etc/ssl/certs/ca-certificates.crt": "->/etc/pem", "etc/pem": bundle}, bundle},
		"relative link":  {files{"etc/ssl/certs/ca-certificates.crt": "->../../pem", "etc/pem": bundle}, bundle},
		"link to folder": {files{"etc/ssl": "->/var/ssl", "var/ssl/cert.pem": bundle}, bundle},
		"chain of links": {files{"etc/ssl/cert.pem": "->/a", "a": "->b", "b": "->/c/d", "c": "->/e", "e/d": bundle}, bundle},
		"absolute out":   {files{"etc/ssl/cert.pem": "->" + secret}, ""},
		"relative out":   {files{"etc/ssl/cert.pem": "->../../../../../../../../../.." + secret}, ""},
		"link to itself": {files{"etc/ssl/cert.pem": "->cert.pem"}, ""},
		"dangling link":  {files{"etc/ssl/cert.pem": "->none"}, ""},
		"folder":         {files{"etc/ssl/cert.pem/": ""}, ""},
		"file in way":    {files{"etc": "no folder"}, ""},
		"empty":          {files{"etc/ssl/cert.pem": ""}, ""},
		"no certificate": {files{"etc/ssl/cert.pem": "# none yet\n"}, ""},
		"next place":     {files{"etc/ssl/certs/ca-certificates.crt": "", "etc/ssl/cert.pem": bundle}, bundle},
		"first place":    {files{"etc/ssl/certs/ca-certificates.crt": bundle, "etc/ssl/cert.pem": bundle + "2"}, bundle},
	}
	for _, name := range certFiles() {
		tests[name] = struct {
			files files
			want  string
		}{files{name: bundle}, bundle}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			to := t.TempDir()
			missing, err := Write(tree(t, tt.files), to, Options{Certs: true})
			must(t, err)
			if reported := slices.Equal(missing, []string{"CA certificates"}); reported != (tt.want == "") {
				t.Errorf("got %q missing, want %v", missing, tt.want == "")
			}
			got, err := os.ReadFile(filepath.Join(to, CertsPath))
			if string(got) != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q and error %v, want %q", got, err, tt.want)
			}
		})
	}
}

// archive makes a zip. The names are taken as they are.
func archive(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name})
		must(t, err)
		_, err = f.Write([]byte(files[name]))
		must(t, err)
	}
	must(t, w.Close())
	return b.String()
}

// zones returns the contents of the zone files below a root, by name.
func zones(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, ok := strings.CutPrefix(path, filepath.Join(root, ZoneinfoPath)+"/")
		if !ok {
			t.Errorf("got %s, want nothing outside of %s", path, ZoneinfoPath)
		}
		found[name] = string(data)
		return err
	}))
	return found
}

// TestTzdata finds the zones in the archive of a Go release or in the folder of
// a distribution.
func TestTzdata(t *testing.T) {
	const file = "/lib/time/zoneinfo.zip"
	host := t.TempDir()
	must(t, os.WriteFile(filepath.Join(host, "Host"), []byte("TZif host"), 0o600))
	type files = map[string]string
	one := archive(t, files{"Zip": "TZif zip"})
	folder := func(more files) files {
		all := files{"usr/share/zoneinfo/A/B": "TZif folder"}
		maps.Copy(all, more)
		return all
	}
	zip, dir := files{"Zip": "TZif zip"}, files{"A/B": "TZif folder"}
	for name, tt := range map[string]struct{ files, want files }{
		"usr/local":        {files{"usr/local/go" + file: one}, zip},
		"usr/lib":          {files{"usr/lib/go-1.26" + file: one}, zip},
		"golang":           {files{"usr/lib/golang" + file: one}, zip},
		"usr/share":        {files{"usr/share/go" + file: one}, zip},
		"opt":              {files{"opt/go1.26.3" + file: one}, zip},
		"newest":           {files{"opt/go1.25" + file: archive(t, files{"Old": "TZif"}), "opt/go1.26" + file: one}, zip},
		"next folder":      {files{"opt/go2/": "", "opt/go1.26" + file: one}, zip},
		"relative link":    {files{"usr/local/go": "->../../opt/x", "opt/x" + file: one}, zip},
		"absolute link":    {files{"usr/local/go": "->/opt/x", "opt/x" + file: one}, zip},
		"zip first":        {folder(files{"usr/local/go" + file: one}), zip},
		"folder":           {folder(nil), dir},
		"broken zip":       {folder(files{"usr/local/go" + file: one[:20]}), dir},
		"empty zip":        {folder(files{"usr/local/go" + file: archive(t, nil)}), dir},
		"zip of no zones":  {folder(files{"usr/local/go" + file: archive(t, files{"a": "b"})}), dir},
		"no zone":          {folder(files{"usr/share/zoneinfo/zone.tab": "# text"}), dir},
		"link in folder":   {folder(files{"usr/share/zoneinfo/C": "->A/B"}), files{"A/B": "TZif folder", "C": "TZif folder"}},
		"absolute in link": {folder(files{"usr/share/zoneinfo/C": "->/usr/share/zoneinfo/A/B"}), files{"A/B": "TZif folder", "C": "TZif folder"}},
		"folder is a link": {files{"usr/share/zoneinfo": "->/usr/lib/zones", "usr/lib/zones/A/B": "TZif folder"}, dir},
		"link out":         {folder(files{"usr/share/zoneinfo/Host": "->" + host + "/Host"}), dir},
		"relative out":     {folder(files{"usr/share/zoneinfo/Host": "->../../../../../../../../../.." + host + "/Host"}), dir},
		"folder link out":  {files{"usr/share/zoneinfo": "->" + host}, files{}},
		"file":             {files{"usr/share/zoneinfo": "TZif"}, files{}},
		"empty folder":     {files{"usr/share/zoneinfo/": ""}, files{}},
		"nothing":          {nil, files{}},
	} {
		t.Run(name, func(t *testing.T) {
			to := t.TempDir()
			missing, err := Write(tree(t, tt.files), to, Options{Tzdata: true})
			must(t, err)
			if reported := slices.Equal(missing, []string{"time zones"}); reported != (len(tt.want) == 0) {
				t.Errorf("got %q missing, want %v", missing, len(tt.want) == 0)
			}
			if got := zones(t, to); !maps.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestHostileZip unpacks names that lead out of the folder. An archive that
// cannot be walked, such as one that holds a name twice, is an error: nobody
// could say what it means.
func TestHostileZip(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		fail  bool
	}{
		"out":       {files: map[string]string{"../evil1": "TZif", "../../../evil2": "TZif", "a/../../evil3": "TZif", "good": "TZif"}},
		"absolute":  {files: map[string]string{"/evil1": "TZif", "//evil2": "TZif", "good": "TZif"}},
		"backslash": {files: map[string]string{`..\evil`: "TZif", `C:\evil`: "TZif", "good": "TZif"}},
		"parent":    {files: map[string]string{"..": "TZif", "./": "", "good": "TZif"}, fail: true},
		"twice":     {files: map[string]string{"evil": "TZif", "evil/evil": "TZif", "good": "TZif"}, fail: true},
		"large":     {files: map[string]string{"evil": "TZif" + strings.Repeat("x", 4<<20), "good": "TZif"}},
	} {
		t.Run(name, func(t *testing.T) {
			above := t.TempDir()
			to := filepath.Join(above, "x/y/z/to")
			must(t, os.MkdirAll(to, 0o755))
			from := tree(t, map[string]string{"usr/local/go/lib/time/zoneinfo.zip": archive(t, tt.files)})
			_, err := Write(from, to, Options{Tzdata: true})
			if (err != nil) != tt.fail {
				t.Errorf("got error %v, want one: %v", err, tt.fail)
			}
			if got := zones(t, to); got["good"] == "" && !tt.fail {
				t.Errorf("got %d zones, want good among them", len(got))
			}
			must(t, filepath.WalkDir(above, func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() && !strings.HasPrefix(path, filepath.Join(to, ZoneinfoPath)) {
					t.Errorf("got %s, want nothing outside of %s", path, ZoneinfoPath)
				}
				return err
			}))
		})
	}
}

// TestGoRelease unpacks the archive of the Go release that runs the test, and
// loads zones from the result as a program in the image does.
func TestGoRelease(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(goroot)), "lib/time/zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	from := tree(t, map[string]string{"usr/local/go/lib/time/zoneinfo.zip": string(data)})
	missing, err := Write(from, to, Options{Tzdata: true})
	if err != nil || len(missing) > 0 {
		t.Fatalf("got error %v and %q missing, want neither", err, missing)
	}
	for name, want := range map[string]string{
		"Europe/Berlin":                  "CEST",
		"America/Argentina/Buenos_Aires": "-03",
		"UTC":                            "UTC",
		"Asia/Kolkata":                   "IST",
	} {
		data, err := os.ReadFile(filepath.Join(to, ZoneinfoPath, name))
		must(t, err)
		loc, err := time.LoadLocationFromTZData(name, data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _ := time.Date(2026, 7, 1, 0, 0, 0, 0, loc).Zone(); got != want {
			t.Errorf("%s: got %s in July, want %s", name, got, want)
		}
	}
}
