package gocache

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// These say how long a claim lasts that the go command has not been seen to
// work on. The first is what lies between a miss and a compile: waiting for a
// processor, and running cgo. Each claim that ends so halves the time, as a
// process with many of them asks for what is never put.
const (
	firstGrace = 3 * time.Second
	lastGrace  = 100 * time.Millisecond
)

// claims is the part of this process in dividing the work among all that use a
// store. A claim is a lock on one byte of a file; the lock is of the open file,
// so that the kernel frees it when the process ends, however it ends.
type claims struct {
	name string

	mu    sync.Mutex
	file  *os.File
	grace time.Duration
	held  map[id]*claim
	// starts finds a claim by what the go command puts first when it compiles.
	starts map[id]*claim
}

// claim is an action that the go command was told to compile.
type claim struct {
	action, start id
	started       bool
	end           *time.Timer
}

func newClaims(store string, grace time.Duration) *claims {
	return &claims{
		name:   filepath.Join(store, "gopherfile.lock"),
		grace:  grace,
		held:   map[id]*claim{},
		starts: map[id]*claim{},
	}
}

// verdict says what became of an attempt to claim.
type verdict int

const (
	// claimed means that this process has it now.
	claimed verdict = iota
	// unclaimed means that nobody has it: this process has told the go command
	// to compile it before, or the store keeps no locks.
	unclaimed
	// taken means that another process has it.
	taken
)

// take tries to claim an action.
func (c *claims) take(action id) verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[action] != nil || !c.open() {
		return unclaimed
	}
	ok, err := lockByte(c.file, place(action))
	if err != nil {
		return unclaimed
	}
	if !ok {
		return taken
	}
	cl := &claim{action: action, start: subkey(action, "srcfiles")}
	cl.end = time.AfterFunc(c.grace, func() { c.expire(cl) })
	c.held[action] = cl
	c.starts[cl.start] = cl
	return claimed
}

// place is the byte of an action. That two actions share one is next to
// impossible, and would make somebody wait in vain.
func place(action id) int64 {
	return int64(binary.BigEndian.Uint64(action[:]) >> 1)
}

// open opens the lock file, again when somebody has emptied the store: who
// comes then finds another file.
func (c *claims) open() bool {
	if c.file != nil && linked(c.file) {
		return true
	}
	if c.file != nil {
		c.file.Close()
		c.file = nil
	}
	if err := os.MkdirAll(filepath.Dir(c.name), 0o777); err != nil {
		return false
	}
	f, err := os.OpenFile(c.name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return false
	}
	c.file = f
	for action := range c.held {
		// Whoever has it by now compiles it too. That costs time only.
		_, _ = lockByte(f, place(action))
	}
	return true
}

// start notes that the go command works on a claim, if that is what this put
// means. Such a claim lasts until its own put.
func (c *claims) start(put id) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cl := c.starts[put]; cl != nil {
		cl.started = true
	}
}

// expire ends a claim that nobody works on.
func (c *claims) expire(cl *claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cl.started || c.held[cl.action] != cl {
		return
	}
	c.grace = max(c.grace/2, min(c.grace, lastGrace))
	c.drop(cl)
}

// release ends the claim of an action, if there is one.
func (c *claims) release(action id) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cl := c.held[action]; cl != nil {
		c.drop(cl)
	}
}

func (c *claims) drop(cl *claim) {
	cl.end.Stop()
	delete(c.held, cl.action)
	delete(c.starts, cl.start)
	if c.file != nil {
		_ = unlockByte(c.file, place(cl.action))
	}
}

// close ends all claims.
func (c *claims) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cl := range c.held {
		c.drop(cl)
	}
	if c.file != nil {
		c.file.Close()
		c.file = nil
	}
}
