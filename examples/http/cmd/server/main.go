// Server serves one page that says what it was built for.
package main

import (
	"embed"
	"flag"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"runtime"
	"time"

	"github.com/go-chi/chi/v5"
)

//go:embed templates/*.html
var files embed.FS

// version is set by the linker: see ldflags in Gopherfile.yaml.
var version = "unknown"

func main() {
	addr := flag.String("addr", ":8080", "address to listen on")
	show := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *show {
		fmt.Printf("http %s %s/%s\n", version, runtime.GOOS, runtime.GOARCH)
		return
	}
	pages := template.Must(template.ParseFS(files, "templates/*.html"))
	r := chi.NewRouter()
	r.Get("/hello/{name}", func(w http.ResponseWriter, req *http.Request) {
		data := map[string]string{"Name": chi.URLParam(req, "name"), "Version": version, "Port": runtime.GOOS + "/" + runtime.GOARCH}
		if err := pages.ExecuteTemplate(w, "hello.html", data); err != nil {
			log.Print(err)
		}
	})
	srv := &http.Server{Addr: *addr, Handler: r, ReadHeaderTimeout: 5 * time.Second}
	log.Printf("listening on %s", *addr)
	log.Fatal(srv.ListenAndServe())
}
