package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/sbom/sbomtest"
)

// twice puts the program of the test where the graph has binaries: as it is
// shipped, and with its symbols. It returns the folder and the name below it.
func twice(t *testing.T) (from, name string) {
	t.Helper()
	from = t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"0", "0-symbols"} {
		if err := os.Mkdir(filepath.Join(from, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(exe, filepath.Join(from, dir, "app")); err != nil {
			copyFile(t, exe, filepath.Join(from, dir, "app"))
		}
	}
	return from, "0/app"
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// read returns a file that must be of 1970.
func read(t *testing.T, name string) string {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.ModTime().Unix() != 0 {
		t.Errorf("%s: got time %v, want 1970", name, info.ModTime())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestSBOM writes a document of a binary and of a file that is none.
func TestSBOM(t *testing.T) {
	from, name := twice(t)
	if err := os.WriteFile(filepath.Join(from, "0", "script"), []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	if err := run([]string{"sbom", "-name", "app", "-image", "-created", "1700000000", from, to, name, "0/script"}); err != nil {
		t.Fatal(err)
	}
	got := read(t, filepath.Join(to, "sbom.spdx.json"))
	if _, err := sbomtest.Read([]byte(got)); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		`"fileName": "./app"`, `"fileName": "./script"`, `"created": "2023-11-14T22:13:20Z"`, `"the file has no build info"`, `"name": "stdlib"`,
		`"checksumValue": "f572d396fae9206628714fb2ce00f72e94f2258f"`,                         // sha1sum of hello
		`"checksumValue": "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"`, // and sha256sum
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the document has no %s:\n%s", want, got)
		}
	}
}

// TestSize writes what a binary is made of.
func TestSize(t *testing.T) {
	from, name := twice(t)
	to := t.TempDir()
	// The program of a test has no symbols.
	source, whole := filepath.Join(t.TempDir(), "main.go"), filepath.Join(from, "0-symbols", "app")
	if err := errors.Join(os.Remove(whole), os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", whole, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	shipped, err := os.Stat(filepath.Join(from, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"size", "-platform", "linux/amd64", from, to, name}); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Platform string
		Binaries []struct {
			Name       string
			File, Size int64
		}
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(to, "size.json"))), &report); err != nil {
		t.Fatal(err)
	}
	if report.Platform != "linux/amd64" || len(report.Binaries) != 1 || report.Binaries[0].Name != "app" || report.Binaries[0].File != shipped.Size() || report.Binaries[0].Size < 100_000 {
		t.Errorf("got %+v, want app with %d bytes", report, shipped.Size())
	}
	if got := read(t, filepath.Join(to, "size.txt")); !strings.HasPrefix(got, "app for linux/amd64: ") {
		t.Errorf("got %s", got)
	}
	read(t, filepath.Join(to, "size.html"))
}

// TestAttestArguments checks what is refused.
func TestAttestArguments(t *testing.T) {
	empty := t.TempDir()
	for _, args := range [][]string{
		{"sbom"}, {"sbom", "-no-such-flag"}, {"sbom", empty, empty, "0/missing"}, {"sbom", empty, filepath.Join(empty, "missing")},
		{"size"}, {"size", "-no-such-flag"}, {"size", empty, empty, "0/missing"},
		{"vuln"}, {"vuln", "-no-such-flag"}, {"vuln", "-created", "x", empty, empty, "0/missing"},
	} {
		if err := run(args); err == nil || !strings.HasPrefix(err.Error(), args[0]+": ") {
			t.Errorf("%q: got %v, want an error of %s", args, err, args[0])
		}
	}
}
