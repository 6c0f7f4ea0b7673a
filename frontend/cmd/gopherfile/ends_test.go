package main

import (
	"strings"
	"testing"
)

// TestEnds writes in pieces of several sizes.
func TestEnds(t *testing.T) {
	for _, size := range []int{1, 3, 10, 11, 30, 1000} {
		for text, want := range map[string]string{
			"": "", "short": "short", "0123456789": "0123456789", "0123456789abcdefghij": "01234\n…\nfghij",
			strings.Repeat("x", 5) + strings.Repeat("y", 990) + strings.Repeat("z", 5): "xxxxx\n…\nzzzzz",
		} {
			e := &ends{most: 10}
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				if m, err := e.Write([]byte(rest[:n])); m != n || err != nil {
					t.Fatalf("wrote %d of %d bytes: %v", m, n, err)
				}
				rest = rest[n:]
			}
			whole := len(text) <= 15 && string(e.bytes()) == text // not yet cut
			if got := string(e.bytes()); got != want && !whole {
				t.Errorf("%.20q in pieces of %d: got %q, want %q", text, size, got, want)
			}
			if len(e.head)+len(e.tail) > 20 {
				t.Errorf("%.20q in pieces of %d: %d bytes are held", text, size, len(e.head)+len(e.tail))
			}
		}
	}
}
