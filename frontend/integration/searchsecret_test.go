package integration

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdSearchsecret fails if a text is in a file below one of the paths, or in
// what such a file holds as a tar, gzip or zstd stream, one in the other:
// searchsecret TEXT PATH…. It knows the text as base64, hex, URL and JSON, too.
// With "!" it fails if the text is nowhere. For "-lines FILE" in place of TEXT it
// looks for each line of the file, such as that of a key.
func cmdSearchsecret(ts *testscript.TestScript, neg bool, args []string) {
	var texts []string
	if len(args) > 1 && args[0] == "-lines" {
		texts, args = secretLines(ts.ReadFile(args[1])), args[1:]
	} else if len(args) > 0 && len(args[0]) >= 6 {
		texts = args[:1]
	}
	if len(args) < 2 || len(texts) == 0 {
		ts.Fatalf("usage: searchsecret TEXT|-lines FILE PATH…; the text has 6 bytes or more")
	}
	s := &secretSearch{}
	for _, text := range texts {
		s.forms = append(s.forms, forms(text)...)
	}
	files := 0
	for _, root := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			files++
			return s.file(path)
		}))
	}
	switch {
	case files == 0:
		ts.Fatalf("there is no file to search")
	case !neg && len(s.found) > 0:
		ts.Fatalf("%q is in\n%s", args[0], strings.Join(s.found, "\n"))
	case neg && len(s.found) == 0:
		ts.Fatalf("%q is in none of %d files", args[0], files)
	}
}

// secretLines returns the lines of a file that are secret: those of a PEM block
// without its first and its last, which name it, and none that is short.
func secretLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) >= 16 && !strings.HasPrefix(line, "-----") {
			lines = append(lines, line)
		}
	}
	return lines
}

// forms returns how a text may be written down.
func forms(text string) [][]byte {
	quoted, _ := json.Marshal(text)
	all := []string{text, strings.Trim(string(quoted), `"`), url.QueryEscape(text), url.PathEscape(text), hex.EncodeToString([]byte(text))}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		// What is before the text decides where its bits are: one of three
		// places. The characters that have bits of other bytes are left out.
		for before := range 3 {
			encoded := enc.EncodeToString([]byte(strings.Repeat("\x00", before) + text))
			all = append(all, encoded[(before*8+5)/6:(before+len(text))*8/6])
		}
	}
	slices.Sort(all)
	var list [][]byte
	for _, form := range slices.Compact(all) {
		list = append(list, []byte(form))
	}
	return list
}

// secretSearch collects where one of the forms is.
type secretSearch struct {
	forms [][]byte
	found []string
}

func (s *secretSearch) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if s.inNames(path) {
		s.found = append(s.found, path+" (its name)")
	}
	return s.stream(path, f)
}

func (s *secretSearch) inNames(name string) bool {
	return slices.ContainsFunc(s.forms, func(form []byte) bool { return strings.Contains(name, string(form)) })
}

// stream searches the bytes of a stream, and what is packed in it.
func (s *secretSearch) stream(name string, r io.Reader) error {
	m := &matcher{forms: s.forms}
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	raw := io.TeeReader(br, m)
	// What only looks packed makes an error, after which the rest is searched
	// as it is.
	_ = s.unpack(name, head, raw)
	_, err = io.Copy(io.Discard, raw)
	if m.found {
		s.found = append(s.found, name)
	}
	return err
}

func (s *secretSearch) unpack(name string, head []byte, r io.Reader) error {
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		zr, err := gzip.NewReader(r)
		if err != nil {
			return err
		}
		return s.stream(name+": gzip", zr)
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		zr, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return err
		}
		defer zr.Close()
		return s.stream(name+": zstd", zr)
	case len(head) == 512 && string(head[257:262]) == "ustar":
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if err != nil {
				return err
			}
			if err := s.stream(name+": "+h.Name, tr); err != nil {
				return err
			}
		}
	}
	return nil
}

// matcher looks for forms in what is written to it.
type matcher struct {
	forms [][]byte
	tail  []byte
	found bool
}

// Write implements io.Writer. It keeps the end of what it saw, as a form may
// begin there.
func (m *matcher) Write(p []byte) (int, error) {
	if m.found {
		return len(p), nil
	}
	longest := 0
	for _, form := range m.forms {
		longest = max(longest, len(form))
	}
	seam := slices.Concat(m.tail, p[:min(len(p), longest)])
	for _, form := range m.forms {
		if bytes.Contains(p, form) || bytes.Contains(seam, form) {
			m.found = true
			return len(p), nil
		}
	}
	all := slices.Concat(m.tail, p[max(0, len(p)-longest):])
	m.tail = all[max(0, len(all)-longest):]
	return len(p), nil
}

const testSecret = "correct/horse?battery&"

// packed returns what a writer that packs makes of a text.
func packed(t *testing.T, text string, open func(io.Writer) (io.WriteCloser, error)) string {
	t.Helper()
	var buf bytes.Buffer
	w, err := open(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	return packed(t, text, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

func zstandard(t *testing.T, text string) string {
	t.Helper()
	return packed(t, text, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
}

func archived(t *testing.T, text string) string {
	t.Helper()
	return packed(t, text, func(w io.Writer) (io.WriteCloser, error) {
		tw := tar.NewWriter(w)
		return tw, tw.WriteHeader(&tar.Header{Name: "file", Mode: 0o600, Size: int64(len(text))})
	})
}

// TestSecretSearch hides a secret, and something like it that is none.
func TestSecretSearch(t *testing.T) {
	hide := map[string]func(string) string{
		"plain":        func(s string) string { return strings.Repeat("x", 100_000) + s + "y" },
		"url":          url.QueryEscape,
		"hex":          func(s string) string { return fmt.Sprintf("%x", s) },
		"json":         func(s string) string { return strings.ReplaceAll(s, "&", `\u0026`) },
		"gzip":         func(s string) string { return gzipped(t, s) },
		"zstd":         func(s string) string { return zstandard(t, s) },
		"layer":        func(s string) string { return archived(t, gzipped(t, archived(t, s))) },
		"layer, zstd":  func(s string) string { return archived(t, zstandard(t, archived(t, s))) },
		"broken gzip":  func(s string) string { return "\x1f\x8b\x08" + s },
		"cut off gzip": func(s string) string { z := gzipped(t, s+strings.Repeat("z", 1000)); return z[:len(z)-4] },
	}
	for before := range 4 {
		hide[fmt.Sprint("base64 after ", before)] = func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte("user"[:before] + s + ":"))
		}
		hide[fmt.Sprint("base64url after ", before)] = func(s string) string {
			return base64.URLEncoding.EncodeToString([]byte("user"[:before] + s))
		}
	}
	for name, hidden := range hide {
		for text, want := range map[string]bool{testSecret: true, "correct/mouse?battery&": false} {
			s := &secretSearch{forms: forms(testSecret)}
			if err := s.stream(name, iotest.HalfReader(strings.NewReader(hidden(text)))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := len(s.found) > 0; got != want {
				t.Errorf("%s: %s found: %v, want %v", name, text, got, want)
			}
		}
	}
}

// TestSecretLines takes a key apart.
func TestSecretLines(t *testing.T) {
	const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5v\nbmUAAAAEbm9uZQAAAAAAAAABAAAA\nAQID\n-----END OPENSSH PRIVATE KEY-----\n"
	want := []string{"b3BlbnNzaC1rZXktdjEAAAAABG5v", "bmUAAAAEbm9uZQAAAAAAAAABAAAA"}
	if got := secretLines(key); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestMatcherSeams writes a secret in small pieces.
func TestMatcherSeams(t *testing.T) {
	for size := 1; size < 30; size++ {
		m := &matcher{forms: [][]byte{[]byte("no"), []byte(testSecret)}}
		for rest := "abc" + testSecret + "xyz"; rest != ""; {
			n := min(size, len(rest))
			_, _ = io.WriteString(m, rest[:n])
			rest = rest[n:]
		}
		if !m.found {
			t.Errorf("not found in pieces of %d bytes", size)
		}
	}
}
