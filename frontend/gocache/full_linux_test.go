package gocache

import (
	"strings"
	"syscall"
	"testing"
)

// A disk that is full costs time later, and nothing now.
func TestStoreFull(t *testing.T) {
	store := t.TempDir()
	if err := syscall.Mount("tmpfs", store, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(store, syscall.MNT_DETACH) })
	large := strings.Repeat("x", 100<<10)
	s := open(t, Options{Store: store})
	for _, p := range []string{"a", "b", "c", "d"} {
		build(s, p+large)
	}
	for _, p := range []string{"a", "b", "c", "d"} {
		s.want(name(p+large), compiled(p+large))
	}
	if got := s.end(); got.Misses != 4 || got.Hits.Put != 4 || got.Unkept == 0 || got.Unkept == 12 {
		t.Errorf("%+v", got)
	}
	// What fitted is whole.
	s = open(t, Options{Store: store})
	for _, p := range []string{"a", "b", "c", "d"} {
		build(s, p+large)
	}
	if got := s.end(); got.Hits.Store == 0 || got.Corrupt != 0 {
		t.Errorf("%+v", got)
	}
}
