package main

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// fakeRoot is a GOROOT as the module cache has it: without modes.
func fakeRoot(t *testing.T, when time.Time) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"VERSION":                        "go1.26.1\n",
		"bin/go":                         "the go command",
		"pkg/tool/linux_amd64/compile":   "the compiler",
		"pkg/include/textflag.h":         "",
		"src/go.mod":                     "module std\n",
		"src/_go.mod":                    "module std\n",
		"src/fmt/print.go":               "package fmt\n",
		"src/internal/test/doc.go":       "package test\n",
		"test/fixedbugs/bug1.go":         "package main\n",
		"api/go1.txt":                    "",
		"doc/go_spec.html":               "",
		"misc/wasm/x":                    "",
		".git/HEAD":                      "",
		"lib/time/zoneinfo.zip":          "PK",
		"src/archive/zip/testdata/x.zip": "PK",
		"src/cmd/vendor/modules.txt":     "",
		"src/cmd/go/testdata/test/a.txt": "",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o444); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// fakeCerts gives the machine CA certificates.
func fakeCerts(t *testing.T) {
	t.Helper()
	certs := filepath.Join(t.TempDir(), "certs.pem")
	if err := os.WriteFile(certs, []byte("certificates\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", certs)
}

func buildFake(t *testing.T, root string) v1.ImageIndex {
	t.Helper()
	fakeCerts(t)
	index, err := golangRecipe(toolchain{release: "1.26.1", root: root}).build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func TestGolangImageIsDeterministic(t *testing.T) {
	one, err := buildFake(t, fakeRoot(t, time.Now())).Digest()
	if err != nil {
		t.Fatal(err)
	}
	two, err := buildFake(t, fakeRoot(t, time.Unix(1e9, 0))).Digest()
	if err != nil {
		t.Fatal(err)
	}
	if one != two {
		t.Errorf("two images of the same GOROOT: %s and %s", one, two)
	}
}

func TestGolangImageFiles(t *testing.T) {
	got := entries(t, onlyImage(t, buildFake(t, fakeRoot(t, time.Now()))))
	for _, want := range []string{
		"-rw-r--r-- etc/ssl/certs/ca-certificates.crt",
		"-rwxr-xr-x usr/local/go/bin/go",
		"-rwxr-xr-x usr/local/go/pkg/tool/linux_amd64/compile",
		"-rw-r--r-- usr/local/go/src/fmt/print.go",
		"-rw-r--r-- usr/local/go/src/internal/test/doc.go",
		"-rw-r--r-- usr/local/go/src/go.mod",
		"-rw-r--r-- usr/local/go/lib/time/zoneinfo.zip",
		"dtrwxrwxrwx tmp/",
		"dtrwxrwxrwx go/bin/",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no entry %q", want)
		}
	}
	for _, entry := range got {
		for _, left := range []string{"/local/go/test/", "/local/go/api/", "/local/go/doc/", "/local/go/misc/", "_go.mod", ".git"} {
			if strings.Contains(entry, left) {
				t.Errorf("entry %q", entry)
			}
		}
	}
}

func TestGolangImageConfig(t *testing.T) {
	config, err := onlyImage(t, buildFake(t, fakeRoot(t, time.Now()))).ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if want := "GOLANG_VERSION=1.26.1"; !slices.Contains(config.Config.Env, want) {
		t.Errorf("environment %q lacks %s", config.Config.Env, want)
	}
	if !config.Created.Equal(time.Unix(0, 0)) {
		t.Errorf("created %v", config.Created)
	}
	if n := len(config.RootFS.DiffIDs); n != len(config.History) {
		t.Errorf("%d layers, %d lines of history", n, len(config.History))
	}
}

func onlyImage(t *testing.T, index v1.ImageIndex) v1.Image {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(manifest.Manifests); n != 1 {
		t.Fatalf("%d images in the index", n)
	}
	if got := manifest.Manifests[0].ArtifactType; got != "" {
		t.Errorf("the index calls the image an artifact: %s", got)
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// entries returns mode and name of every entry. It checks what all entries
// have in common, and that the layers are what the manifest says.
func entries(t *testing.T, img v1.Image) []string {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, layer := range layers {
		checkDiffID(t, layer)
		r, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Uid != 0 || h.Gid != 0 || !h.ModTime.Equal(time.Unix(0, 0)) {
				t.Errorf("%s: owner %d:%d, time %v", h.Name, h.Uid, h.Gid, h.ModTime)
			}
			list = append(list, fmt.Sprintf("%v %s", h.FileInfo().Mode(), h.Name))
		}
	}
	return list
}

func checkDiffID(t *testing.T, layer v1.Layer) {
	t.Helper()
	r, err := layer.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, _, err := v1.SHA256(r)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := layer.DiffID(); err != nil || got != want {
		t.Errorf("diff ID %v, %v, want %v", want, err, got)
	}
}
