package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExampleHeaders looks at the first two lines of every example: the syntax
// line, which BuildKit looks for in the first line only, then the modeline,
// which names a file of the repository.
func TestExampleHeaders(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repository, "examples/*/Gopherfile.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		if !strings.HasPrefix(readFile(t, file), "# syntax=gopherfile/gopherfile:1\n"+modeline) {
			t.Errorf("%s does not start with the syntax line and the modeline", file)
		}
	}
	_, name, _ := strings.Cut(strings.TrimSpace(modeline), "/gopherfile/gopherfile/main/")
	if _, err := os.Stat(filepath.Join(repository, name)); err != nil {
		t.Errorf("the schema of the modeline: %v", err)
	}
}
