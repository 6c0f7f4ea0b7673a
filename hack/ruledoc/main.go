// The command ruledoc writes the pages of the rules from their table, with what
// their examples give: go generate ./frontend/lint.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/lint"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: ruledoc DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "ruledoc:", err)
		os.Exit(1)
	}
}

// run writes all pages, and removes those of rules that are gone.
func run(dir string) error {
	all, err := pages()
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if all[filepath.Base(name)] == nil {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	for name, dt := range all {
		if err := os.WriteFile(filepath.Join(dir, name), dt, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// notice is the first line of every page.
const notice = "<!-- Generated from frontend/lint by go generate. -->\n\n"

// pages returns all pages by their file names.
func pages() (map[string][]byte, error) {
	all := map[string][]byte{"README.md": index()}
	for _, r := range lint.Rules() {
		dt, err := page(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		all[lint.PageName(r.Name)] = dt
	}
	return all, nil
}

// index is the list of the rules, and how they are configured.
func index() []byte {
	var b bytes.Buffer
	b.WriteString(notice + `# Rules

A rule says of a legal spec what its author wants to know, and only what is certain. A build tells of it as a warning;
docker buildx build --call=check tells without compiling.

A rule is skipped by its name, in a comment at the start of the spec:

` + "```yaml" + `
# syntax=gopherfile/gopherfile:1
# check=skip=RootUser,UnusedArg
` + "```" + `

skip=all skips every rule. error=true makes a warning an error, behind a semicolon: skip=RootUser;error=true. The build
argument GOPHERFILE_CHECK has the same grammar, which is that of BuildKit's BUILDKIT_DOCKERFILE_CHECK, and takes the
place of the comment.

| rule | what it is about |
|---|---|
`)
	for _, r := range lint.Rules() {
		fmt.Fprintf(&b, "| [%s](%s) | %s |\n", r.Name, lint.PageName(r.Name), r.Summary)
	}
	return b.Bytes()
}

// page is what there is to know of a rule.
func page(r lint.Rule) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s# %s\n\n%s.\n\n%s\n", notice, r.Name, r.Summary, prose(r.Why))
	for _, e := range []struct {
		title   string
		example lint.Example
	}{{"Bad", r.Bad}, {"Good", r.Good}} {
		fmt.Fprintf(&b, "\n## %s\n\n", e.title)
		example(&b, e.example)
		said, err := said(e.example)
		if err != nil {
			return nil, fmt.Errorf("%s example: %w", strings.ToLower(e.title), err)
		}
		if said != "" {
			fmt.Fprintf(&b, "\n```text\n%s```\n", said)
		}
	}
	fmt.Fprintf(&b, "\n[All rules](README.md)\n")
	return b.Bytes(), nil
}

// prose is plain text as Markdown.
func prose(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "*", `\*`) }

// example writes the files of an example and how it is built.
func example(b *bytes.Buffer, e lint.Example) {
	fmt.Fprintf(b, "```yaml\n%s```\n", e.Text())
	for _, f := range txtar.Parse([]byte(e.Tree)).Files {
		fmt.Fprintf(b, "\n%s:\n\n```%s\n%s```\n", f.Name, language(f.Name), f.Data)
	}
	if e.Options != "" {
		fmt.Fprintf(b, "\nBuilt with:\n\n```text\ndocker buildx build %s -f %s .\n```\n", e.Options, specName)
	}
}

// language is what a fence calls the language of a file.
func language(name string) string {
	if path.Ext(name) == ".go" {
		return "go"
	}
	return "text"
}
