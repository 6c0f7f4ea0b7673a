package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeApt puts an apt-get in PATH that runs the script, and returns the file
// in which it notes its arguments.
func fakeApt(t *testing.T, script string) (noted, bin string) {
	t.Helper()
	bin = t.TempDir()
	noted = filepath.Join(t.TempDir(), "noted")
	text := "#!/bin/sh\necho \"$@\" >>" + quote(noted) + "\n" + script
	if err := os.WriteFile(filepath.Join(bin, "apt-get"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	return noted, bin
}

const firstInstall = "install --yes --no-install-recommends no-such-package\n"

func TestInstall(t *testing.T) {
	list := []need{{pkg: "no-such-package", file: "no-such-program", why: "the test needs it"}}
	for _, test := range []struct {
		name, script, noted, err string
	}{
		{"at once", "exit 0", firstInstall, ""},
		{"after an update", `test "$(wc -l <"$0.count" 2>/dev/null || echo 0)" -gt 0 || { echo >>"$0.count"; exit 1; }`,
			firstInstall + "update\n" + firstInstall, ""},
		{"never", "echo no network; exit 100", firstInstall + "update\n", "install no-such-package yourself: the test needs it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			noted, _ := fakeApt(t, test.script)
			err := install(context.Background(), list)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v, want %q", err, test.err)
			}
			got, err := os.ReadFile(noted)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.noted {
				t.Errorf("apt-get was run with\n%swant\n%s", got, test.noted)
			}
		})
	}
}

func TestInstallWhatIsThere(t *testing.T) {
	noted, bin := fakeApt(t, "exit 1")
	if err := os.WriteFile(filepath.Join(bin, "there"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	list := []need{{pkg: "x", file: "there"}, {pkg: "y", file: bin}, {pkg: "z", file: "not-there", wanted: true}}
	if err := install(context.Background(), list); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(noted); strings.Contains(string(got), " x\n") || strings.Contains(string(got), " y\n") {
		t.Errorf("apt-get was run with\n%s", got)
	}
}
