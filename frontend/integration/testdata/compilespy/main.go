// Compilespy stands in for the compiler of a builder image: it says what it
// compiles and when, then runs the real one.
package main

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

func main() {
	value := func(flag string) string {
		if at := slices.Index(os.Args, flag); at >= 0 && at+1 < len(os.Args) {
			return os.Args[at+1]
		}
		return ""
	}
	// The go command caches what a compiler says, and says it again. Its own
	// standard error it does not.
	if id := value("-buildid"); id != "" {
		if f, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/2", os.Getppid()), os.O_WRONLY, 0); err == nil {
			fmt.Fprintf(f, "compiled %s %s %d\n", value("-p"), id, time.Now().UnixNano())
		}
	}
	command := os.Args[0] + ".real"
	err := syscall.Exec(command, os.Args, os.Environ())
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
