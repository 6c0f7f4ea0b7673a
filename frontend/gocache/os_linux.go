package gocache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
)

// openFiles returns the folder in which other processes find the open files of
// this one, and how many files may be held open. The folder is empty unless
// the go command, which has started this process and runs as the same user,
// can look into it, which is so when this process can look into the go
// command's.
func openFiles() (links string, room int) {
	pid := os.Getpid()
	// A /proc of another namespace counts processes differently.
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(pid) {
		return "", 0
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d/fd/0", os.Getppid())); err != nil {
		return "", 0
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return "", 0
	}
	// The other half is for what is open for a moment.
	return fmt.Sprintf("/proc/%d/fd", pid), int(min(limit.Cur, 1<<20) / 2)
}

// setLock is the command of fcntl(2) for locks that belong to an open file and
// not to a process, F_OFD_SETLK, which package syscall lacks.
const setLock = 37

// lockByte tries to lock one byte of a file for writing.
func lockByte(f *os.File, at int64) (ok bool, err error) {
	err = fcntl(f, syscall.F_WRLCK, at)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		return false, nil
	}
	return err == nil, err
}

// unlockByte undoes lockByte. A lock that is not there is no error.
func unlockByte(f *os.File, at int64) error {
	return fcntl(f, syscall.F_UNLCK, at)
}

func fcntl(f *os.File, kind int16, at int64) error {
	for {
		err := syscall.FcntlFlock(f.Fd(), setLock, &syscall.Flock_t{
			Type: kind, Whence: io.SeekStart, Start: at, Len: 1,
		})
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// lockFile locks a file or a folder against other processes that do the same,
// until f is closed.
func lockFile(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// linked reports whether an open file still has a name.
func linked(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink > 0
}

// attribute is the extended attribute that holds size and CRC-32C of the file
// that it is on.
const attribute = "user.gopherfile.crc32c"

// setSum notes what the content of a file is. Many file systems know no
// attributes, so that an error means nothing.
func setSum(f *os.File, size int64, sum uint32) {
	value := binary.BigEndian.AppendUint64(nil, uint64(size))
	value = binary.BigEndian.AppendUint32(value, sum)
	// Package syscall knows attributes of paths only.
	syscall.Setxattr(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), attribute, value, 0)
}

// getSum returns what setSum noted.
func getSum(f *os.File, size int64) (sum uint32, ok bool) {
	var value [13]byte
	n, err := syscall.Getxattr(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), attribute, value[:])
	if err != nil || n != 12 || binary.BigEndian.Uint64(value[:]) != uint64(size) {
		return 0, false
	}
	return binary.BigEndian.Uint32(value[8:]), true
}
