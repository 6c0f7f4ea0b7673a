package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// need is something of the machine that a package of the distribution brings.
type need struct {
	pkg    string
	file   string // a program's name, or a path
	why    string
	wanted bool // a failure is no error
}

// needs of a machine. BuildKit of one's own takes runc; a foreign BuildKit has
// its own.
func needs(ownBuildKit bool) []need {
	list := []need{
		{pkg: "ca-certificates", file: "/etc/ssl/certs", why: "the assembled images carry the machine's CA certificates"},
		{pkg: "git", file: "git", why: "the assembled images carry the machine's git"},
		{pkg: "openssh-client", file: "ssh", why: "the assembled images carry the machine's ssh"},
		{pkg: "qemu-user", file: "qemu-aarch64", why: "programs built for another architecture are run with it", wanted: true},
	}
	if ownBuildKit {
		list = append(list, need{pkg: "runc", file: "runc", why: "BuildKit runs build steps with it"})
	}
	return list
}

// install gets what is missing from the distribution.
func install(ctx context.Context, list []need) error {
	for _, n := range list {
		if n.met() {
			continue
		}
		progress("installing the package %s: %s", n.pkg, n.why)
		err := aptInstall(ctx, n.pkg)
		switch {
		case err != nil && n.wanted:
			progress("going on without %s: %v", n.pkg, err)
		case err != nil:
			return fmt.Errorf("%w\ninstall %s yourself: %s", err, n.pkg, n.why)
		}
	}
	return nil
}

func (n need) met() bool {
	if filepath.IsAbs(n.file) {
		entries, err := os.ReadDir(n.file)
		return err == nil && len(entries) > 0
	}
	return findProgram(n.file) != ""
}

// findProgram returns the path of a program, "" if there is none. It looks also
// where not every user's PATH leads.
func findProgram(name string) string {
	dirs := append(filepath.SplitList(os.Getenv("PATH")), "/usr/local/sbin", "/usr/sbin", "/sbin")
	for _, dir := range dirs {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	return ""
}

// aptInstall reads the package lists anew only if the install fails with the
// lists that the machine has.
func aptInstall(ctx context.Context, pkg string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("cannot install %s: %w", pkg, err)
	}
	args := []string{"install", "--yes", "--no-install-recommends", pkg}
	if apt(ctx, args...) == nil {
		return nil
	}
	if err := apt(ctx, "update"); err != nil {
		return err
	}
	return apt(ctx, args...)
}

func apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		lines = lines[max(0, len(lines)-5):]
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, strings.Join(lines, "\n"))
	}
	return nil
}
