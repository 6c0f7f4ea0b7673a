package integration

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdRebuild builds the folder app with buildctl and compares each byte of the
// images with those of the first rebuild of the script: [!] rebuild NAME [FLAG…].
// Flags that come later win, so that they can name another context.
func cmdRebuild(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(filepath.Join("rebuilds", args[0]))
	ts.Check(os.MkdirAll(filepath.Dir(dir), 0o777))
	build := []string{"build", "--progress=plain", "--frontend=gateway.v0", "--opt=source=gopherfile/gopherfile:1", "--opt=filename=Gopherfile.yaml",
		"--opt=build-arg:GOPROXY=" + ts.Getenv("SERVER") + "/goproxy", "--local=context=app", "--local=dockerfile=app", "--output=type=oci,tar=false,dest=" + dir}
	ts.Check(ts.Exec("buildctl", append(build, args[1:]...)...))
	compareImage(ts, neg, args[0], dir)
}

// cmdRebuilt compares an image that another client exported, as rebuild does:
// rebuilt DIR.
func cmdRebuilt(ts *testscript.TestScript, neg bool, args []string) {
	compareImage(ts, neg, args[0], ts.MkAbs(args[0]))
}

// compareImage compares an image in an OCI layout with the first of the script.
func compareImage(ts *testscript.TestScript, neg bool, name, dir string) {
	first := ts.Getenv("FIRSTIMAGE")
	if first == "" {
		ts.Setenv("FIRSTIMAGE", dir)
		return
	}
	want, err := readLayout(first)
	ts.Check(err)
	got, err := readLayout(dir)
	ts.Check(err)
	var differ []string
	for _, file := range slices.Sorted(maps.Keys(want)) {
		if got[file] != want[file] {
			differ = append(differ, fmt.Sprintf("%s\n\tis    %s\n\twant  %s", file, got[file], want[file]))
		}
	}
	for _, file := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[file]; !ok {
			differ = append(differ, file+": there was none")
		}
	}
	switch {
	case neg && len(differ) == 0:
		ts.Fatalf("%s is the same image", name)
	case neg:
		ts.Logf("%s is another image:\n%s", name, strings.Join(differ, "\n"))
	case len(differ) > 0:
		ts.Fatalf("%s is another image:\n%s", name, strings.Join(differ, "\n"))
	}
}

// readLayout describes every file of the images in an OCI layout: the digests of
// manifests and configs, and each entry of the layers.
func readLayout(dir string) (map[string]string, error) {
	files := map[string]string{}
	return files, readIndex(dir, filepath.Join(dir, "index.json"), "", files)
}

// readIndex adds the images of an index, each under its platform.
func readIndex(dir, name, prefix string, files map[string]string) error {
	var index ocispecs.Index
	if err := readJSON(name, &index); err != nil {
		return err
	}
	for _, m := range index.Manifests {
		under := prefix
		if m.Platform != nil {
			under += platforms.Format(*m.Platform) + ": "
		}
		read := readImage
		if m.MediaType == ocispecs.MediaTypeImageIndex {
			read = readIndex
		}
		files[under+m.MediaType] = m.Digest.String()
		if err := read(dir, blob(dir, m.Digest), under, files); err != nil {
			return err
		}
	}
	return nil
}

// readImage adds an image.
func readImage(dir, name, prefix string, files map[string]string) error {
	var manifest ocispecs.Manifest
	if err := readJSON(name, &manifest); err != nil {
		return err
	}
	config, err := os.ReadFile(blob(dir, manifest.Config.Digest))
	if err != nil {
		return err
	}
	files[prefix+"config"] = string(config)
	for i, l := range manifest.Layers {
		layer := fmt.Sprintf("%slayer %d", prefix, i)
		files[layer] = l.Digest.String()
		if err := readLayer(blob(dir, l.Digest), layer+": ", files); err != nil {
			return err
		}
	}
	return nil
}

func blob(dir string, d digest.Digest) string {
	return filepath.Join(dir, "blobs", d.Algorithm().String(), d.Encoded())
}

func readJSON(name string, v any) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// readLayer adds the entries of a layer.
func readLayer(name, prefix string, files map[string]string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, r); err != nil {
			return err
		}
		files[prefix+h.Name] = fmt.Sprintf("%c %o %d:%d %s %d %s %x", h.Typeflag, h.Mode, h.Uid, h.Gid, h.ModTime.UTC(), h.Size, h.Linkname, sum.Sum(nil))
	}
}
