package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/zip"
)

// moduleProxy serves modules by the protocol of GOPROXY. A version of a module
// is a plain tree, root/PATH@VERSION.
func moduleProxy(root string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		escaped, what, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/@")
		mod, err := module.UnescapePath(escaped)
		if !ok || err != nil {
			http.Error(w, "not found: no path of a module proxy", http.StatusNotFound)
			return
		}
		versions := moduleVersions(root, mod)
		if len(versions) == 0 {
			http.Error(w, "not found: no such module", http.StatusNotFound)
			return
		}
		switch what {
		case "v/list":
			fmt.Fprintln(w, strings.Join(versions, "\n"))
		case "latest":
			writeInfo(w, versions[len(versions)-1])
		default:
			serveVersion(w, root, mod, strings.TrimPrefix(what, "v/"))
		}
	})
}

// moduleVersions returns the versions of a module, the newest last.
func moduleVersions(root, mod string) []string {
	entries, _ := os.ReadDir(filepath.Dir(filepath.Join(root, mod)))
	var versions []string
	for _, e := range entries {
		if v, ok := strings.CutPrefix(e.Name(), filepath.Base(mod)+"@"); ok {
			versions = append(versions, v)
		}
	}
	semver.Sort(versions)
	return versions
}

// serveVersion answers for the file of a version: VERSION.info, .mod or .zip.
func serveVersion(w http.ResponseWriter, root, mod, file string) {
	kind := filepath.Ext(file)
	version, err := module.UnescapeVersion(strings.TrimSuffix(file, kind))
	dir := filepath.Join(root, mod+"@"+version)
	if _, statErr := os.Stat(dir); err != nil || statErr != nil {
		http.Error(w, "not found: no such version", http.StatusNotFound)
		return
	}
	switch kind {
	case ".info":
		writeInfo(w, version)
	case ".mod":
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			data = []byte("module " + mod + "\n")
		}
		_, _ = w.Write(data)
	case ".zip":
		var buf bytes.Buffer
		if err := zip.CreateFromDir(&buf, module.Version{Path: mod, Version: version}, dir); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(buf.Bytes())
	default:
		http.Error(w, "not found: no such file", http.StatusNotFound)
	}
}

func writeInfo(w http.ResponseWriter, version string) {
	_ = json.NewEncoder(w).Encode(map[string]string{"Version": version, "Time": "2026-01-02T03:04:05Z"})
}
