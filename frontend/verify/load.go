package verify

import (
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
	l := &looker{root: root, want: f.Header, left: maxTried}
	if err := l.libraryDirs(f, at); err != nil {
		return nil, err
	}
	for _, name := range f.Libraries {
		if isMusl := strings.HasPrefix(path.Base(f.Loader), "ld-musl-"); isMusl && strings.HasPrefix(name, "libc.") {
			continue // the loader is the library
		}
		p, err := l.library(name)
		if err != nil {
			return nil, err
		}
		if p != nil {
			problems = append(problems, *p)
		}
	}
	return problems, nil
}

// Limits of what is looked at in an image, where each look is a call to the
// daemon. Images have a handful of files in ld.so.conf.d, with a directory or two
// each; 256 libraries that are all there need no more than a few looks each.
const (
	maxConfigured = 64 // files, and directories in them
	maxTried      = 4096
)

// looker looks for libraries in an image.
type looker struct {
	root fs.FS
	want Header
	dirs []string
	cut  bool // the image configures more directories than are in dirs
	left int  // how many files may still be tried
}

// library looks for one library. Nil: it is there. What was not looked at is
// said: then the library may be there all the same.
func (l *looker) library(name string) (*Problem, error) {
	candidates := []string{name}
	bare := !strings.Contains(name, "/")
	if bare {
		candidates = nil
		for _, dir := range l.dirs {
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
		if l.left--; l.left < 0 {
			p.Found += fmt.Sprintf(" (not looked for any further: %d files were tried for all libraries)", maxTried)
			return p, nil
		}
		found, err := headAt(l.root, c)
		switch {
		case err != nil:
			return nil, err
		case found == nil:
		case *found == l.want:
			return nil, nil
		default: // the loader goes on as well
			p.Found += fmt.Sprintf(" (%s is %s)", c, found)
		}
	}
	if bare && l.cut {
		p.Found += fmt.Sprintf(" (of /etc/ld.so.conf and /etc/ld.so.conf.d the first %d files and directories were looked at)", maxConfigured)
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

// libraryDirs finds out where the loader looks, in its order.
func (l *looker) libraryDirs(f *Facts, at string) error {
	origin := path.Dir(at)
	for _, dir := range f.SearchPath {
		l.add(strings.NewReplacer("$ORIGIN", origin, "${ORIGIN}", origin).Replace(dir))
	}
	if err := l.configuredDirs(); err != nil {
		return err
	}
	for _, dir := range []string{"/lib", "/usr/lib", "/lib64", "/usr/lib64", "/lib32", "/usr/lib32", "/usr/local/lib"} {
		l.add(dir)
	}
	for _, triple := range triples(f.Header) {
		for _, dir := range []string{"/lib/", "/usr/lib/", "/usr/local/lib/"} {
			l.add(dir + triple)
		}
	}
	return nil
}

// add adds a directory, unless it is looked at before.
func (l *looker) add(dir string) {
	if dir = path.Clean(dir); !slices.Contains(l.dirs, dir) {
		l.dirs = append(l.dirs, dir)
	}
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

// configuredDirs adds those of ld.so.conf and of the folder beside it, which it
// includes.
func (l *looker) configuredDirs() error {
	names := []string{"etc/ld.so.conf"}
	entries, err := fs.ReadDir(l.root, "etc/ld.so.conf.d")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries { // sorted by name
		if path.Ext(e.Name()) == ".conf" {
			names = append(names, path.Join("etc/ld.so.conf.d", e.Name()))
		}
	}
	if len(names) > maxConfigured {
		names, l.cut = names[:maxConfigured], true
	}
	most := len(l.dirs) + maxConfigured
	for _, name := range names {
		dirs, err := l.dirsIn(name)
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			if l.add(dir); len(l.dirs) > most {
				l.dirs, l.cut = l.dirs[:most], true
				return nil
			}
		}
	}
	return nil
}

// dirsIn reads the directories in a file such as ld.so.conf.
func (l *looker) dirsIn(name string) ([]string, error) {
	file, err := l.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	const most = 64 << 10 // more than as many directories have
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return nil, err
	}
	l.cut = l.cut || len(text) == most
	var dirs []string
	for line := range strings.Lines(string(text)) {
		if dir := strings.TrimSpace(line); strings.HasPrefix(dir, "/") {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}
