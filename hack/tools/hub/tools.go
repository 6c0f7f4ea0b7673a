package main

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// toolPrograms are what the go command runs to fetch a module from where it is
// developed, and what a Dockerfile on top of the image finds handy. They are
// the machine's own.
func toolPrograms() []string {
	return []string{"git", "ssh", "ssh-add", "ssh-keygen", "ssh-keyscan", "sh", "bash", "cat", "env", "id", "ls", "mkdir"}
}

// addTools makes the recipe one with tools. They are above the toolchain, whose
// bytes both images share.
func addTools(ctx context.Context, r recipe) (recipe, error) {
	files, err := toolFiles(ctx)
	if err != nil {
		return recipe{}, err
	}
	r.layers = append(r.layers, layer{"git and ssh", func(w *tarWriter) error { return writeTools(w, files) }})
	return r, nil
}

// toolFiles returns the paths of the programs, and of all that they need to
// run: their libraries, the loader, and the folders of git.
func toolFiles(ctx context.Context) ([]string, error) {
	var files []string
	for _, name := range toolPrograms() {
		paths, err := findTool(name)
		if err != nil {
			return nil, err
		}
		files = append(files, paths...)
	}
	folders, err := gitFolders(ctx, files[0])
	if err != nil {
		return nil, err
	}
	programs, err := filesBelow(folders[0])
	if err != nil {
		return nil, err
	}
	for _, path := range append(programs, files...) {
		libs, err := libraries(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("libraries of %s: %w", path, err)
		}
		files = append(files, libs...)
	}
	files = append(files, folders...)
	slices.Sort(files)
	return slices.Compact(files), nil
}

// findTool returns the paths of a program, as the image's PATH leads to them.
// One program may have two: scripts start with /bin/sh, and /bin is a link.
func findTool(name string) ([]string, error) {
	var paths []string
	for _, dir := range []string{"/usr/local/bin", "/usr/bin", "/bin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("this machine has no %s, which the image is to have", name)
	}
	return paths, nil
}

// gitFolders returns where git has its programs and, if they are there, the
// templates for new repositories. Without these, git warns.
func gitFolders(ctx context.Context, git string) ([]string, error) {
	out, err := exec.CommandContext(ctx, git, "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("git --exec-path: %w", err)
	}
	programs := strings.TrimSpace(string(out)) // as in /usr/lib/git-core
	templates := filepath.Join(programs, "../../share/git-core/templates")
	if _, err := os.Stat(templates); err != nil {
		return []string{programs}, nil
	}
	return []string{programs, templates}, nil
}

func filesBelow(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	return files, err
}

// libraryPath matches the path of a library in what the loader lists.
var libraryPath = regexp.MustCompile(`(?m)(?:=> |^\s*)(/.+) \(0x[0-9a-f]+\)$`)

// libraries returns the loader of a program and the libraries that this would
// load, none for a script or a program that is linked statically. The loader
// itself is asked, since it alone knows all the ways in which it finds them.
func libraries(ctx context.Context, path string) ([]string, error) {
	loader, err := interpreter(path)
	if loader == "" || err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, loader, "--list", path).Output()
	if err != nil {
		return nil, fmt.Errorf("%s --list: %w", loader, err)
	}
	libs := []string{loader}
	for _, m := range libraryPath.FindAllSubmatch(out, -1) {
		lib := string(m[1])
		libs = append(libs, lib)
		if strings.HasPrefix(filepath.Base(lib), "libc.so") {
			libs = append(libs, nameServices(filepath.Dir(lib))...)
		}
	}
	return libs, nil
}

// nameServices returns the parts of the C library that it loads, by
// nsswitch.conf, to look names up. Newer ones have them built in.
func nameServices(dir string) []string {
	var found []string
	for _, name := range []string{"libnss_files.so.2", "libnss_dns.so.2"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			found = append(found, filepath.Join(dir, name))
		}
	}
	return found
}

// interpreter returns the loader that a program names, "" if it names none.
func interpreter(path string) (string, error) {
	f, err := elf.Open(path)
	if bad := new(elf.FormatError); errors.As(err, &bad) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		data := make([]byte, p.Filesz)
		if _, err := p.ReadAt(data, 0); err != nil {
			return "", err
		}
		return strings.TrimRight(string(data), "\x00"), nil
	}
	return "", nil
}

// writeTools writes the files to where they are on the machine, but not its
// configuration of git and ssh, which is nobody else's business.
func writeTools(w *tarWriter, files []string) error {
	c := newCopier(w, "/")
	for _, path := range files {
		if err := c.add(path); err != nil {
			return err
		}
	}
	// Left to itself, an older C library asks a name server before /etc/hosts.
	return w.file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n", 0o644)
}
