package gocache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options says where objects lie.
type Options struct {
	// Layers are folders that are only read. The first that has an object gives
	// it, before the store does.
	Layers []Layer
	// Store is a folder that other builds share. Empty means none.
	Store string
	// Out is a folder to which all packages and module indexes are written that
	// the go command has used. Empty means none.
	Out string
	// Wait is how long to wait for what another process compiles.
	Wait time.Duration
	// Stats is a file to which the counts are written. Empty means none.
	Stats string
	// Temp is a folder for what the store cannot take.
	Temp string
	// Now is the clock. The store needs it to tell what is old.
	Now func() time.Time

	// grace replaces firstGrace in tests.
	grace time.Duration
}

// Layer is a read-only folder of objects.
type Layer struct {
	Dir string
	// Base is true when Out is to be used together with the layer, and need not
	// repeat what that has.
	Base bool
}

// server answers one go command.
type server struct {
	opt     Options
	layers  []*layer
	store   *store
	claims  *claims
	pins    *pins
	private *private

	mu    sync.Mutex
	known map[id]*object
	stats Stats
	blank string
}

// Serve answers the go command until it closes the cache. The error says what
// the go command could not be told, or was told but would not show.
func Serve(in io.Reader, out io.Writer, opt Options) error {
	s, err := newServer(opt)
	if err != nil {
		return err
	}
	defer s.pins.release()
	reply := &encoder{w: out}
	reply.send(response{KnownCommands: []string{"get", "put", "close"}})
	err = s.serve(newDecoder(in), reply)
	return errors.Join(err, s.private.remove())
}

func newServer(opt Options) (*server, error) {
	s := &server{opt: opt, pins: newPins(), known: map[id]*object{}}
	// The go command demands absolute paths of objects.
	for _, dir := range []*string{&s.opt.Store, &s.opt.Out, &s.opt.Temp} {
		if *dir == "" {
			continue
		}
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return nil, err
		}
		*dir = abs
	}
	s.private = &private{temp: s.opt.Temp, pins: s.pins}
	for _, l := range opt.Layers {
		dir, err := filepath.Abs(l.Dir)
		if err != nil {
			return nil, err
		}
		opened, err := openLayer(dir, l.Base)
		if err != nil {
			s.stats.Corrupt++
		}
		s.layers = append(s.layers, opened)
	}
	if s.opt.Store != "" {
		s.store = &store{dir: s.opt.Store, pins: s.pins, now: opt.Now}
		grace := opt.grace
		if grace == 0 {
			grace = firstGrace
		}
		s.claims = newClaims(s.opt.Store, grace)
	}
	return s, nil
}

// serve reads requests and answers each when it can.
func (s *server) serve(in *decoder, reply *encoder) error {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	end := func() {
		cancel()
		wg.Wait()
		if s.claims != nil {
			s.claims.close()
		}
	}
	defer end()
	for {
		req, err := in.next()
		if errors.Is(err, io.EOF) {
			return s.abandoned()
		}
		if err != nil {
			return err
		}
		switch req.Command {
		case "get":
			wg.Go(func() { reply.send(answer(req, s.get(ctx, req))) })
		case "put":
			wg.Go(func() { reply.send(answer(req, s.put(req))) })
		case "close":
			end()
			err := s.close()
			late := s.writeStats()
			reply.send(answer(req, result{err: err}))
			return late
		default:
			reply.send(response{ID: req.ID, Err: fmt.Sprintf("unknown command %q", req.Command)})
		}
	}
}

// ErrAbandoned says that a layer was not written since the go command has ended
// without closing its cache. It does so when it is killed, when it cannot load
// the packages, and when it only lists them.
var ErrAbandoned = errors.New("the go command has ended without closing its cache")

func (s *server) abandoned() error {
	err := s.writeStats()
	if s.opt.Out != "" {
		err = errors.Join(err, ErrAbandoned)
	}
	return err
}

// result is what became of a request: an object, nothing, or an error.
type result struct {
	object *object
	err    error
}

// answer puts a result into the words of the protocol.
func answer(req *request, r result) response {
	switch {
	case r.err != nil:
		return response{ID: req.ID, Err: "gocache: " + r.err.Error()}
	case r.object == nil && req.Command == "get":
		return response{ID: req.ID, Miss: true}
	case r.object == nil:
		return response{ID: req.ID}
	}
	o := r.object
	return response{ID: req.ID, OutputID: o.out[:], Size: o.size, Time: o.time, DiskPath: o.path}
}

// put keeps an object where it can.
func (s *server) put(req *request) result {
	action, err := makeID(req.ActionID)
	if err != nil {
		return result{err: err}
	}
	out, err := makeID(req.OutputID)
	if err == nil {
		err = req.bad
	}
	if err != nil {
		return result{err: err}
	}
	if s.claims != nil {
		s.claims.start(action)
		// Whoever waits finds the object, or must compile it himself.
		defer s.claims.release(action)
	}
	o, err := s.keep(action, out, req.body)
	if err != nil {
		return result{err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Puts++
	s.stats.Bytes.Put += o.size
	s.known[action] = o
	return result{object: o}
}

// keep writes an object to the store, or to a private file. That the body has
// the hash it is named by is not checked: the go command has just computed it.
func (s *server) keep(action, out id, body []byte) (*object, error) {
	sum, kind := checksum(body), kindOf(body)
	if s.store != nil && kind != moduleIndex {
		o, err := s.store.put(action, out, body, sum)
		if err == nil {
			return s.blanked(o)
		}
		s.count(func(c *Stats) { c.Unkept++ })
	}
	o := &object{out: out, size: int64(len(body)), sum: sum, kind: kind}
	if len(body) == 0 {
		return s.blanked(o)
	}
	var err error
	o.path, err = s.private.add(body)
	return o, err
}

// blanked gives an empty object its path. All of them share one file.
func (s *server) blanked(o *object) (*object, error) {
	if o.size > 0 {
		return o, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.blank == "" {
		s.blank, err = s.private.add(nil)
	}
	o.path = s.blank
	return o, err
}

// close does what has to be done at the end, while the go command waits.
func (s *server) close() error {
	var err error
	if s.opt.Out != "" {
		var size int64
		size, err = writeLayer(s.opt.Out, s.used())
		s.count(func(c *Stats) { c.Bytes.Out = size })
	}
	if s.store != nil {
		for action, o := range s.known {
			if o.from == fromLayer || o.from == fromBase {
				s.store.keep(action, o.out)
			}
		}
		// A store that cannot be trimmed is one that cannot be used either.
		_ = s.store.trim(maxStore)
	}
	return err
}

// used returns the objects for Out: the compiled packages with what the
// compiler has said about them, and the module indexes. All else that a build
// asks for depends on what was cached before: answers about the C compiler, for
// example, are wanted only by those that compile. So is the text of a package
// wanted by those only that do not.
func (s *server) used() map[id]*object {
	objects := map[id]*object{}
	for action, o := range s.known {
		if o.from == fromBase || o.kind == plain {
			continue
		}
		objects[action] = o
		if o.kind == archive {
			text := subkey(action, "stdout")
			objects[text] = s.text(text)
		}
	}
	return objects
}

// text returns what the compiler has said about a package, or nothing when that
// is lost. Usually it is nothing.
func (s *server) text(action id) *object {
	if o := s.known[action]; o != nil {
		return o
	}
	if o := s.find(action); o != nil {
		return o
	}
	return &object{out: emptyID(), sum: checksum(nil)}
}

// count changes the counts.
func (s *server) count(f func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}

func (s *server) writeStats() error {
	if s.opt.Stats == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := json.MarshalIndent(s.stats, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(s.opt.Stats, append(data, '\n'), 0o644)
}

// failed counts what is corrupt. All else that keeps an object from being found
// is a miss like any other.
func (s *server) failed(err error) {
	if errors.Is(err, errCorrupt) {
		s.count(func(c *Stats) { c.Corrupt++ })
	}
}
