// Badgo stands in for the go command of a builder image: it runs the real one,
// and builds something else than it was told. BADGO says what.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const command = "/usr/local/go/bin/go.real"

func main() {
	args, env, how := os.Args[1:], append(os.Environ(), "GOROOT=/usr/local/go"), os.Getenv("BADGO")
	switch how {
	case "goarch":
		env = append(env, "GOARCH=amd64", "GOAMD64=v1")
	case "dynamic":
		for i, a := range args {
			if strings.HasPrefix(a, "-ldflags=") {
				args[i] += " -I /lib64/ld-linux-x86-64.so.2"
			}
		}
		args = slices.Insert(args, 1, "-buildmode=pie")
	case "trimpath":
		args = slices.DeleteFunc(args, func(a string) bool { return a == "-trimpath" })
	}
	cmd := exec.Command(command, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		os.Exit(1)
	}
	at := slices.Index(args, "-o")
	if at < 0 {
		return
	}
	if err := damage(how, args[at+1]); err != nil {
		fmt.Fprintln(os.Stderr, "badgo:", err)
		os.Exit(1)
	}
}

// damage changes what was built.
func damage(how, name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	switch how {
	case "release":
		info, err := exec.Command(command, "version", name).Output()
		if err != nil {
			return err
		}
		release := []byte(strings.Fields(string(info))[1])
		other := append([]byte("go1.19.1"), bytes.Repeat([]byte("0"), len(release))...)[:len(release)]
		data = bytes.ReplaceAll(data, release, other)
	case "truncated":
		data = data[:100]
	case "endian":
		const order, big = 5, 2
		data[order] = big
	default:
		return nil
	}
	return os.WriteFile(name, data, 0o755)
}
