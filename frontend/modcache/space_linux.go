package modcache

import "syscall"

// What a disk has free that did not run full while modules were written: far more
// than all that is written in that time.
const (
	ampleBytes = 1 << 30
	ampleFiles = 100_000
)

// scarce reports whether a disk may have been full for a while. A file system
// without a number of files has none.
func scarce(dir string) bool {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return true
	}
	return st.Bavail < ampleBytes/uint64(st.Bsize) || st.Files > 0 && st.Ffree < ampleFiles //nolint:gosec // G115: a block has a size
}
