package main

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// gate stands between clients and the daemon. It can slow down what clients
// send, so that a transfer can be hit in its middle, and can cut connections.
type gate struct {
	listener net.Listener
	target   string
	// rate is in bytes per second; 0 is no limit.
	rate atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// startGate listens at a socket for the daemon at another one.
func startGate(sock, target string) (*gate, error) {
	if err := os.Remove(sock); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", sock)
	if err != nil {
		return nil, err
	}
	g := &gate{listener: l, target: target, conns: map[net.Conn]bool{}}
	go g.serve()
	return g, nil
}

func (g *gate) serve() {
	for {
		client, err := g.listener.Accept()
		if err != nil {
			return // closed
		}
		daemon, err := net.Dial("unix", g.target)
		if err != nil {
			client.Close() // as if nobody had listened
			continue
		}
		g.note(true, client, daemon)
		go g.copy(daemon, client, &g.rate)
		go g.copy(client, daemon, new(atomic.Int64))
	}
}

// copy sends what one side says to the other until either ends.
func (g *gate) copy(to, from net.Conn, rate *atomic.Int64) {
	defer g.note(false, to, from)
	piece := make([]byte, 16<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			if r := rate.Load(); r > 0 {
				time.Sleep(time.Duration(n) * time.Second / time.Duration(r))
			}
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// note keeps connections, or closes and forgets them.
func (g *gate) note(open bool, conns ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		if open {
			g.conns[c] = true
		} else {
			c.Close()
			delete(g.conns, c)
		}
	}
}

// cut ends all connections.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c := range g.conns {
		c.Close()
	}
}

// close ends the gate.
func (g *gate) close() error {
	err := g.listener.Close()
	g.cut()
	return err
}
