package verify

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Loadable says what a dynamic ELF program at a path of an image lacks there: its
// loader and its libraries, for the same machine. Links are for root to follow,
// inside of itself. What the libraries need in turn is not looked at.
func Loadable(f *Facts, root fs.FS, at string) ([]Problem, error) {
	if f.Format != FormatELF || !f.Dynamic() {
		return nil, nil
	}
	var problems []Problem
	if f.Loader != "" {
		found, err := headAt(root, f.Loader)
		if err != nil {
			return nil, err
		}
		const help = "choose an image.from with it, or build a static program"
		switch {
		case found == nil:
			problems = append(problems, Problem{Found: "a program that " + f.Loader + " loads", Expected: "that file in the image", Effect: effectMissing, Help: help})
		case found.Format == "":
			problems = append(problems, Problem{Found: "the loader " + f.Loader + ", which is no program", Expected: f.String(), Effect: effectFormat, Help: help})
		case *found != f.Header:
			problems = append(problems, Problem{Found: fmt.Sprintf("the loader %s for %s", f.Loader, found), Expected: f.String(), Effect: effectFormat, Help: help})
		}
	}
	dirs, err := libraryDirs(f, root, at)
	if err != nil {
		return nil, err
	}
	for _, name := range f.Libraries {
		p, err := f.library(root, name, dirs)
		if err != nil {
			return nil, err
		}
		if p != nil {
			problems = append(problems, *p)
		}
	}
	return problems, nil
}

// library looks for one library. Nil: it is there.
func (f *Facts) library(root fs.FS, name string, dirs []string) (*Problem, error) {
	if isMusl := strings.HasPrefix(path.Base(f.Loader), "ld-musl-"); isMusl && strings.HasPrefix(name, "libc.") {
		return nil, nil // the loader is the library
	}
	candidates := []string{name}
	if !strings.Contains(name, "/") {
		candidates = nil
		for _, dir := range dirs {
			candidates = append(candidates, path.Join(dir, name))
		}
	}
	p := &Problem{
		Found:    "a program that needs " + name,
		Expected: "that library in the image",
		Effect:   "error while loading shared libraries: " + name + ": cannot open shared object file",
		Help:     "choose an image.from with it, or build a static program",
	}
	for _, c := range candidates {
		found, err := headAt(root, c)
		switch {
		case err != nil:
			return nil, err
		case found == nil:
		case *found == f.Header:
			return nil, nil
		default: // the loader goes on as well
			p.Found += fmt.Sprintf(" (%s is %s)", c, found)
		}
	}
	return p, nil
}

// headAt reads the header of a file. Nil: there is none.
func headAt(root fs.FS, name string) (*Header, error) {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, nil
	}
	head := make([]byte, 20)
	if n, err := io.ReadFull(file, head); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	} else if n < len(head) || string(head[:4]) != "\x7fELF" {
		return &Header{}, nil
	}
	h := &Header{Format: FormatELF, Bits: 32 * int(head[elf.EI_CLASS]), BigEndian: head[elf.EI_DATA] == byte(elf.ELFDATA2MSB)}
	f := Facts{Header: *h}
	h.Machine = elfMachine(elf.Machine(f.order().Uint16(head[18:])))
	return h, nil
}

// libraryDirs are where the loader looks, in its order.
func libraryDirs(f *Facts, root fs.FS, at string) ([]string, error) {
	var dirs []string
	for _, dir := range f.SearchPath {
		origin := path.Dir(at)
		dirs = append(dirs, strings.NewReplacer("$ORIGIN", origin, "${ORIGIN}", origin).Replace(dir))
	}
	configured, err := configuredDirs(root)
	if err != nil {
		return nil, err
	}
	dirs = append(dirs, configured...)
	places := []string{"/lib", "/usr/lib", "/lib64", "/usr/lib64", "/lib32", "/usr/lib32", "/usr/local/lib"}
	for _, triple := range triples(f.Header) {
		places = append(places, "/lib/"+triple, "/usr/lib/"+triple, "/usr/local/lib/"+triple)
	}
	return append(dirs, places...), nil
}

// triples are the names that Debian has for a machine.
func triples(h Header) []string {
	all := map[Header][]string{
		{FormatELF, 32, false, machineX86}:     {"i386-linux-gnu"},
		{FormatELF, 64, false, machineX8664}:   {"x86_64-linux-gnu"},
		{FormatELF, 32, false, machineARM}:     {"arm-linux-gnueabihf", "arm-linux-gnueabi"},
		{FormatELF, 64, false, machineAArch64}: {"aarch64-linux-gnu"},
		{FormatELF, 64, false, machineLoong}:   {"loongarch64-linux-gnu"},
		{FormatELF, 32, true, machineMIPS}:     {"mips-linux-gnu"},
		{FormatELF, 32, false, machineMIPS}:    {"mipsel-linux-gnu"},
		{FormatELF, 64, true, machineMIPS}:     {"mips64-linux-gnuabi64"},
		{FormatELF, 64, false, machineMIPS}:    {"mips64el-linux-gnuabi64"},
		{FormatELF, 64, true, machinePowerPC}:  {"powerpc64-linux-gnu"},
		{FormatELF, 64, false, machinePowerPC}: {"powerpc64le-linux-gnu"},
		{FormatELF, 64, false, machineRISCV}:   {"riscv64-linux-gnu"},
		{FormatELF, 64, true, machineS390}:     {"s390x-linux-gnu"},
	}
	return all[h]
}

// configuredDirs are those of ld.so.conf and of the folder beside it, which it
// includes.
func configuredDirs(root fs.FS) ([]string, error) {
	names := []string{"etc/ld.so.conf"}
	entries, err := fs.ReadDir(root, "etc/ld.so.conf.d")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if path.Ext(e.Name()) == ".conf" {
			names = append(names, path.Join("etc/ld.so.conf.d", e.Name()))
		}
	}
	slices.Sort(names)
	var dirs []string
	for _, name := range names {
		file, err := root.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(io.LimitReader(file, 1<<16))
		for lines.Scan() {
			if dir := strings.TrimSpace(lines.Text()); strings.HasPrefix(dir, "/") {
				dirs = append(dirs, dir)
			}
		}
		file.Close()
		if err := lines.Err(); err != nil {
			return nil, err
		}
	}
	return dirs, nil
}
