package scan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		file File
		want string // the system on amd64 without cgo that it is built for
	}{
		{File{Name: "x.go"}, "linux windows"},
		{File{Name: "x_linux.go"}, "linux"},
		{File{Name: "x_linux_test.go"}, "linux"},
		{File{Name: "linux.go"}, "linux windows"},
		{File{Name: "linux_test.go"}, "linux windows"},
		{File{Name: "_linux.go"}, ""},
		{File{Name: ".x.go"}, ""},
		{File{Name: "x.txt"}, ""},
		{File{Name: "x_amd64.go"}, "linux windows"},
		{File{Name: "x_arm64.go"}, ""},
		{File{Name: "x_windows_amd64.go"}, "windows"},
		{File{Name: "x_windows_arm64.go"}, ""},
		{File{Name: "linux_amd64.go"}, "linux windows"},
		{File{Name: "x_amd64_linux.go"}, "linux"},
		{File{Name: "x_linux_y.go"}, "linux windows"},
		{File{Name: "x_unix.go"}, "linux windows"},
		{File{Name: "x_linux.pb.go"}, "linux"},
		{File{Name: "x.pb_linux.go"}, "linux windows"},
		{File{Name: "x.go", Constraint: "unix"}, "linux"},
		{File{Name: "x.go", Constraint: "!unix && amd64"}, "windows"},
		{File{Name: "x_linux.go", Constraint: "windows"}, ""},
		{File{Name: "x.go", Constraint: "&&"}, ""},
		{File{Name: "x.go", Cgo: true}, ""},
	} {
		var got []string
		for _, goos := range []string{"linux", "windows"} {
			if tt.file.Match(hasPort(goos)) {
				got = append(got, goos)
			}
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.file, got, tt.want)
		}
	}
}

func TestPackageMain(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []File
		want  bool
	}{
		{"nothing", nil, false},
		{"main", []File{{Name: "x.go", Package: "main"}}, true},
		{"library", []File{{Name: "x.go", Package: "x"}}, false},
		{"unparsable", []File{{Name: "x.go"}}, false},
		{"elsewhere", []File{{Name: "x_windows.go", Package: "main"}}, false},
		{"generator", []File{{Name: "gen.go", Package: "main", Constraint: "ignore"}, {Name: "x.go", Package: "x"}}, false},
		{"one of two", []File{{Name: "a.go", Package: "main", Cgo: true}, {Name: "b.go", Package: "main", Constraint: "!cgo"}}, true},
	} {
		p := &Package{Files: tt.files}
		if got := p.Main(hasPort("linux")); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.name, got, tt.want)
		}
	}
}

// TestKnownNames compares with the lists of the go command, which are not to be
// imported but to be read.
func TestKnownNames(t *testing.T) {
	name := filepath.Join(goroot(t), "src", "internal", "syslist", "syslist.go")
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Skip(err)
	}
	for list, is := range map[string]func(string) bool{"KnownOS": isOS, "KnownArch": isArch} {
		known := mapKeys(file, list)
		if len(known) < 10 {
			t.Errorf("%s: got %d names, want more", list, len(known))
		}
		for _, name := range known {
			if !is(name) {
				t.Errorf("%s: %s is missing here", list, name)
			}
		}
	}
}

// mapKeys returns the keys of a package variable that is a map literal.
func mapKeys(file *ast.File, name string) []string {
	var keys []string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && v.Names[0].Name != name {
			return false
		}
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			if key, err := strconv.Unquote(kv.Key.(*ast.BasicLit).Value); err == nil {
				keys = append(keys, key)
			}
		}
		return true
	})
	return keys
}
