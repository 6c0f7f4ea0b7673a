package draft

import (
	"fmt"
	"slices"
	"strings"
)

// Report says what was written into a file for the module in a directory, and
// how to build it.
func (d *Draft) Report(file, dir string) string {
	var b strings.Builder
	var names []string
	for _, bin := range d.Binaries {
		names = append(names, bin.Name)
	}
	if len(names) == 1 {
		fmt.Fprintf(&b, "wrote %s: it builds %s from %s\n", file, names[0], d.Binaries[0].Main)
	} else {
		fmt.Fprintf(&b, "wrote %s: it builds %s\n", file, list(names))
	}
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	lead := "next: "
	for _, flags := range d.ways() {
		words := slices.Concat([]string{"docker", "buildx", "build", "-f", file}, flags, []string{dir})
		for i, w := range words {
			words[i] = quoted(w)
		}
		b.WriteString(lead + strings.Join(words, " ") + "\n")
		lead = "  or: "
	}
	return b.String()
}

// ways are the flags of docker buildx build, for each way to build the spec.
func (d *Draft) ways() [][]string {
	files := []string{"--target", "binaries", "-o", "out"}
	switch {
	case d.FilesOnly:
		return [][]string{files}
	case len(d.Binaries) > 1:
		return [][]string{{"--target", d.Binaries[0].Name}, files}
	}
	return [][]string{nil}
}

// quoted writes a word for a shell.
func quoted(word string) string {
	special := func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+:=@-", r)
	}
	if word != "" && !strings.ContainsFunc(word, special) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
