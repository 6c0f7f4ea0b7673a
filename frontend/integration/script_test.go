// Package integration runs the frontend against a real BuildKit: behind the
// gateway as an image, through docker buildx and buildctl, and in process.
//
// The daemon and the clients are those of hack/builder. Without them the tests
// fail; go test -short leaves them out.
package integration

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"inprocess": inprocess})
}

// TestScript runs every script of testdata/script. The tree of a script is
// below it in the same file.
func TestScript(t *testing.T) {
	t.Parallel()
	builder(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"run":          cmdRun,
			"module":       cmdModule,
			"buildkitd":    cmdBuildkitd,
			"same":         cmdSame,
			"digest":       cmdDigest,
			"ran":          cmdRan,
			"stopat":       cmdStopat,
			"rebuild":      cmdRebuild,
			"rebuilt":      cmdRebuilt,
			"spybase":      cmdSpybase,
			"compilespy":   cmdCompilespy,
			"certbase":     cmdCertbase,
			"barebase":     cmdBarebase,
			"subst":        cmdSubst,
			"format":       cmdFormat,
			"privateproxy": cmdPrivateproxy,
			"sshgit":       cmdSSHGit,
			"searchsecret": cmdSearchsecret,
			"scanner":      cmdScanner,
			"sbom":         cmdSBOM,
			"provenance":   cmdProvenance,
			"filesize":     cmdFilesize,
		},
	})
}

// clientEnv are the variables that lead to the builder.
func clientEnv() []string {
	return []string{"BUILDKIT_HOST", "DOCKER_CONFIG", "BUILDX_BUILDER", "GOPHERFILE_REGISTRY"}
}

// setup gives a script the way to the builder and a server of its own.
func setup(env *testscript.Env) error {
	for _, name := range clientEnv() {
		env.Setenv(name, os.Getenv(name))
	}
	env.Setenv("REGISTRY", os.Getenv("GOPHERFILE_REGISTRY"))
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	env.Setenv("ROOT", root)
	env.Setenv("BUILDARCH", runtime.GOARCH)
	env.Setenv("BUILDX_NO_DEFAULT_ATTESTATIONS", "1")
	return serve(env)
}

// frontendImage builds the frontend image of this checkout for the build
// platform. It is what the syntax line means to the builder.
func frontendImage() error {
	ref := os.Getenv("GOPHERFILE_REGISTRY") + "/gopherfile/gopherfile:1"
	cmd := exec.Command("docker", "buildx", "build", "--progress=plain", "--provenance=false", "--push", "-t", ref, "../..")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the frontend image: %w\n%s", err, out)
	}
	return nil
}

// builder makes sure that there is a builder with the frontend in it.
func builder(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves the real builder out")
	}
	for _, name := range clientEnv() {
		if os.Getenv(name) == "" {
			t.Fatalf(`%s is not set: run hack/builder up, then eval "$(hack/builder env)"`, name)
		}
	}
	if err := frontendImage(); err != nil {
		t.Fatal(err)
	}
}

// qemu names the program of qemu-user that runs binaries of a platform, ""
// for the machine's own.
func qemu(platform string) (string, error) {
	names := map[string]string{
		"linux/386": "i386", "linux/amd64": "x86_64", "linux/arm64": "aarch64", "linux/arm/v6": "arm", "linux/arm/v7": "arm",
		"linux/ppc64le": "ppc64le", "linux/s390x": "s390x", "linux/riscv64": "riscv64", "linux/loong64": "loongarch64",
		"linux/mips64le": "mips64el",
	}
	if platform == runtime.GOOS+"/"+runtime.GOARCH || platform == "linux/386" && runtime.GOARCH == "amd64" {
		return "", nil
	}
	name, ok := names[platform]
	if !ok {
		return "", fmt.Errorf("no emulator known for %s", platform)
	}
	return "qemu-" + name, nil
}

// cmdRun runs a binary of a platform: run linux/arm64 FILE ARG…
func cmdRun(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: run PLATFORM FILE ARG…")
	}
	emulator, err := qemu(args[0])
	ts.Check(err)
	argv := args[1:]
	argv[0] = ts.MkAbs(argv[0])
	if emulator != "" {
		argv = append([]string{emulator}, argv...)
	}
	if err := ts.Exec(argv[0], argv[1:]...); (err != nil) != neg {
		ts.Fatalf("%s: %v", strings.Join(argv, " "), err)
	}
}

// cmdModule copies the sources of a module version: module PATH@VERSION DIR.
// The copy is writable, as a checkout is.
func cmdModule(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: module PATH@VERSION DIR")
	}
	cmd := exec.CommandContext(context.Background(), "go", "mod", "download", "-json", args[0])
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	if err != nil {
		ts.Fatalf("go mod download %s: %v\n%s", args[0], err, out)
	}
	dir := jsonField(out, "Dir")
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(dir)))
	ts.Check(filepath.WalkDir(ts.MkAbs(args[1]), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o755)
		}
		return err
	}))
}

// cmdSame compares the contents of files: same FILE FILE…
func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args[1:] {
		if equal := ts.ReadFile(args[0]) == ts.ReadFile(name); equal == neg {
			ts.Fatalf("%s: %s\n%s: %s", args[0], ts.ReadFile(args[0]), name, ts.ReadFile(name))
		}
	}
}

// cmdDigest writes the digest that a build reported: digest METADATA FILE.
func cmdDigest(ts *testscript.TestScript, _ bool, args []string) {
	d := jsonField([]byte(ts.ReadFile(args[0])), "containerimage.digest")
	if d == "" {
		ts.Fatalf("%s has no digest", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(d), 0o644))
}
