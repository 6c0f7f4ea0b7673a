package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The files of the project that faults are about.
const (
	specFile  = "Gopherfile.yaml"
	embedFile = "greeting.txt"
	slowFile  = "slow/slow.go"
	extraFile = "extra/extra.go"
	testFile  = "main_test.go"
)

// embedSize is the size of the embedded file: at the rate of a slow client its
// transfer takes seconds.
const embedSize = 1 << 20

// slowRate is how fast a client sends that is slowed down, in bytes per second.
const slowRate = 150 << 10

// depSource is what the required module does.
const depSource = `// Package dep is what a project depends on.
package dep

import "strings"

// Shout makes a text louder.
func Shout(s string) string { return strings.ToUpper(s) }
`

// The paddings are Go files that are sent before the slow one, and not compiled.
// A client opens four files at a time.
const (
	paddings    = 6
	paddingSize = 100 << 10
)

func padding(i int) string { return fmt.Sprintf("pad/pad%d.go", i) }

const mainSource = `// Command app says who it is.
package main

import (
	_ "embed"
	"fmt"

	"example.com/app/slow"
	"example.com/dep"
)

//go:embed greeting.txt
var greeting string

func main() {
	fmt.Println(dep.Shout("app"), len(greeting), slow.Sum(1))
}
`

const testSource = `package main

import "testing"

func TestGreeting(t *testing.T) {
	if greeting == "" {
		t.Error("no greeting")
	}
}
`

// identity is what the binary of the project prints.
func identity() string { return fmt.Sprintf("APP %d %d\n", embedSize, slowSum(1)) }

// project is a source tree.
type project struct{ dir string }

// write makes the project anew, as it is when nothing is wrong with it.
func (p *project) write(d *dependency, spec string) error {
	files := map[string]string{
		specFile:  spec,
		"go.mod":  "module example.com/app\n\ngo 1.26.0\n\nrequire " + depPath + " " + depVersion + "\n",
		"go.sum":  d.sum,
		"main.go": mainSource,
		embedFile: greeting(),
		slowFile:  slowSource(),
		testFile:  testSource,
		extraFile: fmt.Sprintf("// Package extra is not imported.\npackage extra\n\n// %d\n", time.Now().UnixNano()),
	}
	for i := range paddings {
		files[padding(i)] = "//go:build never\n\npackage pad\n\n// " + greeting()[:paddingSize] + "\n"
	}
	for name, text := range files {
		if err := p.put(name, text); err != nil {
			return err
		}
	}
	return nil
}

// put writes a file if it has another content.
func (p *project) put(name, text string) error {
	file := filepath.Join(p.dir, name)
	if old, err := os.ReadFile(file); err == nil && string(old) == text {
		return nil
	}
	return errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644))
}

// touch gives a file another time, which makes the client send it again.
func (p *project) touch(names ...string) error {
	var errs []error
	for _, name := range names {
		now := time.Now()
		errs = append(errs, os.Chtimes(filepath.Join(p.dir, name), now, now))
	}
	return errors.Join(errs...)
}

// greeting is the embedded text: always the same, and nothing that a
// compression makes small.
func greeting() string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ."
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: it is to be the same every time
	text := make([]byte, embedSize)
	for i := range text {
		text[i] = letters[r.IntN(len(letters))]
	}
	return string(text)
}

// slowLines is how much there is to compile.
const slowLines = 4000

// slowSource is a package that takes the compiler seconds: one long function
// of which every line depends on those before it.
func slowSource() string {
	var b strings.Builder
	b.WriteString("// Package slow takes long to compile.\npackage slow\n\n// Sum is what comes out.\nfunc Sum(x uint64) uint64 {\n\ta, b, c, d := x, x+1, x+2, x+3\n")
	for i := range slowLines {
		fmt.Fprintf(&b, "\tif a&%d == %d {\n\t\ta, b = b+c*%d, a^d\n\t} else {\n\t\tc, d = d+a>>%d, b*c\n\t}\n", 1<<(i%8), i%3, i, i%13)
	}
	b.WriteString("\treturn a ^ b ^ c ^ d\n}\n")
	return b.String()
}

// slowSum computes what the function of slowSource returns.
func slowSum(x uint64) uint64 {
	a, b, c, d := x, x+1, x+2, x+3
	for i := range uint64(slowLines) {
		if a&(1<<(i%8)) == i%3 {
			a, b = b+c*i, a^d
		} else {
			c, d = d+a>>(i%13), b*c
		}
	}
	return a ^ b ^ c ^ d
}

// write writes a text.
func write(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}
