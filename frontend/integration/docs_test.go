package integration

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// repository is the folder of this checkout.
const repository = "../.."

// TestDocs executes the code blocks of README.md and docs, in order, in a copy
// of the examples. A block with a line above it that holds a name as code and a
// colon is written to that file, one in ~ to the home of the page. What is done
// with it then:
//
//   - yaml that is a spec must have no errors, and one with a name must be used
//     by a later block; an example must be the same as in the repository
//   - yaml of GitHub, GitLab and compose, and hcl, see runFile
//   - dockerfile is checked, and must be used by a later block
//   - go must be as gofmt writes it; go vet looks at it when the page is done
//   - console is run: every line below "$ command" must be printed, in order
//   - sh names scripts of the repository, which CI runs
//   - text and a block without a language are not executed
//
// A page may have an archive in testdata/docs: its comment is a script that
// runs before the page, its files are there for the page. Beside the commands
// of TestScript the script has
//
//	alias NAME REAL    the page says NAME, in blocks and in output, for REAL
//	insert TEXT MORE…  where a command of the page has TEXT, MORE is added
//
// which is all in which a run differs from the page.
func TestDocs(t *testing.T) {
	t.Parallel()
	builder(t)
	testscript.Run(t, testscript.Params{
		Files:               pageScripts(t),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupPage,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"subst":        cmdSubst,
			"privateproxy": cmdPrivateproxy,
			"sshgit":       cmdSSHGit,
			"alias":        cmdAlias,
			"insert":       cmdInsert,
			"page":         cmdPage,
		},
	})
}

// pages are the Markdown files that readers start from, by their path in the
// repository. README.zh-CN.md has the blocks of README.md, see
// TestChineseReadme. The pages of docs/rules have broken specs; package lint
// checks that each of them gets its warning.
func pages(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md"}
	err := filepath.WalkDir(filepath.Join(repository, "docs"), func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(repository, name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && rel == filepath.Join("docs", "rules"):
			return fs.SkipDir
		case filepath.Ext(rel) == ".md":
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// pageScripts writes a script for every page: what its archive has, then the
// page itself.
func pageScripts(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	unused, err := filepath.Glob("testdata/docs/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages(t) {
		name := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(page, "docs/"), ".md"), "/", "-") + ".txtar"
		archive, err := os.ReadFile(filepath.Join("testdata/docs", name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		before, tree, found := strings.Cut("\n"+string(archive), "\n-- ")
		if found {
			tree = "-- " + tree
		}
		file := filepath.Join(dir, name)
		write(t, file, []byte(before+"\npage "+page+"\n"+tree))
		files = append(files, file)
		unused = slices.DeleteFunc(unused, func(s string) bool { return filepath.Base(s) == name })
	}
	if len(unused) > 0 {
		t.Errorf("archives without a page: %q", unused)
	}
	return files
}

// setupPage is setup, with the examples, a home and a page to read.
func setupPage(env *testscript.Env) error {
	if err := setup(env); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(env.WorkDir, "examples"), os.DirFS(filepath.Join(repository, "examples"))); err != nil {
		return err
	}
	home := filepath.Join(env.WorkDir, homeFolder)
	env.Setenv("HOME", home)
	env.Values[pageKey{}] = &page{
		root: env.WorkDir, dir: env.WorkDir,
		// The one name that every page may have.
		aliases: []string{"registry.example.com", os.Getenv("GOPHERFILE_REGISTRY")},
	}
	return os.MkdirAll(home, 0o755)
}

// homeFolder is the home of a page, in its folder.
const homeFolder = "home"

type pageKey struct{}

// page is a Markdown file whose blocks are executed.
type page struct {
	ts      *testscript.TestScript
	file    string
	root    string      // where its files are
	dir     string      // where its next command runs
	aliases []string    // what the page says, what is meant, and so on
	inserts [][2]string // texts of commands, and what is added to them
	unused  []block     // specs and Dockerfiles that no block has used
	modules []string    // folders of Go files
	now     block       // what is executed
}

func pageOf(ts *testscript.TestScript) *page {
	p, _ := ts.Value(pageKey{}).(*page)
	p.ts = ts
	return p
}

func cmdAlias(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: alias NAME REAL")
	}
	p := pageOf(ts)
	p.aliases = append(p.aliases, args...)
}

func cmdInsert(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: insert TEXT MORE…")
	}
	p := pageOf(ts)
	p.inserts = append(p.inserts, [2]string{args[0], strings.Join(args, " ")})
}

// cmdPage executes the blocks of a page.
func cmdPage(ts *testscript.TestScript, _ bool, args []string) {
	p := pageOf(ts)
	p.file = args[0]
	data, err := os.ReadFile(filepath.Join(repository, p.file))
	ts.Check(err)
	all, err := blocks(string(data))
	if err != nil {
		ts.Fatalf("%s: %v", p.file, err)
	}
	for _, b := range all {
		p.now = b
		p.execute(b)
	}
	for _, b := range p.unused {
		p.now = b
		p.fatalf("no command uses %s", b.file)
	}
	for _, dir := range p.modules {
		p.vet(dir)
	}
}

// fatalf ends the page with what is wrong with the block.
func (p *page) fatalf(format string, args ...any) {
	p.ts.Fatalf("%s:%d: %s", p.file, p.now.line, fmt.Sprintf(format, args...))
}

// real is a text of the page with the names of this machine.
func (p *page) real(text string) string { return strings.NewReplacer(p.aliases...).Replace(text) }

// told is an output with the names of the page.
func (p *page) told(text string) string {
	var pairs []string
	for i := 0; i < len(p.aliases); i += 2 {
		pairs = append(pairs, p.aliases[i+1], p.aliases[i])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// block is a fenced code block of a Markdown file.
type block struct {
	lang, text string
	file       string // of the line above it, which readers see
	line       int
}

// blocks returns the fenced code blocks of a Markdown file. A block that is
// fenced in another way would not be executed, and a name without a block would
// be no file; they are errors.
func blocks(data string) ([]block, error) {
	var all []block
	fence := regexp.MustCompile("(?ms)(?:^`([^`\\s]+)`:\n)?^```(\\w*)\n(.*?)^```$")
	name := regexp.MustCompile("^`[^`]*`:$")
	for _, m := range fence.FindAllStringSubmatchIndex(data, -1) {
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return data[m[2*i]:m[2*i+1]]
		}
		file := part(1)
		if rest, found := strings.CutPrefix(file, "~/"); found {
			file = homeFolder + "/" + rest
		}
		all = append(all, block{file: file, lang: part(2), text: part(3), line: strings.Count(data[:m[0]], "\n") + 1})
	}
	for line := range strings.Lines(fence.ReplaceAllString(data, "")) {
		switch line = strings.TrimSpace(line); {
		case strings.Contains(line, "```") || strings.Contains(line, "~~~"):
			return nil, fmt.Errorf("nobody executes a block that starts like this: %q", line)
		case name.MatchString(line) || strings.Contains(line, "<!-- file:"):
			return nil, fmt.Errorf("no block directly below the name of a file: %q", line)
		}
	}
	return all, nil
}

// TestBlocks takes a name for that of a file where a block follows at once, and
// nowhere else.
func TestBlocks(t *testing.T) {
	all, err := blocks("Such as `main:`, or\n\n`app/a.yaml`:\n```yaml\na: b\n```\n\n`~/.netrc`:\n```text\nc\n```\n\n```console\n$ true\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range all {
		got = append(got, b.lang+" "+b.file)
	}
	if want := []string{"yaml app/a.yaml", "text home/.netrc", "console "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, wrong := range []string{
		"`a.yaml`:\n\n```yaml\n```\n",
		"`a.yaml`:\nNo block.\n",
		"`a file`:\n```yaml\n```\n",
		"  `a.yaml`:\n```yaml\n```\n",
		"<!-- file: a.yaml -->\n```yaml\n```\n",
		"~~~\n~~~\n",
	} {
		if all, err := blocks(wrong); err == nil {
			t.Errorf("%q: got %v, want an error", wrong, all)
		}
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
