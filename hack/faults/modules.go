package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing/fstest"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// The one module that the project requires.
const (
	depPath    = "example.com/dep"
	depVersion = "v1.0.0"
)

// dependency is a module as a module proxy has it.
type dependency struct {
	mod, zip []byte
	// sum are the lines of go.sum.
	sum string
}

// memFile is a file of a module.
type memFile struct{ name, text string }

// Path is where the file is in the module.
func (f memFile) Path() string { return f.name }

// Lstat describes the file.
func (f memFile) Lstat() (fs.FileInfo, error) {
	return fstest.MapFS{f.name: {Data: []byte(f.text), Mode: 0o644}}.Stat(f.name)
}

// Open opens the file.
func (f memFile) Open() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(f.text)), nil }

// newDependency packs the module.
func newDependency(source string) (*dependency, error) {
	d := &dependency{mod: []byte("module " + depPath + "\n\ngo 1.26.0\n")}
	files := map[string]string{"go.mod": string(d.mod), "dep.go": source, "LICENSE": "Anybody may do anything with it.\n"}
	packed, err := packModule(files)
	if err != nil {
		return nil, err
	}
	d.zip = packed
	prefix := depPath + "@" + depVersion + "/"
	all, err := dirhash.Hash1([]string{prefix + "LICENSE", prefix + "dep.go", prefix + "go.mod"}, func(name string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(files[strings.TrimPrefix(name, prefix)])), nil
	})
	if err != nil {
		return nil, err
	}
	mod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(d.mod)), nil })
	d.sum = fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", depPath, depVersion, all, depPath, depVersion, mod)
	return d, err
}

func packModule(files map[string]string) ([]byte, error) {
	var list []zip.File
	for _, name := range []string{"LICENSE", "dep.go", "go.mod"} {
		list = append(list, memFile{name, files[name]})
	}
	var b bytes.Buffer
	err := zip.Create(&b, module.Version{Path: depPath, Version: depVersion}, list)
	return b.Bytes(), err
}

// handler serves the module by the protocol of GOPROXY.
func (d *dependency) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what, ok := strings.CutPrefix(r.URL.Path, "/"+depPath+"/@v/")
		switch {
		case ok && what == depVersion+".info":
			_ = json.NewEncoder(w).Encode(map[string]string{"Version": depVersion, "Time": "2026-01-02T03:04:05Z"})
		case ok && what == depVersion+".mod":
			_, _ = w.Write(d.mod)
		case ok && what == depVersion+".zip":
			_, _ = w.Write(d.zip)
		case ok && what == "list":
			fmt.Fprintln(w, depVersion)
		default:
			http.Error(w, "not found: no such module", http.StatusNotFound)
		}
	})
}
