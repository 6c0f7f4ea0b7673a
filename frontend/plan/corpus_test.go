package plan

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// TestCorpus counts the archives: each is a spec that somebody may write.
func TestCorpus(t *testing.T) {
	count := func(pattern string) int {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	bad := count("../spec/testdata/err/*.txtar") + count("testdata/err-*.txtar")
	good := count("testdata/*.txtar") - count("testdata/err-*.txtar")
	if bad < 150 || good < 60 {
		t.Errorf("got %d bad and %d good specs, want at least 150 and 60", bad, good)
	}
}

// TestCorpusNames checks that an archive is what its name says.
func TestCorpusNames(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := "plan"
		if strings.HasPrefix(filepath.Base(file), "err-") {
			want = "errors"
		}
		if got := ar.Files[len(ar.Files)-1].Name; got != want {
			t.Errorf("%s: got section %s, want %s", file, got, want)
		}
	}
}

// TestPrepare checks that what is decided before the source tree is complete is
// what is decided in the end.
func TestPrepare(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, tree, opt := inputs(t, ar)
		index, err := scan.Scan(tree, scan.Options{Mains: Mains(s), NoWork: NoWork(s)})
		if err != nil {
			continue
		}
		p, err := Resolve(s, index, opt)
		if err != nil || len(p.Generate) == 0 {
			continue
		}
		n++
		// As package frontend calls it: before there is a reason to read less.
		whole, err := scan.Scan(tree, scan.Options{NoWork: NoWork(s)})
		if err != nil {
			t.Fatal(err)
		}
		early, err := Prepare(s, whole, opt)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if early.Release != p.Release || early.Builder != p.Builder {
			t.Errorf("%s: got %s and %+v, want %s and %+v", file, early.Release, early.Builder, p.Release, p.Builder)
		}
		if diff := cmp.Diff(p.Generate, early.Generate); diff != "" {
			t.Errorf("%s: -want +got:\n%s", file, diff)
		}
		if len(early.Targets) > 0 || len(early.Names) > 0 {
			t.Errorf("%s: got targets before there is a tree", file)
		}
	}
	if n < 5 {
		t.Errorf("got %d specs that generate, want more", n)
	}
}

// TestErrorsOnce checks that one mistake is one error, whatever else depends on
// the value.
func TestErrorsOnce(t *testing.T) {
	for _, value := range []string{"${NOPE}", "${REQUIRED}", "${A:-${B}}", "${", "${a b}"} {
		for _, key := range []string{
			"go: %s", "builder: %s", "main: %s", "platforms: [%s]", "test: [%s]",
			"build: {tags: [%s]}", "build: {ldflags: [%s]}", "build: {gcflags: [%s]}", "build: {asmflags: [%s]}",
			"build: {env: {A: %s}}", "build: {env: {GOPROXY: %s}}", "build: {buildmode: %s}", "build: {pgo: %s}", "build: {stamp: [%s]}",
			"image: {from: %s}", "image: {user: %s}", "image: {workdir: %s}", "image: {entrypoint: [%s]}", "image: {cmd: [%s]}",
			"image: {env: {A: %s}}", "image: {expose: [%s]}", "image: {volumes: [%s]}", "image: {labels: {A: %s}}",
			"image: {annotations: {A: %s}}", "image: {stopsignal: %s}", "image: {with: [%s]}",
			"image: {healthcheck: %s}", "image: {healthcheck: {test: [%s]}}", "image: {healthcheck: {test: [hello], interval: %s}}",
			"image: {healthcheck: {test: [hello], timeout: %s}}", "image: {healthcheck: {test: [hello], retries: %s}}",
			"image: {files: {from: %s, to: /a}}", "image: {files: {from: a, to: %s}}", "image: {files: {from: a, to: /a, mode: %s}}",
			"image: {files: {from: a, to: /a, owner: %s}}", "image: {files: {from: 'https://a/b', to: /a, checksum: %s}}",
			"modules: {private: [%s]}", "modules: {proxy: %s}", "modules: {netrc: %s}", "modules: {ssh: %s}",
			"generate: [%s]", "generate: {run: [%s, a]}", "generate: {run: a, dir: %s}", "generate: {run: a, network: %s}",
		} {
			source := strings.Replace(key, "%s", "'"+value+"'", 1)
			extra := ""
			if strings.Contains(value, "REQUIRED") {
				extra = "\nargs: {REQUIRED: }"
			}
			s, err := spec.Parse("f", []byte(source+extra))
			if err != nil {
				t.Fatal(err)
			}
			index, err := scan.Scan(fuzzTree(), scan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = Resolve(s, index, Options{BuildPlatform: Ports()[len(Ports())-2].Platform()})
			if err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: want one error, got:\n%v", source, err)
			}
		}
	}
}
