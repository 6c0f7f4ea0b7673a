package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestChecksums checks the list byte for byte, against sums of sha256sum.
func TestChecksums(t *testing.T) {
	const empty, hello = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"nothing", nil, ""},
		{"empty", map[string]string{"server": ""}, empty + "  server\n"},
		{"sorted", map[string]string{"server": "hello\n", "migrate.exe": "", "Zeta": "hello\n"}, hello + "  Zeta\n" + empty + "  migrate.exe\n" + hello + "  server\n"},
		{"regular files only", map[string]string{"server": "hello\n", "folder/server": ""}, hello + "  server\n"},
		{"long", map[string]string{"a": strings.Repeat("0123456789abcdef", 1<<16)}, "aca1cd027e979588d14b877b7b0cb8585ad9fec599eb45801992ee5382b3760f  a\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, to := t.TempDir(), t.TempDir()
			for name, data := range tt.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(from, name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(from, name), []byte(data), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := checksumsCommand([]string{from, to}); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(to, "SHA256SUMS")
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if info.ModTime().Unix() != 0 || info.Mode().Perm() != 0o644 {
				t.Errorf("got time %v and mode %v, want 1970 and 0644", info.ModTime(), info.Mode())
			}
		})
	}
}

// TestChecksumsLink checks that a link is no file of its own.
func TestChecksumsLink(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(from, "link")); err != nil {
		t.Skip(err)
	}
	if err := checksumsCommand([]string{from, to}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(to, "SHA256SUMS")); err != nil || len(got) > 0 {
		t.Errorf("got %q and error %v, want an empty list", got, err)
	}
}

// TestChecksumsErrors checks what a step that cannot work says, as main prints
// it.
func TestChecksumsErrors(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name   string
		args   []string
		stderr string
	}{
		{"no folders", []string{"checksums"}, "gopherfile: checksums: expected the folder with the files and the one to write to, found 0\n"},
		{"one folder", []string{"checksums", dir}, "gopherfile: checksums: expected the folder with the files and the one to write to, found 1\n"},
		{"three folders", []string{"checksums", dir, dir, dir}, "gopherfile: checksums: expected the folder with the files and the one to write to, found 3\n"},
		{"no such folder", []string{"checksums", dir + "/none", dir}, "gopherfile: checksums: open " + dir + "/none: no such file or directory\n"},
		{"nowhere to write", []string{"checksums", dir, dir + "/none"}, "gopherfile: checksums: open " + dir + "/none/SHA256SUMS: no such file or directory\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, code := gopherfile(t, tt.args...)
			if code != 1 || stdout != "" || stderr != tt.stderr {
				t.Errorf("got exit code %d, stdout %q and stderr %q, want 1 and %q", code, stdout, stderr, tt.stderr)
			}
		})
	}
}

// TestChecksumsRepeat checks that the bytes do not depend on the order in which
// files were written.
func TestChecksumsRepeat(t *testing.T) {
	var first string
	for i, names := range [][]string{{"a", "b", "c"}, {"c", "b", "a"}} {
		from, to := t.TempDir(), t.TempDir()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(from, name), []byte(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := checksumsCommand([]string{from, to}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(to, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = string(got)
		} else if string(got) != first {
			t.Errorf("got %s, want %s", got, first)
		}
	}
}
