package gocache

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
)

// pins holds files open, so that the go command finds them even when somebody
// empties the folder they lie in.
type pins struct {
	mu   sync.Mutex
	room int
	held []*os.File
	// links is where a process finds the files that this one has open, or
	// empty where there is no such folder.
	links string
}

func newPins() *pins {
	links, room := openFiles()
	return &pins{links: links, room: room}
}

// pin takes over an open file and returns the path under which the go command
// finds it. Where nothing can be pinned that is the name of the file.
func (p *pins) pin(f *os.File, name string) (path string) {
	if path, ok := p.tryPin(f); ok {
		return path
	}
	f.Close()
	return name
}

func (p *pins) tryPin(f *os.File) (path string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.links == "" || p.room == 0 {
		return "", false
	}
	p.room--
	p.held = append(p.held, f)
	return fmt.Sprintf("%s/%d", p.links, f.Fd()), true
}

func (p *pins) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.held {
		f.Close()
	}
	p.held = nil
}

// private holds objects of this process alone, which no other place takes.
type private struct {
	temp string
	pins *pins

	mu  sync.Mutex
	dir string
}

// add writes an object. A file that is pinned needs no name, and so nothing of
// it is left behind whatever becomes of this process.
func (p *private) add(body []byte) (path string, err error) {
	dir, err := p.folder()
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "object")
	if err != nil {
		return "", err
	}
	if _, err := bytes.NewReader(body).WriteTo(f); err != nil {
		return "", errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if path, ok := p.pins.tryPin(f); ok {
		return path, os.Remove(f.Name())
	}
	return f.Name(), f.Close()
}

// folder makes the folder when it is needed, which is seldom.
func (p *private) folder() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir != "" {
		return p.dir, nil
	}
	dir, err := os.MkdirTemp(p.temp, "gocache")
	p.dir = dir
	return dir, err
}

func (p *private) remove() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}
