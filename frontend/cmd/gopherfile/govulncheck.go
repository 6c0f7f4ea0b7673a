package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"time"

	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/frontend/vuln"
)

// errUnread is the error of a binary that govulncheck cannot look into. Nobody
// knows what is in it, which is no error unless a finding would be one.
var errUnread = errors.New("look into the binary for another platform")

// vulnLimit is how long govulncheck may take for a binary: it waits for a database
// on the network without an end.
const vulnLimit = 10 * time.Minute

// What govulncheck says comes from a database of others: the limits, in bytes, are
// of its findings and of each document, and of its own lines.
const findingsLimit, saidLimit = 256 << 20, 64 << 10

// checker is the program govulncheck.
type checker struct {
	program, db string
	// limit is how long it may take for a binary.
	limit time.Duration
	// most is how many bytes it may find, and how many a document may have.
	most int
}

// up asks about a binary, and reports whether it has code that is vulnerable. The
// binary with symbols says what is linked; the sum is that of the one that is
// shipped.
func (c checker) up(from, name string) (vuln.Binary, bool, error) {
	dir, base := path.Split(name)
	whole := filepath.Join(from, path.Clean(dir)+"-symbols", base)
	b := vuln.Binary{Name: base}
	facts, err := readFile(whole)
	if err != nil {
		return b, false, err
	}
	switch facts.Format {
	case verify.FormatELF, verify.FormatPE, verify.FormatMachO:
	default: // as of Plan 9, of AIX and WebAssembly
		b.Text, b.SARIF, b.VEX = []byte("govulncheck cannot read a binary of this format."), []byte("{}"), []byte("{}")
		return b, false, fmt.Errorf("govulncheck cannot read %s: %w", facts.Format, errUnread)
	}
	b.Module = facts.Go.Main.Path
	shipped, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		return b, false, err
	}
	b.SHA256 = fmt.Sprintf("%x", sha256.Sum256(shipped))
	found, err := c.look(whole)
	if err != nil {
		return b, false, err
	}
	vulnerable := false
	for _, form := range []struct {
		name string
		out  *[]byte
	}{{"text", &b.Text}, {"sarif", &b.SARIF}, {"openvex", &b.VEX}} {
		var is bool
		if *form.out, is, err = c.convert(found, form.name); err != nil {
			return b, false, fmt.Errorf("govulncheck -format=%s: %w", form.name, err)
		}
		vulnerable = vulnerable || is
	}
	return b, vulnerable, nil
}

// look returns what is found in a binary, as JSON.
func (c checker) look(file string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.limit)
	defer cancel()
	found, err := c.run(ctx, nil, "-mode=binary", "-format=json", "-db="+c.db, file)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("govulncheck took more than %v: does %s answer?", c.limit, redact.Value(c.db))
	case err != nil:
		return nil, fmt.Errorf("govulncheck: %w", err)
	}
	return found, nil
}

// convert writes in another form what was found, and reports whether there is code
// among it that is vulnerable: the program says so by its exit code.
func (c checker) convert(found []byte, form string) ([]byte, bool, error) {
	out, err := c.run(context.Background(), bytes.NewReader(found), "-mode=convert", "-format="+form)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		return out, true, nil
	}
	return out, false, err
}

// run runs the program, and prints what it says of itself.
func (c checker) run(ctx context.Context, in io.Reader, args ...string) ([]byte, error) {
	out, said := &limited{left: c.most}, &ends{most: saidLimit}
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, said
	cmd.WaitDelay = time.Second // for what the program started itself
	err := cmd.Run()
	fmt.Fprint(os.Stderr, redact.Lines(string(said.bytes()), saidLimit))
	if out.left < 0 {
		err = fmt.Errorf("it wrote more than %d MB", c.most>>20)
	}
	return out.kept.Bytes(), err
}

// limited keeps what is written to it, up to a limit. What is beyond is an error.
type limited struct {
	kept bytes.Buffer
	left int
}

// Write implements [io.Writer].
func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		l.left = -1
		return 0, errors.New("too much")
	}
	l.left -= len(p)
	return l.kept.Write(p)
}
