//go:build !linux

package gocache

import (
	"errors"
	"os"
)

// Build steps run on Linux. Elsewhere the program works, without what these
// functions are for: nobody waits for anybody, nothing is pinned, and every
// object of the store is checked by its SHA-256.

func openFiles() (links string, room int) { return "", 0 }

func lockByte(*os.File, int64) (ok bool, err error) { return false, errors.ErrUnsupported }

func unlockByte(*os.File, int64) error { return nil }

func lockFile(*os.File) error { return nil }

func linked(*os.File) bool { return true }

func setSum(*os.File, int64, uint32) {}

func getSum(*os.File, int64) (sum uint32, ok bool) { return 0, false }
