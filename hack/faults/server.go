package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// answer takes the place of what a server would say to a request. It returns
// false to let the server say it after all.
type answer func(w http.ResponseWriter, r *http.Request, next http.Handler) bool

// server is an HTTP server that can be told to go wrong, and can be stopped and
// started again at the same address.
type server struct {
	next http.Handler
	addr string

	mu     sync.Mutex
	http   *http.Server
	fault  answer
	healed chan struct{}
	asked  int
}

// startServer serves on a free port of the loopback interface.
func startServer(next http.Handler) (*server, error) {
	s := &server{next: next, addr: "127.0.0.1:0", healed: make(chan struct{})}
	return s, s.listen()
}

// listen makes the server reachable.
func (s *server) listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	s.addr = l.Addr().String()
	srv := &http.Server{Handler: s} //nolint:gosec // a server that hangs on purpose needs no time limits
	s.http = srv
	go func() { _ = srv.Serve(l) }() // error ignored: it is closed by stop
	return nil
}

// stop makes the server unreachable: connections are refused.
func (s *server) stop() error {
	s.mu.Lock()
	srv := s.http
	s.http = nil
	s.mu.Unlock()
	if srv == nil {
		return nil
	}
	return srv.Close()
}

// breaks makes the server answer with a fault from now on.
func (s *server) breaks(a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.asked = a, 0
}

// heal undoes breaks and stop. Who waits for an answer gets it.
func (s *server) heal() error {
	s.mu.Lock()
	s.fault = nil
	close(s.healed)
	s.healed = make(chan struct{})
	s.mu.Unlock()
	return s.listen()
}

// hit counts a request that a fault was for.
func (s *server) hit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
}

// hits is how often the fault was met since breaks.
func (s *server) hits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// ServeHTTP answers with the fault, if there is one.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fault := s.fault
	s.mu.Unlock()
	if fault == nil || !fault(w, r, s.next) {
		s.next.ServeHTTP(w, r)
	}
}

// on limits an answer to some requests.
func (s *server) on(match func(*http.Request) bool, a answer) answer {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		if !match(r) {
			return false
		}
		s.hit()
		return a(w, r, next)
	}
}

// answers is a status code and a text.
func answers(code int) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		http.Error(w, "said by the fault", code)
		return true
	}
}

// denied is how a registry says no.
func denied(code int, reason string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"said by the fault with %d"}]}`, reason, code)
		return true
	}
}

// hang answers when the server is healed, and not before.
func (s *server) hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	s.mu.Lock()
	healed := s.healed
	s.mu.Unlock()
	select {
	case <-healed:
	case <-r.Context().Done():
	}
	return false
}

// reset ends the connection without an answer.
func reset(w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // error ignored: it is closed anyhow
		}
		conn.Close()
	}
	return true
}

// cutUpload takes a part of what is uploaded and ends the connection.
func cutUpload(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	_, _ = io.CopyN(io.Discard, r.Body, 1000) // error ignored: all of it may be less
	return reset(w, r, next)
}

// recorded is an answer of the server before it is sent.
type recorded struct {
	header http.Header
	code   int
	body   []byte
}

// Header is that of the answer.
func (r *recorded) Header() http.Header { return r.header }

// WriteHeader keeps the code.
func (r *recorded) WriteHeader(code int) { r.code = code }

// Write keeps the body.
func (r *recorded) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}

// changed sends another body than the server's, with the right length, or with
// that of the whole.
func changed(change func([]byte) []byte, keepLength bool) answer {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		rec := &recorded{header: http.Header{}, code: http.StatusOK}
		next.ServeHTTP(rec, r)
		body := change(rec.body)
		length := len(body)
		if keepLength {
			length = len(rec.body)
		}
		rec.header.Set("Content-Length", strconv.Itoa(length))
		for name, values := range rec.header {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.code)
		_, _ = w.Write(body) // error ignored: the client may be gone
		if length != len(body) {
			panic(http.ErrAbortHandler) // ends the connection
		}
		return true
	}
}

// half is the first half of a body.
func half(b []byte) []byte { return b[:len(b)/2] }

// garbage is a body of the same length that means nothing.
func garbage(b []byte) []byte {
	g := make([]byte, len(b))
	for i := range g {
		g[i] = byte(i*7 + 13)
	}
	return g
}

// slow sends a body in many pieces over some time.
func slow(over time.Duration) answer {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
		const pieces = 20
		rec := &recorded{header: http.Header{}, code: http.StatusOK}
		next.ServeHTTP(rec, r)
		for name, values := range rec.header {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(rec.body)))
		w.WriteHeader(rec.code)
		for i := range pieces {
			if !pause(r.Context(), over/pieces) {
				return true
			}
			from, to := len(rec.body)*i/pieces, len(rec.body)*(i+1)/pieces
			if _, err := w.Write(rec.body[from:to]); err != nil {
				return true
			}
			_ = http.NewResponseController(w).Flush() // error ignored: it is sent at the end
		}
		return true
	}
}

// pause waits, and reports whether nobody ended that.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// fetch reads a URL.
func fetch(ctx context.Context, method, url string, header http.Header) ([]byte, http.Header, int, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, nil, 0, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, 0, err
	}
	body, err := io.ReadAll(resp.Body)
	return body, resp.Header, resp.StatusCode, errors.Join(err, resp.Body.Close())
}
