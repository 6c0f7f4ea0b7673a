package frontend

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestFindings shows what a file of a step has, which a terminal must not obey, and
// more of it than anybody reads.
func TestFindings(t *testing.T) {
	long := "server\x1b[2J\n" + strings.Repeat("more\n", 1_000_000) + "affected\n"
	var all []*proof
	for _, text := range []string{long, "nothing\n", long} {
		all = append(all, &proof{result: &fakeRef{tree: fstest.MapFS{"vuln.txt": {Data: []byte(text)}}}})
	}
	got, err := findings(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got, `server\x1b[2J`+"\nmore\n") || !strings.Contains(got, "\naffected\n\nnothing\n\nserver") || !strings.HasSuffix(got, "\naffected\n") {
		t.Errorf("got %.100q … %q, want the start and the end of each", got, got[max(len(got)-100, 0):])
	}
	if n := strings.Count(got, "\n[lines that are left out here: "); n != 2 || len(got) > 1<<20 {
		t.Errorf("got %d bytes and %d places where lines are left out, want 2", len(got), n)
	}
	if _, err := findings(t.Context(), []*proof{{result: &fakeRef{tree: fstest.MapFS{}}}}); err == nil {
		t.Error("without a file: got no error")
	}
}
