package gocache

import (
	"context"
	"crypto/sha256"
	"time"
)

// A process that waits looks again after these times, which double from the
// first to the last. Most packages compile in more than the last.
const (
	firstPoll = time.Millisecond
	lastPoll  = 8 * time.Millisecond
)

// get answers what an action's output is.
func (s *server) get(ctx context.Context, req *request) result {
	action, err := makeID(req.ActionID)
	if err != nil {
		return result{err: err}
	}
	s.mu.Lock()
	s.stats.Gets++
	o := s.known[action]
	s.mu.Unlock()
	if o == nil {
		o = s.find(action)
	}
	if o == nil {
		o = s.await(ctx, action)
	}
	if o == nil {
		s.count(func(c *Stats) { c.Misses++ })
		return result{}
	}
	s.hit(action, o)
	return result{object: o}
}

// hit counts an object and remembers it.
func (s *server) hit(action id, o *object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[action] = o
	switch o.from {
	case fromLayer, fromBase:
		s.stats.Hits.Layer++
		s.stats.Bytes.Layer += o.size
	case fromStore:
		s.stats.Hits.Store++
		s.stats.Bytes.Store += o.size
	case fromPut:
		s.stats.Hits.Put++
	}
}

// find looks into the layers and the store.
func (s *server) find(action id) *object {
	for _, l := range s.layers {
		o, err := l.get(action)
		if err == nil {
			o, err = s.blanked(o)
		}
		if err == nil {
			return o
		}
		s.failed(err)
	}
	return s.stored(action)
}

// stored looks into the store.
func (s *server) stored(action id) *object {
	if s.store == nil {
		return nil
	}
	o, err := s.store.get(action)
	if err == nil {
		o, err = s.blanked(o)
	}
	if err != nil {
		s.failed(err)
		return nil
	}
	return o
}

// await claims an action that nobody has, so that the go command compiles it,
// or waits until the process that has claimed it has put it. It returns nil
// when the go command is to compile.
func (s *server) await(ctx context.Context, action id) *object {
	if s.claims == nil {
		return nil
	}
	v, o := s.try(action)
	if v != taken {
		return o
	}
	start := s.opt.Now()
	defer func() {
		s.count(func(c *Stats) {
			c.Waits.Count++
			c.Waits.Seconds += s.opt.Now().Sub(start).Seconds()
			if o != nil {
				c.Waits.Hits++
			}
		})
	}()
	ctx, cancel := context.WithTimeout(ctx, s.opt.Wait)
	defer cancel()
	for poll := firstPoll; v == taken; poll = min(2*poll, lastPoll) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(poll):
		}
		v, o = s.try(action)
	}
	return o
}

// try claims an action. Between the look into the store and the claim, another
// process may have put it.
func (s *server) try(action id) (verdict, *object) {
	v := s.claims.take(action)
	if v != claimed {
		return v, nil
	}
	o := s.stored(action)
	if o != nil {
		s.claims.release(action)
	}
	return v, o
}

// emptyID names the empty output.
func emptyID() id {
	return sha256.Sum256(nil)
}
