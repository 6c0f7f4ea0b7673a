package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/gopherfile/gopherfile/hack/buildkitd"
)

// cmdBuildkitd starts another, empty daemon for the script and points its
// clients to it: buildkitd [LINE…]. The lines are settings of its worker. It
// ends with the script.
func cmdBuildkitd(ts *testscript.TestScript, _ bool, args []string) {
	dir, err := os.MkdirTemp("", "bk")
	ts.Check(err)
	config := buildkitd.Config{Root: filepath.Join(dir, "root"), Run: dir, Registry: ts.Getenv("REGISTRY"), Worker: args}
	file := filepath.Join(dir, "buildkitd.toml")
	ts.Check(config.Write(file))
	log, err := os.Create(filepath.Join(dir, "log"))
	ts.Check(err)
	cmd := exec.Command("buildkitd", "--config", file)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		log.Close()
		_ = os.RemoveAll(dir)
	})
	ts.Setenv("BUILDKIT_HOST", config.Address())
	for range 100 {
		if exec.Command("buildctl", "--addr", config.Address(), "debug", "workers").Run() == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	out, _ := os.ReadFile(log.Name())
	ts.Fatalf("buildkitd does not answer:\n%s", out)
}

// dockerfile builds an image for a script and pushes it. The folder holds the
// files that the Dockerfile copies.
func dockerfile(ts *testscript.TestScript, dir, ref, text string) {
	ts.Check(os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644))
	cmd := exec.Command("buildctl", "build", "--progress=plain", "--frontend", "dockerfile.v0", "--local", "context="+dir, "--local", "dockerfile="+dir,
		"--output", "type=image,push=true,name="+ref)
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("%v\n%s", err, out)
	}
}

// cmdSpybase makes a builder image whose go command first says how it is run:
// spybase NAME. The image is $REGISTRY/NAME.
func cmdSpybase(ts *testscript.TestScript, _ bool, args []string) {
	dir, err := os.MkdirTemp(ts.MkAbs("."), "spy")
	ts.Check(err)
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "spy"), "./testdata/spy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		ts.Fatalf("%v\n%s", err, out)
	}
	dockerfile(ts, dir, ts.Getenv("REGISTRY")+"/"+args[0], "FROM golang:1.26-alpine AS go\n"+
		"FROM go\nCOPY --from=go /usr/local/go/bin/go /usr/local/go/bin/go.real\nCOPY spy /usr/local/go/bin/go\n")
}

// cmdCompilespy makes a builder image whose compiler says what it compiles:
// compilespy NAME. The image is $REGISTRY/NAME.
func cmdCompilespy(ts *testscript.TestScript, _ bool, args []string) {
	dir, err := os.MkdirTemp(ts.MkAbs("."), "compilespy")
	ts.Check(err)
	ts.Check(compilespy(dir))
	dockerfile(ts, dir, ts.Getenv("REGISTRY")+"/"+args[0], compilespyDockerfile)
}

// compilespyDockerfile makes the image of compilespy. The builder image need not
// have a shell.
const compilespyDockerfile = "FROM golang:1.26-alpine AS go\nFROM go\n" +
	"COPY --from=go /usr/local/go/pkg/tool/linux_" + runtime.GOARCH + "/compile /usr/local/go/pkg/tool/linux_" + runtime.GOARCH + "/compile.real\n" +
	"COPY compilespy /usr/local/go/pkg/tool/linux_" + runtime.GOARCH + "/compile\n"

// compilespy builds the program that stands in for the compiler.
func compilespy(dir string) error {
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "compilespy"), "./testdata/compilespy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// cmdCertbase makes a builder image with a CA of its own, and starts a server
// whose certificate is from that CA: certbase NAME. The image is $REGISTRY/NAME,
// the server $TLSSERVER.
func cmdCertbase(ts *testscript.TestScript, _ bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	ts.Check(err)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	ts.Check(err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "tls works") })}
	go func() { _ = srv.Serve(l) }()
	ts.Defer(func() { _ = srv.Close() })
	ts.Setenv("TLSSERVER", "https://"+l.Addr().String())
	dir, err := os.MkdirTemp(ts.MkAbs("."), "cert")
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(dir, "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	dockerfile(ts, dir, ts.Getenv("REGISTRY")+"/"+args[0], "FROM golang:1.26-alpine\nCOPY ca.pem /etc/ssl/certs/ca-certificates.crt\n")
}

// cmdBarebase makes a builder image with a toolchain and nothing else: no CA
// certificates and no time zones. The image is $REGISTRY/NAME.
func cmdBarebase(ts *testscript.TestScript, _ bool, args []string) {
	dir, err := os.MkdirTemp(ts.MkAbs("."), "bare")
	ts.Check(err)
	dockerfile(ts, dir, ts.Getenv("REGISTRY")+"/"+args[0], "FROM golang:1.26-alpine AS go\nFROM scratch\nENV PATH=/usr/local/go/bin\n"+
		"COPY --from=go --exclude=lib/time /usr/local/go /usr/local/go\n")
}

// cmdSubst replaces @NAME@ in files by the script's variables: subst FILE…
func cmdSubst(ts *testscript.TestScript, _ bool, args []string) {
	variable := regexp.MustCompile(`@[A-Z]+@`)
	for _, name := range args {
		text := variable.ReplaceAllStringFunc(ts.ReadFile(name), func(v string) string { return ts.Getenv(strings.Trim(v, "@")) })
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}
