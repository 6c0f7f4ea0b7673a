// Spy stands in for the go command of a builder image: it says how it is run,
// then runs the real one.
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// say writes a line that gomodcache passes on, too.
func say(format string, a ...any) {
	fmt.Fprintf(os.Stderr, "go: downloading spy: "+format+"\n", a...)
}

func main() {
	say("args %q", os.Args[1:])
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
		say("nofile %d:%d", limit.Cur, limit.Max)
	}
	host, _ := os.Hostname()
	say("hostname %s", host)
	ifaces, _ := net.Interfaces()
	say("online %v", len(ifaces) > 1)
	var shm syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &shm); err == nil {
		say("shm %d", int64(shm.Blocks)*shm.Bsize)
	}
	for _, name := range []string{"HTTP_PROXY", "GOFLAGS", "GOCACHE"} {
		say("%s=%s", name, os.Getenv(name))
	}
	groups, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(groups)) {
		say("cgroup %s", strings.TrimSpace(line))
	}
	// The limit is in another file for each version of cgroups.
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if limit, err := os.ReadFile(name); err == nil {
			say("memory %s", strings.TrimSpace(string(limit)))
		}
	}
	hosts, _ := os.ReadFile("/etc/hosts")
	for line := range strings.Lines(string(hosts)) {
		say("hosts %s", strings.Join(strings.Fields(line), " "))
	}
	if err := os.WriteFile("/probe", nil, 0o644); err != nil {
		say("root is read-only")
	}
	const command = "/usr/local/go/bin/go.real"
	err := syscall.Exec(command, append([]string{command}, os.Args[1:]...), append(os.Environ(), "GOROOT=/usr/local/go"))
	say("%v", err)
	os.Exit(1)
}
