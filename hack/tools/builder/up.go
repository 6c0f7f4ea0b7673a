package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// dockerHub answers where docker.io can be reached: with 200, or with 401 to
// one who shows no token.
const dockerHub = "https://registry-1.docker.io/v2/"

// up brings everything into the state that env describes. What is there
// already is left as it is.
func up(ctx context.Context, l layout) error {
	if err := l.create(); err != nil {
		return err
	}
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()

	host := buildkitHost(l, os.Getenv("BUILDKIT_HOST"))
	own := host == l.buildkitHost()
	if own && os.Geteuid() != 0 {
		return errors.New("buildkitd needs root; run this as root, or set BUILDKIT_HOST to a BuildKit that runs")
	}
	if err := install(ctx, needs(own)); err != nil {
		return err
	}
	if err := buildTools(ctx, l); err != nil {
		return err
	}
	s, err := decide(ctx, l, host)
	if err != nil {
		return err
	}
	if err := startAll(ctx, l, s, own); err != nil {
		return err
	}
	if err := s.save(l); err != nil {
		return err
	}
	if err := setUpDocker(ctx, l, s.Host); err != nil {
		return err
	}
	announce(s, own)
	return nil
}

// buildkitHost returns the address of the BuildKit to use: the one that the
// user names, unless it is the one that env printed.
func buildkitHost(l layout, named string) string {
	if named == "" {
		return l.buildkitHost()
	}
	return named
}

// decide settles the port and who provides images, as they were before where
// nothing speaks against it.
func decide(ctx context.Context, l layout, host string) (state, error) {
	was, err := loadState(l)
	if err != nil {
		return state{}, err
	}
	s := state{Host: host, Port: was.Port}
	pid, _ := hubService(l, was).running(l)
	if pid == 0 && (s.Port == 0 || !portFree(s.Port)) {
		if s.Port, err = freePort(l.dir); err != nil {
			return state{}, err
		}
		if was.Port != 0 {
			progress("port %d is taken by another program; the hub moves to %d", was.Port, s.Port)
		}
	}
	switch mode := os.Getenv("GOPHERFILE_ASSEMBLE"); mode {
	case "always", "never":
		s.Assemble = mode == "always"
	case "", "auto":
		s.Assemble = was.Assemble
		if pid == 0 {
			s.Assemble = !reachable(ctx, dockerHub)
		}
	default:
		return state{}, fmt.Errorf("GOPHERFILE_ASSEMBLE is %q; it may be auto, always or never", mode)
	}
	return s, nil
}

// reachable tells whether a registry answers at url, and soon.
func reachable(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusUnauthorized
}

func startAll(ctx context.Context, l layout, s state, own bool) error {
	for _, service := range services(l, s) {
		if service.name == "buildkitd" && !own {
			continue
		}
		if err := service.ensure(ctx, l); err != nil {
			return err
		}
	}
	if own {
		return nil
	}
	if err := answers(ctx, l, s.Host); err != nil {
		return fmt.Errorf("BUILDKIT_HOST: %w", err)
	}
	return nil
}

func announce(s state, own bool) {
	if !own {
		progress("using the BuildKit at %s; its configuration must have %s as mirror of docker.io", s.Host, s.registry())
	}
	progress(`up; for this shell: eval "$(hack/builder env)"`)
}
