//go:build unix

package main

import (
	"os"
	"syscall"
)

// chownLike gives a file that root made to the owner of a directory. Where that
// is not possible it stays root's, which everybody can read.
func chownLike(f *os.File, dir string) {
	info, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(st.Uid), int(st.Gid))
	}
}
