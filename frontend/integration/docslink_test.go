package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestLinks follows the links between the Markdown files of the repository, and
// to its other files. Addresses on the web are not asked for.
func TestLinks(t *testing.T) {
	names := append(pages(t), "README.zh-CN.md")
	rules, err := filepath.Glob(filepath.Join(repository, "docs/rules/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range rules {
		names = append(names, "docs/rules/"+filepath.Base(name))
	}
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, name := range names {
		text := readFile(t, filepath.Join(repository, name))
		for _, m := range link.FindAllStringSubmatch(prose(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			target, anchor, _ := strings.Cut(m[1], "#")
			file := filepath.Join(repository, name)
			if target != "" {
				file = filepath.Join(filepath.Dir(file), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(readFile(t, file)), anchor) {
				t.Errorf("%s: the link %s: no such heading, there are %q", name, m[1], anchors(readFile(t, file)))
			}
		}
	}
}

// prose is a page without its code.
func prose(text string) string {
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllStringFunc(text, func(code string) string { return strings.Repeat("x", len(code)) })
}

// headings are the headings of a page, with their marks.
func headings(text string) []string {
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	return regexp.MustCompile(`(?m)^#{1,6} .*$`).FindAllString(text, -1)
}

// anchors are the names that GitHub gives to the headings of a page.
func anchors(text string) []string {
	var list []string
	for _, h := range headings(text) {
		h = strings.ToLower(strings.TrimLeft(h, "# "))
		h = regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(h, "")
		list = append(list, strings.ReplaceAll(h, " ", "-"))
	}
	return list
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
