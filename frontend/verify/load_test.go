package verify_test

import (
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
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("got  %s\nwant %s", text, tt.want)
			}
		})
	}
}
