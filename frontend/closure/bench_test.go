package closure

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gopherfile/gopherfile/frontend/scan"
)

// ports are so many platforms as the go command has.
func ports() []string {
	var list []string
	for _, goos := range []string{"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "plan9", "solaris", "aix", "android"} {
		for _, goarch := range []string{"amd64", "arm64", "386", "arm", "riscv64"} {
			list = append(list, goos+"/"+goarch)
		}
	}
	return list[:47]
}

// largeIndex is the index of a module with 10,000 files in 1,000 packages, 20 of
// which are programs that reach half of the others. With apart no two platforms
// select the same files.
func largeIndex(apart bool) (ix *scan.Index, mains []string) {
	ix = &scan.Index{Modules: []scan.Module{{Dir: ".", Path: "example.com/company/product", Go: "1.26", Requirements: []string{"github.com/some/dependency@v1.0.0"}}}}
	std := []string{"bytes", "context", "errors", "fmt", "io", "net/http", "os", "path/filepath", "slices", "strings", "sync", "time"}
	for i := range 1000 {
		p := scan.Package{Dir: fmt.Sprintf("internal/service%d/component%d", i/25, i%25), Module: "."}
		name := "component"
		if i%50 == 0 {
			p.Dir, name = fmt.Sprintf("cmd/program%d", i/50), "main"
			mains = append(mains, p.Dir)
		}
		for j := range 10 {
			f := scan.File{Name: fmt.Sprintf("some_file_%d.go", j), Package: name}
			switch j {
			case 7:
				f.Constraint = "linux || darwin"
			case 8:
				f.Name = "some_file_windows.go"
			case 6:
				if apart {
					f.Constraint = "!" + strings.ReplaceAll(ports()[i%47], "/", " || !")
				}
			case 9:
				f.Constraint = fmt.Sprintf("!linux && go1.%d", i%20)
			}
			for k := range 5 {
				f.Imports = append(f.Imports, std[(i+j+k)%len(std)])
			}
			for k := range 3 {
				if n := (i*7 + 13*j + k) % 1000; n > i && n%50 != 0 {
					f.Imports = append(f.Imports, fmt.Sprintf("example.com/company/product/internal/service%d/component%d", n/25, n%25))
				}
			}
			f.Imports = append(f.Imports, fmt.Sprintf("github.com/some/dependency/p%d", i%40))
			slices.Sort(f.Imports)
			f.Imports = slices.Compact(f.Imports)
			p.Files = append(p.Files, f)
		}
		ix.Packages = append(ix.Packages, p)
	}
	slices.SortFunc(ix.Packages, func(a, b scan.Package) int { return strings.Compare(a.Dir, b.Dir) })
	return ix, mains
}

// BenchmarkOf makes the closures of 20 programs on 47 platforms.
func BenchmarkOf(b *testing.B) {
	for _, apart := range []bool{false, true} {
		ix, mains := largeIndex(apart)
		b.Run(fmt.Sprintf("apart=%t", apart), func(b *testing.B) {
			files := 0
			for b.Loop() {
				files = closures(b, ix, mains)
			}
			b.ReportMetric(float64(files)/940, "files/closure")
		})
	}
	ix, _ := largeIndex(false)
	b.Run("JSON", func(b *testing.B) {
		data, err := json.Marshal(ix)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := json.Unmarshal(data, &scan.Index{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(data))/1024, "KB")
	})
}

// closures makes all of them and returns the number of their files.
func closures(tb testing.TB, ix *scan.Index, mains []string) int {
	tree, files := New(ix), 0
	for _, p := range ports() {
		s := tree.For(targetFor(build{platform: p}))
		for _, main := range mains {
			c, err := s.Of(main)
			if err != nil {
				tb.Fatal(err)
			}
			files += len(c.Files)
		}
	}
	return files
}

// BenchmarkFleet makes the closures of all programs of a real module on all
// platforms.
func BenchmarkFleet(b *testing.B) {
	ix, err := scan.Scan(os.DirFS(download(b, "golang.org/x/tools@v0.24.0")), scan.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var mains []string
	for i := range ix.Packages {
		if p := &ix.Packages[i]; slices.ContainsFunc(p.Files, func(f scan.File) bool { return f.Package == "main" }) {
			mains = append(mains, p.Dir)
		}
	}
	files := 0
	for b.Loop() {
		files = closures(b, ix, mains)
	}
	b.ReportMetric(float64(len(mains)*47), "closures")
	b.ReportMetric(float64(files), "files")
}
