package verify_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

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
	const loader = "/lib64/ld-linux-x86-64.so.2"
	for _, tt := range []struct {
		name      string
		loader    string
		libraries string
		runPath   string
		image     map[string]string // a text that begins with -> is a link
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
		{"musl", "/lib/ld-musl-x86_64.so.1", "libc.musl-x86_64.so.1", "", map[string]string{"lib/ld-musl-x86_64.so.1": own}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := verifytest.Default(amd64)
			b.Loader, b.Libraries, b.RunPath = tt.loader, strings.Fields(tt.libraries), tt.runPath
			image := fstest.MapFS{}
			for name, text := range tt.image {
				image[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o755}
				if to, ok := strings.CutPrefix(text, "-> "); ok {
					image[name] = &fstest.MapFile{Data: []byte(to), Mode: 0o777 | fs.ModeSymlink}
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
		image := fstest.MapFS{"opt/last/lib0.so": own}
		for i := range n {
			image[fmt.Sprintf("etc/ld.so.conf.d/%03d.conf", i)] = conf(numbered(dirs, fmt.Sprintf("/opt/%d-%%d", i))...)
		}
		return image
	}
	with := func(image fstest.MapFS, name string, file *fstest.MapFile) fstest.MapFS {
		image[name] = file
		return image
	}
	const note = " (of /etc/ld.so.conf and /etc/ld.so.conf.d the first 64 files and directories were looked at)"
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
