package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/verify/verifytest"
)

// TestDescribe reads binaries of several formats. They all list the same modules.
func TestDescribe(t *testing.T) {
	ports := []string{"linux/amd64", "wasip1/wasm"}
	if !testing.Short() {
		ports = append(ports, "windows/amd64", "js/wasm")
	}
	release, err := exec.Command("go", "env", "GOVERSION").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range ports {
		t.Run(port, func(t *testing.T) {
			f, err := describe(verifytest.Compile(t, port, "-s -w", map[string]string{
				"go.mod":     "module example.com/app\n\ngo 1.26.0\n\nrequire example.com/dep v1.0.0\n\nreplace example.com/dep => ./dep\n",
				"main.go":    "package main\n\nimport \"example.com/dep\"\n\nfunc main() { println(dep.Name) }\n",
				"dep/go.mod": "module example.com/dep\n",
				"dep/dep.go": "package dep\n\n// Name is one.\nvar Name = \"dep\"\n",
			}))
			if err != nil {
				t.Fatal(err)
			}
			info := f.Info
			if info == nil {
				t.Fatal("got no build info")
			}
			if want := strings.TrimSpace(string(release)); info.GoVersion != want {
				t.Errorf("release: got %q, want %q", info.GoVersion, want)
			}
			if info.Main.Path != "example.com/app" || len(info.Deps) != 1 || info.Deps[0].Path != "example.com/dep" || info.Deps[0].Replace.Path != "./dep" {
				t.Errorf("got %+v, want example.com/app with example.com/dep in ./dep", info)
			}
		})
	}
}

// TestDescribeOthers reads what the go command did not make.
func TestDescribeOthers(t *testing.T) {
	for name, data := range map[string]string{
		"nothing": "",
		"script":  "#!/bin/sh\necho hello\n",
		"elf":     "\x7fELF",
		"release": "\x00asm\x01\x00\x00\x00\x00\x1d\x09producers\x01\x08language\x01\x02Go\x04go1x",
	} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := describe(file)
		if err != nil || f.Info != nil || f.SHA1 == "" || f.SHA256 == "" {
			t.Errorf("%s: got %+v, %v, want sums alone", name, f, err)
		}
	}
	if f, err := describe(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Errorf("got %+v, want an error", f)
	}
}
