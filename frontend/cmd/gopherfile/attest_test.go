package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/binary"
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

// asGovulncheck makes the program of the test stand in for govulncheck.
const asGovulncheck = "GOPHERFILE_TEST_GOVULNCHECK"

// govulncheck answers as the program does: a look-up gives a stream, of which a
// conversion makes text, SARIF and OpenVEX. The exit code of a text with
// findings is 3.
func govulncheck(args []string) int {
	switch line := strings.Join(args, " "); {
	case strings.HasPrefix(line, "-mode=binary -format=json -db=file:///db "):
		_, _ = os.Stdout.WriteString("stream\n")
	case line == "-mode=convert -format=text":
		data, _ := io.ReadAll(os.Stdin)
		_, _ = os.Stdout.WriteString("found in the " + string(data))
		return 3
	case strings.HasPrefix(line, "-mode=convert -format="):
		_, _ = os.Stdout.WriteString("{}")
	default:
		return 2
	}
	return 0
}

// TestVuln asks a program that finds something.
func TestVuln(t *testing.T) {
	from, name := twice(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := buildinfo.ReadFile(exe); err != nil {
		t.Fatal(err)
	}
	t.Setenv(asGovulncheck, "1")
	args := []string{"vuln", "-govulncheck", exe, "-platform", "linux/amd64"}
	to := t.TempDir()
	if err := run(append(args, "-db", "file:///db", from, to, name)); err != nil {
		t.Fatal(err)
	}
	const want = "app for linux/amd64\n\nfound in the stream\n"
	if got := read(t, filepath.Join(to, "vuln.txt")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	read(t, filepath.Join(to, "vuln.sarif"))
	read(t, filepath.Join(to, "vuln.openvex.json"))
	if err := run(append(args, "-fail", "-db", "file:///db", from, to, name)); !errors.Is(err, errVulnerable) {
		t.Errorf("got %v, want %v", err, errVulnerable)
	}
	if err := run(append(args, "-db", "file:///other", from, to, name)); err == nil || errors.Is(err, errVulnerable) {
		t.Errorf("a program that fails: got %v, want its error", err)
	}
}

// TestVulnUnread asks nobody about a program for Plan 9, whose format govulncheck
// does not know. That is an error where a finding would be one.
func TestVulnUnread(t *testing.T) {
	data := dynamic().Bytes()
	data = data[bytes.Index(data, []byte("\xff Go buildinf:")):]
	program := []byte{0, 0, 6, 0x47}
	for _, word := range []uint32{16, uint32(len(data)), 0, 0, 0x1020, 0, 0} { // code, data, …, entry point
		program = binary.BigEndian.AppendUint32(program, word)
	}
	program = append(append(program, make([]byte, 16)...), data...)
	from, name := twice(t)
	for _, dir := range []string{"0", "0-symbols"} {
		file := filepath.Join(from, dir, "app")
		if err := errors.Join(os.Remove(file), os.WriteFile(file, program, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	to := t.TempDir()
	args := []string{"vuln", "-govulncheck", filepath.Join(to, "none"), "-platform", "plan9/arm"}
	if err := run(append(args, from, to, name)); err != nil {
		t.Fatal(err)
	}
	const want = "app for plan9/arm\n\ngovulncheck cannot read a binary of this format.\n"
	if got := read(t, filepath.Join(to, "vuln.txt")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	err := run(append(args, "-fail", from, to, name))
	if want := "vuln: 0/app: govulncheck cannot read Plan 9: look into the binary for another platform"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
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
