package gocache

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// sharing skips a test where nobody waits for anybody. On Linux all do.
func sharing(t *testing.T) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := lockByte(f, 0); err != nil {
		if runtime.GOOS == "linux" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// later starts a get and returns what it gave, and after which time.
func later(s *session, action id) func() (body string, took time.Duration) {
	var body string
	var took time.Duration
	var wg sync.WaitGroup
	start := time.Now()
	wg.Go(func() {
		got, ok, err := s.get(action)
		body, took = "miss", time.Since(start)
		if ok {
			body = string(got)
		}
		if err != nil {
			body = err.Error()
		}
	})
	return func() (string, time.Duration) {
		wg.Wait()
		return body, took
	}
}

const (
	pause = 50 * time.Millisecond
	// soon is well before the minute that a session would wait.
	soon = 30 * time.Second
)

func TestWait(t *testing.T) {
	sharing(t)
	store := t.TempDir()
	one := open(t, Options{Store: store, Wait: time.Minute, grace: 6 * pause})
	two := open(t, Options{Store: store, Wait: time.Minute})
	one.want(name("a"), "miss")
	answer := later(two, name("a"))
	one.mustPut(subkey(name("a"), "srcfiles"), "a.go")
	// Once the compiler runs, the grace is over.
	time.Sleep(8 * pause)
	one.mustPut(name("a"), "A")
	if body, took := answer(); body != "A" || took < 8*pause {
		t.Errorf("%s after %s", body, took)
	}
	one.end()
	if got := two.end(); got.Waits.Count != 1 || got.Waits.Hits != 1 || got.Waits.Seconds < (8*pause).Seconds() || got.Misses != 0 {
		t.Errorf("%+v", got)
	}
}

// Each of these ends a claim without an object. The one who waits then has the
// claim, and a third waits for him.
func TestClaimEnds(t *testing.T) {
	sharing(t)
	for what, test := range map[string]struct {
		grace time.Duration
		end   func(*session)
	}{
		"not started": {pause, func(*session) {}},
		"closed":      {time.Minute, func(s *session) { s.end() }},
		"killed":      {time.Minute, func(s *session) { s.w.Close() }},
		"unkept": {time.Minute, func(s *session) {
			s.mustPut(name("a"), "go index v2\n")
		}},
	} {
		t.Run(what, func(t *testing.T) {
			store := t.TempDir()
			one := open(t, Options{Store: store, Wait: time.Minute, grace: test.grace})
			two := open(t, Options{Store: store, Wait: time.Minute, grace: time.Minute})
			three := open(t, Options{Store: store, Wait: pause, grace: time.Minute})
			one.want(name("a"), "miss")
			answer := later(two, name("a"))
			time.Sleep(pause / 2)
			test.end(one)
			if body, took := answer(); body != "miss" || took < pause/2 || took > soon {
				t.Errorf("%s after %s", body, took)
			}
			// He waits no longer than he was told to.
			if body, took := later(three, name("a"))(); body != "miss" || took < pause || took > soon {
				t.Errorf("third: %s after %s", body, took)
			}
		})
	}
}

// The go command may ask twice for what it has to compile itself.
func TestOwnClaim(t *testing.T) {
	s := open(t, Options{Store: t.TempDir(), Wait: time.Minute})
	for range 2 {
		if body, took := later(s, name("a"))(); body != "miss" || took > soon {
			t.Errorf("%s after %s", body, took)
		}
	}
}

// Two processes that wait for each other, while neither has begun with what it
// claims, are free after the grace.
func TestDeadlock(t *testing.T) {
	sharing(t)
	store := t.TempDir()
	var s [3]*session
	for i := range s {
		s[i] = open(t, Options{Store: store, Wait: time.Minute, grace: pause})
		s[i].want(name(fmt.Sprint(i)), "miss")
	}
	var answers []func() (string, time.Duration)
	for i := range s {
		answers = append(answers, later(s[i], name(fmt.Sprint((i+1)%len(s)))))
	}
	for _, answer := range answers {
		if body, took := answer(); body != "miss" || took > soon {
			t.Errorf("%s after %s", body, took)
		}
	}
}

// A process that asks for many things that are never put delays others less
// and less.
func TestGraceShrinks(t *testing.T) {
	sharing(t)
	c := newClaims(t.TempDir(), 4*lastGrace)
	defer c.close()
	for i := range 4 {
		if v := c.take(name(fmt.Sprint(i))); v != claimed {
			t.Errorf("claim %d: %d", i, v)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		c.mu.Lock()
		held, starts, grace := len(c.held), len(c.starts), c.grace
		c.mu.Unlock()
		if held == 0 && starts == 0 && grace == lastGrace {
			return
		}
		time.Sleep(pause)
	}
	t.Errorf("%d claims, grace %s", len(c.held), c.grace)
}

// Somebody may remove the lock file. Those who find out go on to share, also
// what they had claimed before.
func TestLockFileRemoved(t *testing.T) {
	sharing(t)
	store := t.TempDir()
	one := open(t, Options{Store: store, Wait: time.Minute, grace: time.Minute})
	two := open(t, Options{Store: store, Wait: time.Minute, grace: time.Minute})
	one.want(name("a"), "miss")
	one.want(name("b"), "miss")
	if err := os.RemoveAll(store); err != nil {
		t.Fatal(err)
	}
	// Nobody can know of a claim in a file that has no name.
	two.want(name("a"), "miss")
	one.want(name("c"), "miss")
	for _, p := range []string{"b", "c"} {
		answer := later(two, name(p))
		time.Sleep(pause)
		one.mustPut(name(p), p)
		if body, took := answer(); body != p || took < pause {
			t.Errorf("%s after %s", body, took)
		}
	}
}
