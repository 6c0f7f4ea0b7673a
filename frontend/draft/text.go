package draft

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The lines that every spec starts with: the frontend, then where an editor
// finds the keys. BuildKit looks for the first one in the first line only.
const header = `# syntax=gopherfile/gopherfile:1
# yaml-language-server: $schema=https://raw.githubusercontent.com/gopherfile/gopherfile/main/frontend/spec/schema.json
`

// mostLeft is how many programs are listed that were left out.
const mostLeft = 10

// text writes the spec: keys, then comments, a blank line between them.
// Comments that start with a capital are prose; others are keys to uncomment.
func (d *drafter) text() ([]byte, error) {
	generate, err := d.generate()
	if err != nil {
		return nil, err
	}
	text := header + d.keys()
	for _, block := range []string{d.others(), d.cgo(), generate} {
		if block != "" {
			text += "\n" + block
		}
	}
	return []byte(text), nil
}

// keys are what differs from the defaults.
func (d *drafter) keys() string {
	var b strings.Builder
	switch {
	case d.found != nil:
	case len(d.chosen) == 1:
		b.WriteString("main: " + scalar(arg(d.chosen[0].dir)) + "\n")
	default:
		b.WriteString(entries("", d.chosen))
		d.writeLeft(&b, "  # ")
	}
	if d.port != ports()[0] {
		b.WriteString("platforms: [" + d.port.String() + "]\n")
	}
	return b.String()
}

// others is a comment with the binaries that a spec could name where this one
// names none or one.
func (d *drafter) others() string {
	var b strings.Builder
	switch {
	case d.found != nil && len(d.chosen) > 1:
		b.WriteString("# Of several main packages the one in the root is built. To build all of them:\n")
	case d.found == nil && len(d.chosen) == 1 && len(d.left) > 0:
		b.WriteString("# There are other main packages. To build them too, write this in place of main:\n")
	default:
		return ""
	}
	b.WriteString(entries("# ", d.chosen))
	d.writeLeft(&b, "#   ")
	return b.String()
}

// entries is the key binaries with programs below it.
func entries(indent string, programs []*program) string {
	var b strings.Builder
	b.WriteString(indent + "binaries:\n")
	for _, p := range programs {
		fmt.Fprintf(&b, "%s  %s: %s\n", indent, scalar(p.key), scalar(arg(p.dir)))
	}
	return b.String()
}

// writeLeft lists the programs that were left out, and why, as comments.
func (d *drafter) writeLeft(b *strings.Builder, indent string) {
	for i, p := range d.left {
		if i == mostLeft {
			fmt.Fprintf(b, "%sAnd %d more.\n", indent, len(d.left)-i)
			break
		}
		fmt.Fprintf(b, "%s%s: %s # %s\n", indent, scalar(p.key), scalar(arg(p.dir)), d.why(p))
	}
}

// scalar writes a text so that YAML reads the same text: as it is where that
// is plain, else in quotes.
func scalar(text string) string {
	plain := text != "" && !strings.ContainsAny(text[:1], "-+~") && !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+~-", r)
	})
	_, notInt := strconv.ParseInt(text, 0, 64)
	_, notFloat := strconv.ParseFloat(text, 64)
	word := slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(text))
	if plain && notInt != nil && notFloat != nil && !word {
		return text
	}
	return strconv.Quote(text)
}
