package integration

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChineseReadme compares README.zh-CN.md with README.md: the same code
// blocks, the same headings by level, the same items of lists, the same words
// in code type and the same links, in every section. So a change of one file
// is missed in the other only where it is prose.
func TestChineseReadme(t *testing.T) {
	en := readFile(t, filepath.Join(repository, "README.md"))
	zh := readFile(t, filepath.Join(repository, "README.zh-CN.md"))
	if diff := cmp.Diff(blockTexts(t, en), blockTexts(t, zh)); diff != "" {
		t.Errorf("code blocks, -README.md +README.zh-CN.md:\n%s", diff)
	}
	if diff := cmp.Diff(outline(en), outline(zh)); diff != "" {
		t.Errorf("sections, -README.md +README.zh-CN.md:\n%s", diff)
	}
}

func blockTexts(t *testing.T, text string) []string {
	t.Helper()
	all, err := blocks(text)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, b := range all {
		list = append(list, b.lang+" "+b.file+"\n"+b.text)
	}
	return list
}

// section is what a translation leaves as it is.
type section struct {
	Level, Items, Rows int
	Code, Links        []string
}

// outline is a page section by section. The links between the two languages are
// no part of it.
func outline(text string) []section {
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	text = regexp.MustCompile(`\[[^\]]*\]\(README(\.zh-CN)?\.md\)`).ReplaceAllString(text, "")
	starts := regexp.MustCompile(`(?m)^#{1,6} `).FindAllStringIndex(text, -1)
	var list []section
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		part := text[at[0]:end]
		s := section{Level: at[1] - at[0] - 1}
		s.Items = len(regexp.MustCompile(`(?m)^\s*- `).FindAllString(part, -1))
		s.Rows = len(regexp.MustCompile(`(?m)^\|`).FindAllString(part, -1))
		s.Code = regexp.MustCompile("`[^`\n]*`").FindAllString(part, -1)
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(part, -1) {
			s.Links = append(s.Links, strings.TrimSpace(m[1]))
		}
		slices.Sort(s.Code)
		slices.Sort(s.Links)
		list = append(list, s)
	}
	return list
}
