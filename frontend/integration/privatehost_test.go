package integration

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdPrivateproxy starts a host that wants a password, and makes a builder image
// that trusts its certificate: privateproxy USER PASSWORD NAME. It serves
//
//	$PRIVATEPROXY       the modules below $WORK/modules, as a module proxy
//	ADDR/PATH.git       the git repository $WORK/git/PATH.git
//	ADDR/PATH?go-get=1  where that repository is, without a password
//
// ADDR is $PRIVATEADDR, an address of loopback, on the port of https; it is
// that of $SSHADDR, too, where there is one. The certificate is also good for
// the names git.test and proxy.test and is in the file $PRIVATECA. The image is
// $REGISTRY/NAME: golang:1.26 with this certificate besides its own.
//
// Every request is a line of $WORK/private.log: status, user, method, URL. It
// is refused with 401 without a password, and with 403 with a wrong one.
func cmdPrivateproxy(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: privateproxy USER PASSWORD NAME")
	}
	l := listenHost(ts, "443")
	addr, _, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	cert, ca := selfSigned(ts, net.ParseIP(addr), "git.test", "proxy.test")
	dir, err := os.MkdirTemp(ts.MkAbs("."), "private")
	ts.Check(err)
	file := filepath.Join(dir, "ca.pem")
	ts.Check(os.WriteFile(file, ca, 0o644))
	h := &privateHost{
		user: args[0], password: args[1], log: newLineLog(ts.MkAbs("private.log")),
		repos: ts.MkAbs("git"), modules: moduleProxy(ts.MkAbs("modules")), git: gitHandler(ts.MkAbs("git")),
	}
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})) }()
	ts.Defer(func() { _ = srv.Close() })
	ts.Setenv("PRIVATEADDR", addr)
	ts.Setenv("PRIVATEPROXY", "https://"+addr)
	ts.Setenv("PRIVATECA", file)
	dockerfile(ts, dir, ts.Getenv("REGISTRY")+"/"+args[2], "FROM golang:1.26\nCOPY ca.pem /tmp/ca.pem\n"+
		"RUN cat /tmp/ca.pem >>/etc/ssl/certs/ca-certificates.crt\n")
}

// listenHost listens on a well-known port of the address of loopback that is
// the script's own, since a module path has no place for a port.
func listenHost(ts *testscript.TestScript, port string) net.Listener {
	addr := cmp.Or(ts.Getenv("SSHADDR"), ts.Getenv("PRIVATEADDR"))
	if addr == "" {
		random := make([]byte, 2)
		_, _ = rand.Read(random)
		addr = fmt.Sprintf("127.%d.%d.2", 1+random[0]%250, random[1])
	}
	l, err := net.Listen("tcp", net.JoinHostPort(addr, port))
	if err != nil {
		ts.Fatalf("%v\nthe port must not be taken by a server of the machine, and takes root", err)
	}
	return l
}

// selfSigned makes a certificate that is its own CA.
func selfSigned(ts *testscript.TestScript, ip net.IP, names ...string) (pair tls.Certificate, ca []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "private"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{ip}, DNSNames: names,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	ts.Check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// lineLog is a file that several goroutines write lines to.
type lineLog struct {
	mu   sync.Mutex
	name string
}

func newLineLog(name string) *lineLog { return &lineLog{name: name} }

func (l *lineLog) println(words ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.OpenFile(l.name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintln(f, words...)
}

// gitPath matches the path of a git client's request.
var gitPath = regexp.MustCompile(`^(/.+?)(?:\.git)?(/info/refs|/git-upload-pack)$`)

// privateHost is a host of modules and repositories that wants a password.
type privateHost struct {
	user, password string
	log            *lineLog
	repos          string
	modules, git   http.Handler
}

// ServeHTTP implements http.Handler.
func (h *privateHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, ok := r.BasicAuth()
	rec := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
	defer func() { h.log.println(rec.status, cmp.Or(user, "-"), r.Method, r.URL) }()
	switch {
	case r.URL.Query().Get("go-get") == "1":
		h.goGet(rec, r)
	case !ok:
		rec.Header().Set("WWW-Authenticate", `Basic realm="private"`)
		http.Error(rec, "who are you?", http.StatusUnauthorized)
	case user != h.user || subtle.ConstantTimeCompare([]byte(password), []byte(h.password)) != 1:
		http.Error(rec, "wrong user or password", http.StatusForbidden)
	case gitPath.MatchString(r.URL.Path):
		r2 := r.Clone(r.Context())
		// The go command leaves .git out when it looks for the repository of a
		// module path that has it.
		r2.URL.Path = gitPath.ReplaceAllString(r.URL.Path, "/git$1.git$2")
		h.git.ServeHTTP(rec, r2)
	default:
		h.modules.ServeHTTP(rec, r)
	}
}

// goGet tells the go command which repository a module path without .git is in.
func (h *privateHost) goGet(w http.ResponseWriter, r *http.Request) {
	for p := strings.Trim(r.URL.Path, "/"); p != "." && p != ""; p = path.Dir(p) {
		if _, err := os.Stat(filepath.Join(h.repos, filepath.FromSlash(p)+".git")); err == nil {
			root := r.Host + "/" + p
			fmt.Fprintf(w, `<html><head><meta name="go-import" content="%s git https://%s.git"></head></html>`, root, root)
			return
		}
	}
	http.NotFound(w, r)
}

// statusRecorder keeps the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}
