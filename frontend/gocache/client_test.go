package gocache

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// client is the go command's side of the protocol.
type client struct {
	w io.WriteCloser

	mu      sync.Mutex
	next    int64
	waiting map[int64]chan response
	hello   chan response
	err     error
}

var errGone = errors.New("the program has ended")

func newClient(w io.WriteCloser, r io.Reader) *client {
	c := &client{w: w, waiting: map[int64]chan response{}, hello: make(chan response, 1)}
	go c.read(r)
	return c
}

func (c *client) read(r io.Reader) {
	for dec := json.NewDecoder(r); ; {
		var res response
		err := dec.Decode(&res)
		c.mu.Lock()
		if err != nil {
			c.err = errGone
			for _, ch := range c.waiting {
				close(ch)
			}
			c.waiting = map[int64]chan response{}
			c.mu.Unlock()
			return
		}
		ch := c.waiting[res.ID]
		delete(c.waiting, res.ID)
		c.mu.Unlock()
		if res.ID == 0 {
			c.hello <- res
		} else if ch != nil {
			ch <- res
		}
	}
}

// do sends a request and waits for the answer.
func (c *client) do(command string, action, out *id, body []byte) (response, error) {
	ch := make(chan response, 1)
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return response{}, c.err
	}
	c.next++
	req := map[string]any{"ID": c.next, "Command": command}
	if action != nil {
		req["ActionID"] = action[:]
	}
	if out != nil {
		req["OutputID"] = out[:]
	}
	if len(body) > 0 {
		req["BodySize"] = len(body)
	}
	c.waiting[c.next] = ch
	line, err := json.Marshal(req)
	if err == nil {
		line = append(line, "\n\n"...)
		if len(body) > 0 {
			line = fmt.Appendf(line, "%q\n", base64.StdEncoding.EncodeToString(body))
		}
		_, err = c.w.Write(line)
	}
	c.mu.Unlock()
	if err != nil {
		return response{}, errGone
	}
	res, ok := <-ch
	switch {
	case !ok:
		return res, errGone
	case res.Err != "":
		return res, errors.New(res.Err)
	}
	return res, nil
}

// get returns the content of what the cache has, as the go command reads it.
func (c *client) get(action id) (body []byte, ok bool, err error) {
	res, err := c.do("get", &action, nil, nil)
	if err != nil || res.Miss {
		return nil, false, err
	}
	body, err = os.ReadFile(res.DiskPath)
	if err != nil {
		return nil, false, err
	}
	if out := id(sha256.Sum256(body)); int64(len(body)) != res.Size || string(out[:]) != string(res.OutputID) {
		return nil, false, fmt.Errorf("%s is not what the answer says", res.DiskPath)
	}
	return body, true, nil
}

func (c *client) put(action id, body []byte) error {
	out := id(sha256.Sum256(body))
	res, err := c.do("put", &action, &out, body)
	if err != nil {
		return err
	}
	got, err := os.ReadFile(res.DiskPath)
	if err == nil && string(got) != string(body) {
		err = fmt.Errorf("%s is not what was put", res.DiskPath)
	}
	return err
}

func (c *client) close() error {
	_, err := c.do("close", nil, nil, nil)
	return err
}

// session is a program that runs in this process.
type session struct {
	*client
	t     *testing.T
	done  chan error
	stats string
	ended bool
}

// open starts a program with options and ends it with the test.
func open(t *testing.T, opt Options) *session {
	t.Helper()
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Temp == "" {
		opt.Temp = t.TempDir()
	}
	opt.Stats = filepath.Join(t.TempDir(), "stats.json")
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	s := &session{client: newClient(inW, bufio.NewReader(outR)), t: t, done: make(chan error, 1), stats: opt.Stats}
	go func() {
		err := Serve(inR, outW, opt)
		outW.Close()
		inR.Close()
		s.done <- err
	}()
	if hello := <-s.hello; fmt.Sprint(hello.KnownCommands) != "[get put close]" {
		t.Errorf("known commands: %q", hello.KnownCommands)
	}
	t.Cleanup(func() {
		if !s.ended {
			inW.Close()
			<-s.done
		}
	})
	return s
}

// end closes the cache and returns the counts.
func (s *session) end() Stats {
	s.t.Helper()
	if err := s.close(); err != nil {
		s.t.Errorf("close: %v", err)
	}
	s.ended = true
	if err := <-s.done; err != nil {
		s.t.Errorf("program: %v", err)
	}
	var stats Stats
	data, err := os.ReadFile(s.stats)
	if err == nil {
		err = json.Unmarshal(data, &stats)
	}
	if err != nil {
		s.t.Errorf("stats: %v", err)
	}
	return stats
}

func (s *session) mustPut(action id, body string) {
	s.t.Helper()
	if err := s.put(action, []byte(body)); err != nil {
		s.t.Errorf("put: %v", err)
	}
}

// want checks what a get answers; "miss" is what no object of a test holds.
func (s *session) want(action id, body string) {
	s.t.Helper()
	got, ok, err := s.get(action)
	if err != nil {
		s.t.Errorf("get: %v", err)
		return
	}
	if !ok {
		got = []byte("miss")
	}
	if string(got) != body {
		s.t.Errorf("get: %.40q, want %.40q", got, body)
	}
}

// name makes an action from a name.
func name(s string) id {
	return sha256.Sum256([]byte(s))
}

// compiled is the content of a compiled package.
func compiled(s string) string {
	return "!<arch>\n" + s
}
