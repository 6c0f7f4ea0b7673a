package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asGovulncheck makes the program of the test stand in for govulncheck.
const asGovulncheck = "GOPHERFILE_TEST_GOVULNCHECK"

// govulncheck answers as the program does: a look-up gives a stream, of which a
// conversion makes text, SARIF and OpenVEX. The exit code of a text with
// findings is 3.
func govulncheck(args []string) int {
	switch line := strings.Join(args, " "); {
	case strings.HasPrefix(line, "-mode=binary -format=json -db=file:///db "):
		_, _ = os.Stdout.WriteString("stream\n")
	case strings.HasPrefix(line, "-mode=binary -format=json -db=file:///hang "):
		time.Sleep(time.Minute)
	case strings.HasPrefix(line, "-mode=binary -format=json -db=file:///much "):
		for range 1000 {
			_, _ = os.Stdout.WriteString(strings.Repeat("stream\n", 1000))
		}
	case strings.HasPrefix(line, "-mode=binary -format=json -db=file:///loud "):
		_, _ = os.Stderr.WriteString("\x1b[2Jhello\n" + strings.Repeat("more\n", 1<<20))
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

// TestChecker asks programs that do not answer, that find too much, and that say
// too much.
func TestChecker(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(asGovulncheck, "1")
	for db, want := range map[string]string{
		"file:///hang": "govulncheck took more than 100ms: does file:///hang answer?",
		"file:///much": "govulncheck: it wrote more than 1 MB",
		"file:///none": "govulncheck: exit status 2",
	} {
		c := checker{program: exe, db: db, limit: time.Minute, most: 1 << 20}
		if db == "file:///hang" {
			c.limit = 100 * time.Millisecond
		}
		if _, err := c.look("binary"); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", db, err, want)
		}
	}
	stderr := os.Stderr
	defer func() { os.Stderr = stderr }()
	if os.Stderr, err = os.Create(filepath.Join(t.TempDir(), "stderr")); err != nil {
		t.Fatal(err)
	}
	defer os.Stderr.Close()
	if _, err := (checker{program: exe, db: "file:///loud", limit: time.Minute, most: 1 << 20}).look("binary"); err != nil {
		t.Error(err)
	}
	said, err := os.ReadFile(os.Stderr.Name())
	if err != nil || len(said) > 2*saidLimit || !strings.HasPrefix(string(said), `\x1b[2Jhello`+"\nmore\n") {
		t.Errorf("got %d bytes and %v, want up to %d, in which nothing is for a terminal to obey", len(said), err, 2*saidLimit)
	}
}
