package verify

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// Limits of what an image may configure. Images have a handful of files in
// ld.so.conf.d, with a directory or two each.
const (
	maxConfigured      = 64 // files and listings, and directories in them
	maxConfiguredBytes = 64 << 10
)

// libraryDirs finds out where the loader looks, in its order.
func (l *looker) libraryDirs(f *Facts, at string) error {
	origin := path.Dir(at)
	for _, dir := range f.SearchPath {
		l.add(strings.NewReplacer("$ORIGIN", origin, "${ORIGIN}", origin).Replace(dir))
	}
	if arch, ok := strings.CutPrefix(path.Base(f.Loader), "ld-musl-"); ok {
		l.musl = true
		return l.muslDirs(path.Dir(path.Dir(f.Loader)), strings.TrimSuffix(arch, ".so.1"))
	}
	c := &configuration{looker: l, most: len(l.dirs) + maxConfigured, files: maxConfigured}
	if err := c.read("/etc/ld.so.conf"); err != nil {
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

// isMusl reports whether a library is a part of musl itself, which is one file
// with the loader. It takes them by the start of their names.
func isMusl(name string) bool {
	rest, ok := strings.CutPrefix(name, "lib")
	part, _, dot := strings.Cut(rest, ".")
	return ok && dot && slices.Contains([]string{"c", "pthread", "rt", "m", "dl", "util", "xnet"}, part)
}

// muslDirs adds those of the file that musl reads, or its own ones without it. The
// file is below the directory that holds that of the loader.
func (l *looker) muslDirs(prefix, arch string) error {
	name := path.Join(prefix, "/etc/ld-musl-"+arch+".path")
	text, err := headOf(l.root, name, maxConfiguredBytes)
	dirs := strings.FieldsFunc(string(text), func(r rune) bool { return r == ':' || r == '\n' })
	switch {
	case errors.Is(err, fs.ErrNotExist):
		dirs = []string{"/lib", "/usr/local/lib", "/usr/lib"}
	case isNothing(err) || errors.Is(err, scan.ErrLinks): // musl takes it for an empty file
	case err != nil:
		return err
	case len(text) == maxConfiguredBytes || len(dirs) > maxConfigured:
		dirs = dirs[:min(len(dirs), maxConfigured)]
		l.cut = fmt.Sprintf("%s the first %d directories", name, maxConfigured)
	}
	for _, dir := range dirs {
		l.add(dir)
	}
	return nil
}

// configuration is what ldconfig reads: ld.so.conf, and the files that it
// includes.
type configuration struct {
	*looker
	most  int // as many directories there may be
	files int // how many files may still be read, or directories listed
}

// full notes that not all is looked at.
func (c *configuration) full() {
	c.cut = fmt.Sprintf("/etc/ld.so.conf and what it includes the first %d files and directories", maxConfigured)
}

// read adds the directories in a file, in their order. Like ldconfig it ignores
// what cannot be opened.
func (c *configuration) read(name string) error {
	if c.files--; c.files < 0 {
		c.full()
		return nil
	}
	text, err := headOf(c.root, name, maxConfiguredBytes)
	if isNothing(err) || errors.Is(err, scan.ErrLinks) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(text) == maxConfiguredBytes {
		c.full()
	}
	const space = " \t\v\f\r\n"
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.Trim(line, space)
		if patterns, ok := strings.CutPrefix(line, "include"); ok && strings.IndexAny(patterns, " \t") == 0 {
			for pattern := range strings.FieldsSeq(patterns) {
				if err := c.include(path.Dir(name), pattern); err != nil {
					return err
				}
			}
			continue
		}
		dir, _, _ := strings.Cut(line, "=") // a kind of libraries follows it
		if dir = strings.TrimRight(dir, space+"/"); !strings.HasPrefix(dir, "/") {
			continue
		}
		if c.add(dir); len(c.dirs) > c.most {
			c.dirs = c.dirs[:c.most]
			c.full()
		}
	}
	return nil
}

// include reads the files of a pattern. A pattern of directories is not followed:
// it may stand for any number of them.
func (c *configuration) include(dir, pattern string) error {
	if !path.IsAbs(pattern) {
		pattern = path.Join(dir, pattern)
	}
	const special = `*?[\`
	dir, base := path.Split(pattern)
	switch {
	case strings.ContainsAny(dir, special):
		c.full()
		return nil
	case !strings.ContainsAny(base, special):
		return c.read(pattern)
	}
	if c.files--; c.files < 0 {
		c.full()
		return nil
	}
	entries, err := fs.ReadDir(c.root, strings.TrimPrefix(path.Clean(dir+"."), "/"))
	if err != nil && !isNothing(err) && !errors.Is(err, scan.ErrLinks) {
		return err
	}
	for _, e := range entries { // sorted by name
		hidden := strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(base, ".")
		if ok, err := path.Match(base, e.Name()); !ok || err != nil || hidden || c.files < 0 {
			continue
		}
		if err := c.read(path.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
