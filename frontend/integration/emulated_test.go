package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// emulatedVar makes TestEmulated run.
const emulatedVar = "GOPHERFILE_EMULATED"

// TestEmulated runs the scripts of testdata/emulated, in which a BuildKit builds
// on linux/arm64. On a machine of another kind that takes qemu-aarch64-static,
// root and minutes, and so they run only when they are told to.
func TestEmulated(t *testing.T) {
	if os.Getenv(emulatedVar) == "" {
		t.Skip("builds on an emulated platform: " + emulatedVar + "=1")
	}
	builder(t)
	registerEmulator(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/emulated",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"buildkitd": cmdBuildkitd,
			"platforms": cmdPlatforms,
			"rebuild":   cmdRebuild,
			"subst":     cmdSubst,
		},
	})
}

// registerEmulator makes the kernel run programs for linux/arm64, in containers
// as well: it opens the emulator now (Documentation/admin-guide/binfmt-misc.rst of
// Linux, flag F).
func registerEmulator(t *testing.T) {
	t.Helper()
	const (
		folder = "/proc/sys/fs/binfmt_misc"
		name   = "gopherfile-aarch64"
		magic  = `\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`
		mask   = `\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`
	)
	program, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder + "/register"); err != nil {
		if out, err := exec.Command("mount", "-t", "binfmt_misc", "binfmt_misc", folder).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("umount", folder).Run() })
	}
	if err := os.WriteFile(folder+"/register", []byte(":"+name+":M::"+magic+":"+mask+":"+program+":F"), 0o200); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("-1"), 0o200); err != nil {
			t.Error(err)
		}
	})
}

// cmdPlatforms makes a builder image and an image of the frontend that are for
// linux/amd64 and linux/arm64: platforms BUILDER FRONTEND.
func cmdPlatforms(ts *testscript.TestScript, _ bool, args []string) {
	const both = "--platform=linux/amd64,linux/arm64"
	release, err := exec.Command("go", "env", "GOVERSION").Output()
	ts.Check(err)
	dir := ts.MkAbs("builder")
	ts.Check(os.Mkdir(dir, 0o777))
	ts.Check(os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(`ARG TARGETARCH=amd64
FROM --platform=linux/amd64 golang:1.26-alpine AS files
FROM toolchain-${TARGETARCH} AS toolchain
FROM scratch
COPY --from=files /etc/ssl /etc/ssl
COPY --from=toolchain --chmod=755 / /usr/local/go
ENV PATH=/usr/local/go/bin GOTOOLCHAIN=local
`), 0o666))
	build := []string{"buildx", "build", "--quiet", "--push", both, "--tag", ts.Getenv("REGISTRY") + "/" + args[0]}
	for _, arch := range []string{"amd64", "arm64"} {
		out, err := exec.Command("go", "mod", "download", "-json", "golang.org/toolchain@v0.0.1-"+strings.TrimSpace(string(release))+".linux-"+arch).Output()
		ts.Check(err)
		build = append(build, "--build-context", "toolchain-"+arch+"="+jsonField(out, "Dir"))
	}
	ts.Check(ts.Exec("docker", append(build, dir)...))
	ts.Check(ts.Exec("docker", "buildx", "build", "--quiet", "--push", both, "--tag", ts.Getenv("REGISTRY")+"/"+args[1], ts.Getenv("ROOT")))
}
