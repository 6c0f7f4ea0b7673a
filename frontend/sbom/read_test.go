package sbom

import (
	"bytes"
	"debug/buildinfo"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// compiled builds a program with a module that is replaced, for a port.
func compiled(t *testing.T, port string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":     "module example.com/app\n\ngo 1.26.0\n\nrequire example.com/dep v1.0.0\n\nreplace example.com/dep => ./dep\n",
		"main.go":    "package main\n\nimport \"example.com/dep\"\n\nfunc main() { println(dep.Name) }\n",
		"dep/go.mod": "module example.com/dep\n",
		"dep/dep.go": "package dep\n\n// Name is one.\nvar Name = \"dep\"\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	goos, goarch, _ := strings.Cut(port, "/")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", "app", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "app")
}

// TestRead reads binaries of several formats. They all list the same modules.
func TestRead(t *testing.T) {
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
			f, err := os.Open(compiled(t, port))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			info, err := Read(f)
			if err != nil {
				t.Fatal(err)
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

// TestVersionM checks that a document has the modules that go version -m lists,
// those and no others.
func TestVersionM(t *testing.T) {
	program, least := "gopherfile", 20
	if testing.Short() {
		program, least = "gocache", 1
	}
	exe := filepath.Join(t.TempDir(), program)
	if out, err := exec.Command("go", "build", "-o", exe, "../cmd/"+program).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command("go", "version", "-m", exe).Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.Trim(line, "\t\n"), "\t")
		if fields[0] == "dep" {
			want = append(want, fields[1]+" "+fields[2])
		}
	}
	info, err := buildinfo.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	data, err := Write(Input{Name: "test", Files: []File{{Name: "test", Info: info}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range validate(t, data).Packages {
		switch p.PackageName {
		case "stdlib", "toolchain", "test", info.Main.Path:
		default:
			got = append(got, p.PackageName+" "+p.PackageVersion)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) < least || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// section is a part of a WebAssembly module.
func section(id byte, body string) string {
	return string(binary.AppendUvarint([]byte{id}, uint64(len(body)))) + body
}

// text is a name as WebAssembly has it.
func text(s string) string { return string(binary.AppendUvarint(nil, uint64(len(s)))) + s }

// TestReadDamaged reads what is no binary, or not the whole of one.
func TestReadDamaged(t *testing.T) {
	modules := infoStart + "path\texample.com/app\nmod\texample.com/app\t(devel)\t\n" + infoEnd
	producers := section(sectionCustom, text("producers")+"\x01"+text("language")+"\x01"+text("Go")+text("go1.26.0"))
	whole := wasmMagic + section(sectionData, strings.Repeat("\x00", 100_000)+modules+"more") + producers
	if info, err := Read(strings.NewReader(whole)); err != nil || info.Main.Path != "example.com/app" || info.GoVersion != "go1.26.0" {
		t.Fatalf("got %v, %v, want example.com/app of go1.26.0", info, err)
	}
	for _, before := range []int{0, 65535, 65530, 65520, 65519, 131000} {
		data := wasmMagic + section(sectionData, strings.Repeat("\x00", before)+modules)
		if info, err := Read(strings.NewReader(data)); err != nil || info.Main.Path != "example.com/app" {
			t.Errorf("after %d bytes: got %v, %v, want example.com/app", before, info, err)
		}
	}
	for name, data := range map[string]string{
		"nothing":    "",
		"text":       "#!/bin/sh\necho hello\n",
		"no data":    wasmMagic + producers,
		"no end":     wasmMagic + section(sectionData, infoStart+"path\texample.com/app\n"),
		"cut":        whole[:len(wasmMagic)+50_000],
		"no modules": wasmMagic + section(sectionData, strings.Repeat("x", 200_000)),
		"no module":  wasmMagic + section(sectionData, infoStart+"mod\ta\n"+infoEnd),
		"no length":  wasmMagic + "\x0b\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		if info, err := Read(strings.NewReader(data)); err == nil {
			t.Errorf("%s: got %v, want an error", name, info)
		}
	}
}

// FuzzRead reads any file.
func FuzzRead(f *testing.F) {
	f.Add([]byte(wasmMagic + section(sectionData, infoStart+"mod\ta\tb\tc\n"+infoEnd) + section(0, text("producers")+"\x01"+text("language")+"\x01"+text("Go")+text("go1"))))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		if _, err := Write(Input{Name: "app", Files: []File{{Name: "app", Info: info}}}); err != nil {
			t.Error(err)
		}
	})
}
