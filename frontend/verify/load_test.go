package verify_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/verify"
	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// TestLoadable checks what is said of an image for a dynamic program.
func TestLoadable(t *testing.T) {
	amd64 := port(t, "linux/amd64")
	elf := func(name string) string {
		return string(verifytest.Default(port(t, name)).Bytes())
	}
	own, other := elf("linux/amd64"), elf("linux/arm64")
	const help = " (choose an image.from with it, or build a static program)"
	missing := func(lib, note string) string {
		return "found a program that needs " + lib + note + ", expected that library in the image; at run time: error while loading shared libraries: " +
			lib + ": cannot open shared object file" + help
	}
	const loader, musl = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"
	for _, tt := range []struct {
		name      string
		loader    string
		libraries string
		runPath   string
		image     map[string]string // a text that begins with -> is a link; nothing behind it leads to itself
		want      string
	}{
		{"static", "", "", "", nil, ""},
		{"all there", loader, "libc.so.6 libm.so.6", "", map[string]string{
			"lib64/ld-linux-x86-64.so.2": own, "lib/x86_64-linux-gnu/libc.so.6": own, "usr/lib64/libm.so.6": own,
		}, ""},
		{"through links", loader, "libc.so.6", "", map[string]string{
			"lib64": "-> usr/lib64", "usr/lib64/ld-linux-x86-64.so.2": "-> ld-2.41.so", "usr/lib64/ld-2.41.so": own, "usr/lib64/libc.so.6": own,
		}, ""},
		{"no loader", loader, "", "", nil,
			"found a program that " + loader + " loads, expected that file in the image; at run time: no such file or directory" + help},
		{"a loader for another machine", loader, "", "", map[string]string{"lib64/ld-linux-x86-64.so.2": other},
			"found the loader " + loader + " for ELF 64-bit little endian AArch64, expected ELF 64-bit little endian x86-64; at run time: exec format error" + help},
		{"a script", loader, "", "", map[string]string{"lib64/ld-linux-x86-64.so.2": "#!/bin/sh\nexec /lib/ld.so\n"},
			"found the loader " + loader + ", which is no program, expected ELF 64-bit little endian x86-64; at run time: exec format error" + help},
		{"a folder", loader, "", "", map[string]string{"lib64/ld-linux-x86-64.so.2/x": own},
			"found a program that " + loader + " loads, expected that file in the image; at run time: no such file or directory" + help},
		{"no library", loader, "libz.so.1", "", map[string]string{"lib64/ld-linux-x86-64.so.2": own}, missing("libz.so.1", "")},
		{"a library for another machine", loader, "libz.so.1", "", map[string]string{"lib64/ld-linux-x86-64.so.2": own, "usr/lib/libz.so.1": other},
			missing("libz.so.1", " (/usr/lib/libz.so.1 is ELF 64-bit little endian AArch64)")},
		{"that of another machine first", loader, "libz.so.1", "", map[string]string{"lib64/ld-linux-x86-64.so.2": own, "lib/libz.so.1": other, "usr/lib64/libz.so.1": own}, ""},
		{"run path", loader, "libz.so.1", "/opt/lib:$ORIGIN/../private", map[string]string{"lib64/ld-linux-x86-64.so.2": own, "private/libz.so.1": own}, ""},
		{"a path", loader, "/opt/libz.so.1", "", map[string]string{"lib64/ld-linux-x86-64.so.2": own, "opt/libz.so.1": own}, ""},
		{"configured", loader, "libz.so.1 liby.so.1", "", map[string]string{
			"lib64/ld-linux-x86-64.so.2": own, "opt/z/libz.so.1": own, "opt/y/liby.so.1": own,
			"etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n/opt/y\n", "etc/ld.so.conf.d/z.conf": "# z\n /opt/z \n", "etc/ld.so.conf.d/README": "/opt/none\n",
		}, ""},
		{"configured with comments and kinds", loader, "libz.so.1 liby.so.1 libx.so.1", "", map[string]string{
			"lib64/ld-linux-x86-64.so.2": own, "opt/z/libz.so.1": own, "opt/y/liby.so.1": own, "opt/x/libx.so.1": own,
			"etc/ld.so.conf": "/opt/z # z\n\t/opt/y/ =libc6\ninclude\tmore.conf none.conf # and more\nhwcap 1 /none\n", "etc/more.conf": "#\n/opt/x#x\n",
		}, ""},
		{"configured but not included", loader, "libz.so.1", "", map[string]string{
			"lib64/ld-linux-x86-64.so.2": own, "opt/z/libz.so.1": own,
			"etc/ld.so.conf": "# include /etc/ld.so.conf.d/*.conf\nincludes /etc/ld.so.conf.d/*.conf", "etc/ld.so.conf.d/z.conf": "/opt/z",
		}, missing("libz.so.1", "")},
		{"configured by a hidden file", loader, "libz.so.1", "", map[string]string{
			"lib64/ld-linux-x86-64.so.2": own, "opt/z/libz.so.1": own, "etc/ld.so.conf": "include d/*", "etc/d/.z.conf": "/opt/z",
		}, missing("libz.so.1", "")},
		{"a folder and a circle in the configuration", loader, "libz.so.1", "", map[string]string{
			"lib64/ld-linux-x86-64.so.2": own, "opt/z/libz.so.1": own,
			"etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf", "etc/ld.so.conf.d/a.conf/b": "", "etc/ld.so.conf.d/b.conf": "->", "etc/ld.so.conf.d/z.conf": "/opt/z",
		}, ""},
		{"a configuration that includes itself", loader, "libz.so.1", "", map[string]string{
			"lib64/ld-linux-x86-64.so.2": own, "opt/z/libz.so.1": own, "etc/ld.so.conf": "include ld.so.conf\n/opt/z",
		}, ""},
		{"a configuration of many folders", loader, "libz.so.1", "", map[string]string{
			"lib64/ld-linux-x86-64.so.2": own, "opt/z/libz.so.1": own, "etc/ld.so.conf": "include /opt/*/ld.so.conf", "opt/z/ld.so.conf": "/opt/z",
		}, missing("libz.so.1", " (of /etc/ld.so.conf and what it includes the first 64 files and directories were looked at)")},
		{"a loader that leads to itself", loader, "", "", map[string]string{"lib64/ld-linux-x86-64.so.2": "->"},
			"found the loader " + loader + ", which is a link that leads to no file, expected that file in the image; at run time: too many levels of symbolic links" + help},
		{"a library that leads to itself", loader, "libz.so.1", "", map[string]string{"lib64/ld-linux-x86-64.so.2": own, "lib/libz.so.1": "->"},
			missing("libz.so.1", " (/lib/libz.so.1 is a link that leads to no file)")},
		{"one that does not", loader, "libz.so.1", "", map[string]string{"lib64/ld-linux-x86-64.so.2": own, "lib/libz.so.1": "->", "usr/lib/libz.so.1": own}, ""},

		{"musl", musl, "libc.musl-x86_64.so.1 libm.so.6 libpthread.so.0 " + musl, "", map[string]string{"lib/ld-musl-x86_64.so.1": own}, ""},
		{"musl's own directories", musl, "libx.so libz.so", "", map[string]string{"lib/ld-musl-x86_64.so.1": own, "usr/local/lib/libx.so": own, "usr/lib/libz.so": own}, ""},
		{"not those of others", musl, "libx.so libm-1.so", "", map[string]string{
			"lib/ld-musl-x86_64.so.1": own, "lib64/libx.so": own, "usr/lib/x86_64-linux-gnu/libx.so": own, "opt/libx.so": own, "etc/ld.so.conf": "/opt\n",
		}, missing("libx.so", "") + "\n" + missing("libm-1.so", "")},
		{"configured for musl", musl, "libx.so libz.so", "", map[string]string{
			"lib/ld-musl-x86_64.so.1": own, "opt/x/libx.so": own, "opt/z/libz.so": own, "etc/ld-musl-x86_64.path": "/lib:/opt/x\n/opt/z",
		}, ""},
		{"configured in place of musl's own", musl, "libz.so", "", map[string]string{
			"lib/ld-musl-x86_64.so.1": own, "usr/lib/libz.so": own, "etc/ld-musl-x86_64.path": "/opt/z\n",
		}, missing("libz.so", "")},
		{"configured for another machine", musl, "libz.so", "", map[string]string{
			"lib/ld-musl-x86_64.so.1": own, "usr/lib/libz.so": own, "etc/ld-musl-aarch64.path": "/opt/z\n",
		}, ""},
		{"configured by a folder", musl, "libz.so", "", map[string]string{
			"lib/ld-musl-x86_64.so.1": own, "usr/lib/libz.so": own, "etc/ld-musl-x86_64.path/x": "",
		}, missing("libz.so", "")},
		{"configured by a circle", musl, "libz.so", "", map[string]string{
			"lib/ld-musl-x86_64.so.1": own, "usr/lib/libz.so": own, "etc/ld-musl-x86_64.path": "->",
		}, missing("libz.so", "")},
		{"musl elsewhere", "/opt/musl" + musl, "libz.so", "", map[string]string{
			"opt/musl/lib/ld-musl-x86_64.so.1": own, "opt/z/libz.so": own, "opt/musl/etc/ld-musl-x86_64.path": "/opt/z", "etc/ld-musl-x86_64.path": "/opt/none",
		}, ""},
		{"configured by much for musl", musl, "libz.so", "", map[string]string{
			"lib/ld-musl-x86_64.so.1": own, "opt/z/libz.so": own, "etc/ld-musl-x86_64.path": strings.Repeat("/opt/x:", 64) + "/opt/z",
		}, missing("libz.so", " (of /etc/ld-musl-x86_64.path the first 64 directories were looked at)")},
		{"that of another machine first, for musl", musl, "libz.so", "", map[string]string{"lib/ld-musl-x86_64.so.1": own, "lib/libz.so": other, "usr/lib/libz.so": own},
			missing("libz.so", " (/lib/libz.so is ELF 64-bit little endian AArch64)")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := verifytest.Default(amd64)
			b.Loader, b.Libraries, b.RunPath = tt.loader, strings.Fields(tt.libraries), tt.runPath
			image := &circular{fstest.MapFS{}, nil}
			for name, text := range tt.image {
				if text == "->" {
					image.links = append(image.links, name)
				}
				image.MapFS[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o755}
				if to, ok := strings.CutPrefix(text, "-> "); ok {
					image.MapFS[name] = &fstest.MapFile{Data: []byte(to), Mode: 0o777 | fs.ModeSymlink}
				}
			}
			problems, err := verify.Loadable(read(t, b.Bytes()), image, "/bin/hello")
			if err != nil {
				t.Fatal(err)
			}
			if text := lines(problems); text != tt.want {
				t.Errorf("got  %s\nwant %s", text, tt.want)
			}
		})
	}
}

// TestLoadableFails checks that a failure to read an image is not taken for a file
// that is missing.
func TestLoadableFails(t *testing.T) {
	for _, loader := range []string{"/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"} {
		b := verifytest.Default(port(t, "linux/amd64"))
		b.Loader, b.Libraries = loader, []string{"libz.so.1"}
		f := read(t, b.Bytes())
		for _, name := range []string{loader, "/etc/ld.so.conf", "/etc/ld.so.conf.d/z.conf", "/etc/ld-musl-x86_64.path", "/lib/libz.so.1"} {
			image := &failing{fstest.MapFS{"etc/ld.so.conf": {Data: []byte("include /etc/ld.so.conf.d/*.conf")}, "etc/ld.so.conf.d/z.conf": {}}, name[1:], false}
			if _, err := verify.Loadable(f, image, "/bin/hello"); image.failed != errors.Is(err, errBroken) {
				t.Errorf("%s: got error %v when %s cannot be read, want one: %v", loader, err, name, image.failed)
			}
		}
	}
}

// failing is an image of which one file cannot be read.
type failing struct {
	fstest.MapFS
	name   string
	failed bool
}

func (f *failing) Open(name string) (fs.File, error) {
	if name == f.name {
		f.failed = true
		return nil, &fs.PathError{Op: "open", Path: name, Err: errBroken}
	}
	return f.MapFS.Open(name)
}

// circular is an image with links that lead to themselves.
type circular struct {
	fstest.MapFS
	links []string
}

func (c *circular) Open(name string) (fs.File, error) {
	if slices.Contains(c.links, name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: scan.ErrLinks}
	}
	return c.MapFS.Open(name)
}

// lines are problems as users read them.
func lines(problems []verify.Problem) string {
	var all []string
	for _, p := range problems {
		all = append(all, p.String())
	}
	return strings.Join(all, "\n")
}

// TestSearchPath checks which directories are taken from a program: those that a
// loader takes, up to a limit.
func TestSearchPath(t *testing.T) {
	many := func(n int, format, separator string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return strings.Join(all, separator)
	}
	for _, tt := range []struct {
		name      string
		runPath   string
		rPaths    []string
		libraries int
		want      string
		damage    string
	}{
		{"none", "", nil, 1, "", ""},
		{"run path", "/a:/b::/a:/c", nil, 1, "/a /b /c", ""},
		{"the last one", "", []string{"/a", "/b", "/c:/d"}, 1, "/c /d", ""},
		{"run path and others", "/a", []string{"/b", "/c"}, 1, "/a", ""},
		{"as many as there may be", many(64, "/%d", ":"), nil, 256, many(64, "/%d", " "), ""},
		{"one too many", many(65, "/%d", ":"), nil, 1, many(64, "/%d", " "),
			"found a search path of more than 64 directories, expected at most 64 (link with fewer -rpath options)"},
		{"too long", strings.Repeat("/long", 1000), nil, 1, "",
			"found a search path without an end in 4096 bytes; at run time: cannot open shared object file (the file is damaged: build it again with --no-cache)"},
		{"too many libraries", "/a", nil, 257, "", "found more than 256 libraries, expected at most 256 (link with -Wl,--as-needed)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := verifytest.Default(port(t, "linux/amd64"))
			b.RunPath, b.RPaths, b.Libraries = tt.runPath, tt.rPaths, strings.Fields(many(tt.libraries, "lib%d.so", " "))
			f := read(t, b.Bytes())
			if got := strings.Join(f.SearchPath, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if got := lines(f.Damage); got != tt.damage {
				t.Errorf("got damage %s, want %s", got, tt.damage)
			}
		})
	}
}

// counted counts what is opened and listed.
type counted struct {
	fstest.MapFS
	calls int
}

func (c *counted) Open(name string) (fs.File, error) {
	c.calls++
	return c.MapFS.Open(name)
}

func (c *counted) ReadDir(name string) ([]fs.DirEntry, error) {
	c.calls++
	return c.MapFS.ReadDir(name)
}

// TestLoadableBounded looks for many libraries in images that configure many
// directories: what is not looked at is said.
func TestLoadableBounded(t *testing.T) {
	own := &fstest.MapFile{Data: verifytest.Default(port(t, "linux/amd64")).Bytes()}
	conf := func(dirs ...string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(strings.Join(dirs, "\n") + "\n")}
	}
	numbered := func(n int, format string) []string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return all
	}
	files := func(n, dirs int) fstest.MapFS {
		image := fstest.MapFS{"opt/last/lib0.so": own, "etc/ld.so.conf": conf("include /etc/ld.so.conf.d/*.conf")}
		for i := range n {
			image[fmt.Sprintf("etc/ld.so.conf.d/%03d.conf", i)] = conf(numbered(dirs, fmt.Sprintf("/opt/%d-%%d", i))...)
		}
		return image
	}
	with := func(image fstest.MapFS, name string, file *fstest.MapFile) fstest.MapFS {
		image[name] = file
		return image
	}
	const note = " (of /etc/ld.so.conf and what it includes the first 64 files and directories were looked at)"
	for _, tt := range []struct {
		name      string
		image     fstest.MapFS
		libraries int
		paths     int
		found     string // of the last problem; empty for none
		calls     int
	}{
		{"some", with(files(1, 63), "etc/ld.so.conf.d/last.conf", conf("/opt/last")), 1, 0, "", 68},
		{"too many directories", with(files(1, 64), "etc/ld.so.conf.d/last.conf", conf("/opt/last")), 1, 0, "a program that needs lib0.so" + note, 90},
		{"the same ones again", with(files(1, 64), "etc/ld.so.conf.d/again.conf", conf("/opt/0-0", "/opt/0-0")), 1, 0, "a program that needs lib0.so", 90},
		{"too many files", with(files(64, 0), "etc/ld.so.conf.d/last.conf", conf("/opt/last")), 1, 0, "a program that needs lib0.so" + note, 90},
		{"a file without an end", with(files(0, 0), "etc/ld.so.conf.d/long.conf", conf(strings.Repeat("x", 1<<20), "/opt/last")), 1, 0, "a program that needs lib0.so" + note, 30},
		{"not in the others", with(files(100, 100), "usr/lib/lib0.so", own), 1, 64, "", 200},
		{"everything", files(100, 100), 256, 64, "a program that needs lib255.so (not looked for any further: 4096 files were tried for all libraries)", 4096 + 66},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := verifytest.Default(port(t, "linux/amd64"))
			b.Libraries = numbered(tt.libraries, "lib%d.so")
			b.RunPath = strings.Join(numbered(tt.paths, "/run/%d"), ":")
			image := &counted{MapFS: tt.image}
			problems, err := verify.Loadable(read(t, b.Bytes()), image, "/bin/hello")
			if err != nil {
				t.Fatal(err)
			}
			found := ""
			if n := len(problems); n > 0 {
				found = problems[n-1].Found
			}
			if found != tt.found {
				t.Errorf("got %q, want %q", found, tt.found)
			}
			if image.calls > tt.calls {
				t.Errorf("got %d calls, want at most %d", image.calls, tt.calls)
			}
		})
	}
}
