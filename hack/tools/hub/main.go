// Command hub stands in for docker.io on a machine that does not reach it, or
// stands before it on one that does. It serves the images of a registry of its
// own, which BuildKit takes as the mirror of docker.io; with -assemble, it adds
// golang and docker/dockerfile images to it when they are asked for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(log.LstdFlags | log.Lmsgprefix)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	listen := flag.String("listen", "127.0.0.1:5000", "the `address` to serve")
	socket := flag.String("registry", "", "the unix `socket` of the registry that stores the images")
	frontend := flag.String("frontend", "", "the `program` of the docker/dockerfile image")
	tmp := flag.String("tmp", os.TempDir(), "the `folder` for layers while they are made")
	assemble := flag.Bool("assemble", false, "assemble images that the registry lacks")
	flag.Parse()
	if *socket == "" || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-registry is needed, and no arguments")
	}

	if err := removeLeft(*tmp); err != nil {
		return err
	}
	st := newStore(*socket, *tmp)
	h := newHub(st)
	if *assemble {
		local, err := localToolchain(ctx)
		if err != nil {
			return err
		}
		log.Printf("assembling images; local toolchain go%s in %s", local.release, local.root)
		h.images = map[string]assembler{
			"library/golang":    newGolang(st, local),
			"docker/dockerfile": &dockerfile{store: st, program: *frontend},
		}
	}
	return serve(ctx, *listen, h)
}

// removeLeft deletes the layers that a hub has left which was killed at work.
func removeLeft(tmp string) error {
	dirs, err := filepath.Glob(filepath.Join(tmp, "image-*"))
	for _, dir := range dirs {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// serve answers requests until ctx ends.
func serve(ctx context.Context, addr string, h http.Handler) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	end := context.AfterFunc(ctx, func() {
		short, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if srv.Shutdown(short) != nil {
			srv.Close()
		}
	})
	defer end()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
