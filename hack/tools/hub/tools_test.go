package main

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// buildTools returns the image with tools of a fake GOROOT. The test is skipped
// on a machine that lacks one of them; hack/builder installs them.
func buildTools(t *testing.T) v1.Image {
	t.Helper()
	for _, name := range toolPrograms() {
		if _, err := findTool(name); err != nil {
			t.Skip(err)
		}
	}
	fakeCerts(t)
	r, err := addTools(context.Background(), golangRecipe(toolchain{release: "1.26.1", root: fakeRoot(t, time.Now())}))
	if err != nil {
		t.Fatal(err)
	}
	index, err := r.build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return onlyImage(t, index)
}

func layerDigests(t *testing.T, img v1.Image) []string {
	t.Helper()
	manifest, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, l := range manifest.Layers {
		list = append(list, l.Digest.String())
	}
	return list
}

func TestToolsImageLayers(t *testing.T) {
	one, two := layerDigests(t, buildTools(t)), layerDigests(t, buildTools(t))
	if !slices.Equal(one, two) {
		t.Errorf("two images of the same machine: %q and %q", one, two)
	}
	plain := layerDigests(t, onlyImage(t, buildFake(t, fakeRoot(t, time.Now()))))
	if !slices.Equal(one[:len(one)-1], plain) {
		t.Errorf("the layers below the tools are %q, want those of the image without: %q", one, plain)
	}
}

func TestToolsImageFiles(t *testing.T) {
	img := buildTools(t)
	entries(t, img)
	tree := unpack(t, img)
	if !tree.has("bin/sh") {
		t.Error("the image has no /bin/sh")
	}
	for _, name := range append(toolPrograms(), "git-remote-https") {
		if !tree.hasBase(name) {
			t.Errorf("the image has no %s", name)
		}
	}
	for name, data := range tree.files {
		checkLinked(t, tree, name, data)
	}
}

// tree is what is in an image.
type tree struct {
	files map[string][]byte
	links map[string]string
}

func unpack(t *testing.T, img v1.Image) tree {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	all := tree{files: make(map[string][]byte), links: make(map[string]string)}
	for _, layer := range layers {
		r, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			switch h.Typeflag {
			case tar.TypeSymlink:
				all.links[h.Name] = h.Linkname
			case tar.TypeLink:
				all.files[h.Name] = all.files[h.Linkname]
			case tar.TypeReg:
				if all.files[h.Name], err = io.ReadAll(tr); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return all
}

// has follows the links of the image.
func (f tree) has(name string) bool {
	for range maxLinks {
		if _, ok := f.files[name]; ok {
			return true
		}
		next, ok := f.step(name)
		if !ok {
			return false
		}
		name = next
	}
	return false
}

// step replaces the first link of a path.
func (f tree) step(name string) (string, bool) {
	parts := strings.Split(name, "/")
	for i := range parts {
		target, ok := f.links[path.Join(parts[:i+1]...)]
		if !ok {
			continue
		}
		if !path.IsAbs(target) {
			target = path.Join("/", path.Join(parts[:i]...), target)
		}
		return strings.TrimPrefix(path.Join(target, path.Join(parts[i+1:]...)), "/"), true
	}
	return "", false
}

// checkLinked looks for the loader and the libraries that a program or a
// library names in its own words.
func checkLinked(t *testing.T, all tree, name string, data []byte) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(data))
	if bad := new(elf.FormatError); errors.As(err, &bad) || errors.Is(err, io.EOF) {
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	libs, err := f.ImportedLibraries()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, lib := range libs {
		if !all.hasBase(lib) {
			t.Errorf("%s needs %s, which is not in the image", name, lib)
		}
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		loader, err := io.ReadAll(p.Open())
		if err != nil {
			t.Fatal(err)
		}
		if !all.has(strings.Trim(string(loader), "/\x00")) {
			t.Errorf("%s needs %s, which is not in the image", name, loader)
		}
	}
}

// hasBase tells whether there is a file or a link of that name somewhere that
// leads to a file.
func (f tree) hasBase(base string) bool {
	for name := range f.files {
		if path.Base(name) == base {
			return true
		}
	}
	for name := range f.links {
		if path.Base(name) == base {
			return f.has(name)
		}
	}
	return false
}
