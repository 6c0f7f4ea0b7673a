package integration

import (
	"fmt"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httputil"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/module"
)

// serve starts what a script may need from a network, on loopback:
//
//	$SERVER/git/      git repositories below $WORK/git
//	$SERVER/files/    files below $WORK/files
//	$SERVER/goproxy/  the modules of the machine's module cache, as a module proxy;
//	                  what is not there is downloaded
//	$SERVER/modules/  the modules below $WORK/modules, as a module proxy
//	$PROXY            a forward proxy that leads every request to $SERVER and
//	                  writes a line for it into $WORK/proxy.log
func serve(env *testscript.Env) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/git/", gitHandler(filepath.Join(env.WorkDir, "git")))
	mux.Handle("/files/", http.StripPrefix("/files/", http.FileServer(http.Dir(filepath.Join(env.WorkDir, "files")))))
	cached, err := cacheHandler()
	if err != nil {
		return err
	}
	mux.Handle("/modules/", http.StripPrefix("/modules", moduleProxy(filepath.Join(env.WorkDir, "modules"))))
	mux.Handle("/goproxy/", http.StripPrefix("/goproxy/", cached))
	serveUntilEnd(env, l, mux)

	p, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serveUntilEnd(env, p, proxyHandler(l.Addr().String(), filepath.Join(env.WorkDir, "proxy.log")))
	env.Setenv("SERVER", "http://"+l.Addr().String())
	env.Setenv("SERVERPORT", fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	env.Setenv("PROXY", "http://"+p.Addr().String())
	return nil
}

func serveUntilEnd(env *testscript.Env, l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h} //nolint:gosec // a test server needs no time limits
	go func() { _ = srv.Serve(l) }()
	env.Defer(func() { _ = srv.Close() })
}

// cacheHandler serves what the module cache of the machine has downloaded. A
// version of a module that is not there is downloaded first: on a new machine
// nobody else has asked for it.
func cacheHandler() (http.Handler, error) {
	env, err := exec.Command("go", "env", "GOMODCACHE", "GOPROXY").Output()
	if err != nil {
		return nil, err
	}
	cache, proxies, _ := strings.Cut(strings.TrimSpace(string(env)), "\n")
	dir := filepath.Join(cache, "cache", "download")
	proxies = strings.TrimSuffix(proxies, ",direct") // many a host of a test does not exist
	files := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		escaped, version, ok := strings.Cut(r.URL.Path, "/@v/")
		name, err := module.UnescapePath(escaped)
		if ext := path.Ext(version); ok && err == nil && (ext == ".info" || ext == ".mod" || ext == ".zip") {
			if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(r.URL.Path))); err != nil {
				download := exec.CommandContext(r.Context(), "go", "mod", "download", name+"@"+strings.TrimSuffix(version, ext))
				download.Dir, download.Env = os.TempDir(), append(os.Environ(), "GOPROXY="+proxies)
				_ = download.Run() // error ignored: then it is not there, which the answer says
			}
		}
		files.ServeHTTP(w, r)
	}), nil
}

// gitHandler serves repositories the way git hosts do.
func gitHandler(root string) http.Handler {
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return http.NotFoundHandler()
	}
	return &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Root: "/git",
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	}
}

// proxyHandler answers every proxied request from the server and logs it.
func proxyHandler(server, log string) http.Handler {
	var mu sync.Mutex
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", server
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			fmt.Fprintln(f, r.Method, r.URL)
			f.Close()
		}
		mu.Unlock()
		forward.ServeHTTP(w, r)
	})
}
