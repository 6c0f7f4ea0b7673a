package frontend

import (
	"bytes"
	"testing"
	"testing/fstest"
)

// TestReadAll reads files around the size of a piece.
func TestReadAll(t *testing.T) {
	for _, size := range []int{0, 1, piece - 1, piece, piece + 1, 2*piece + 3} {
		ref := &fakeRef{tree: fstest.MapFS{"x": {Data: pattern(size)}}}
		if got, err := readAll(t.Context(), ref, "x", 3*piece); err != nil || !bytes.Equal(got, pattern(size)) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
	}
	ref := &fakeRef{tree: fstest.MapFS{"x": {Data: pattern(3 * piece)}}}
	if _, err := readAll(t.Context(), ref, "x", 2*piece); err == nil {
		t.Error("got no error for a file that is too large")
	}
	if _, err := readAll(t.Context(), ref, "y", piece); err == nil {
		t.Error("got no error for a file that is missing")
	}
}
