package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	digest "github.com/opencontainers/go-digest"
)

// fault is something that goes wrong around a build.
type fault struct {
	group, name string
	// quick says that it is one of those that go test tries.
	quick bool

	// request is what the client asks for; local and push say to where.
	request
	local, toRegistry bool
	// imports says that the build imports a cache.
	imports bool
	// spec are more lines of the spec.
	spec string
	// slow and download make sure that the slow package is compiled, and the
	// module downloaded.
	slow, download bool
	// before makes it go wrong, with the daemon at work and the project written.
	before func(ctx context.Context, w *world) error
	// at is a line of the progress, and then what happens when it comes.
	at   string
	then func(w *world, r *running) error

	// works says that the build gives the same image in spite of it.
	works bool
	// want matches the client's one error, and says what else it must print.
	want, says string
	// silent says that the client cannot print an error any more.
	silent bool
	// met is false when the fault need not be noticed by a server.
	met bool
	// after checks more, before anything is healed.
	after func(ctx context.Context, w *world, out *outcome) error
	// remedy is what the user has to do before the next build works.
	remedy func(ctx context.Context, w *world) error
	// limit is how long the build may take; 0 is the usual.
	limit time.Duration
}

// usualLimit is the time that nothing may take longer than.
const usualLimit = 3 * time.Minute

// seen is what a fault did.
type seen struct {
	*fault `json:"-"`
	Group  string
	Name   string
	// Said is the client's error, or what the build did instead.
	Said string
	// Took and Next are the times of the build with the fault and of the next.
	Took, Next time.Duration
	// Wrong is what should not have been so, "" when all was right.
	Wrong string
}

// try lets a fault happen and looks at what comes of it.
func (w *world) try(ctx context.Context, f *fault) *seen {
	s := &seen{fault: f, Group: f.group, Name: f.name}
	repo := fmt.Sprintf("faults/app%d", time.Now().UnixNano())
	req := f.request
	if f.toRegistry {
		req.push = w.registry.addr + "/" + repo + ":1"
	}
	if f.imports {
		req.cacheFrom = w.registry.addr + "/" + cacheRepo + ":1"
	}
	if f.local {
		req.dest = filepath.Join(w.run, "out")
	}
	err := w.broken(ctx, s, req, repo)
	if ctx.Err() == nil {
		healed := w.heal(ctx)
		if err = errors.Join(err, healed); healed == nil {
			err = errors.Join(err, w.again(ctx, s, req, repo))
		}
	}
	if err = errors.Join(err, ctx.Err()); err != nil {
		s.Wrong = err.Error()
	}
	return s
}

// broken builds while something is wrong.
func (w *world) broken(ctx context.Context, s *seen, req request, repo string) error {
	old, err := w.prepare(ctx, s.fault, repo)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	logged := w.daemon.logged()
	limit := s.limit
	if limit == 0 {
		limit = usualLimit
	}
	var at *regexp.Regexp
	if s.at != "" {
		at = step(s.at)
	}
	out, err := w.build(ctx, req, at, func(r *running) error { return s.then(w, r) }, limit)
	if out == nil {
		return err
	}
	s.Took = out.took
	return errors.Join(err, w.judge(s, out), w.untouched(ctx, out, req, repo, old),
		sane("the client", out.output), sane("the daemon", w.daemon.loggedSince(logged)), w.afterwards(ctx, s, out))
}

// prepare makes the project anew and something wrong with the world. It
// returns what the image's tag means before the build.
func (w *world) prepare(ctx context.Context, f *fault, repo string) (digest.Digest, error) {
	w.more, w.damaged = f.spec, nil
	if err := w.renew(); err != nil {
		return "", err
	}
	var old digest.Digest
	var err error
	if f.toRegistry {
		if old, err = w.registry.old(ctx, repo, "1"); err != nil {
			return "", err
		}
	}
	if f.slow {
		err = errors.Join(err, w.forgetSlow())
	}
	if f.download {
		err = errors.Join(err, w.forgetModules())
	}
	if err == nil && f.before != nil {
		err = f.before(ctx, w)
	}
	return old, err
}

// judge compares how the client has ended with what is expected.
func (w *world) judge(s *seen, out *outcome) error {
	said := out.errors()
	switch {
	case s.works && out.failed:
		return fmt.Errorf("the build fails, want one that works:\n%s", out.output)
	case s.works && out.digest != "" && out.digest != w.healthy:
		return fmt.Errorf("the image is %s, want %s as without a fault:\n%s", out.digest, w.healthy, out.output)
	case s.works:
		s.Said = "the same image"
	case !out.failed:
		return fmt.Errorf("the build works, want an error:\n%s", out.output)
	case s.silent && len(said) == 0:
		s.Said = "(the client is gone)"
	case len(said) != 1:
		return fmt.Errorf("the client prints %d errors, want one:\n%s", len(said), out.output)
	default:
		s.Said = w.plainly(said[0])
		if !regexp.MustCompile(s.want).MatchString(s.Said) {
			return fmt.Errorf("the error is %q, want one that matches %q:\n%s", s.Said, s.want, out.output)
		}
	}
	if !regexp.MustCompile(s.says).MatchString(out.output) {
		return fmt.Errorf("the client does not say %q:\n%s", s.says, out.output)
	}
	if says := regexp.MustCompile(s.says).FindString(out.output); says != "" {
		s.Said += "; it says " + fmt.Sprintf("%q", w.plainly(says))
	}
	return nil
}

// untouched checks that a build that failed has left nothing half done.
func (w *world) untouched(ctx context.Context, out *outcome, req request, repo string, old digest.Digest) error {
	if req.push != "" {
		now, err := w.registry.digest(ctx, repo, "1")
		if err != nil {
			return err
		}
		if out.failed && now != old {
			return fmt.Errorf("the tag means %q after a push that failed, want %q as before", now, old)
		}
		if !out.failed && now != w.healthy {
			return fmt.Errorf("the tag means %q after a push that worked, want %q", now, w.healthy)
		}
	}
	if req.dest != "" && out.failed {
		if entries, err := os.ReadDir(req.dest); err == nil && len(entries) > 0 {
			return fmt.Errorf("the export failed and left %v", entries)
		}
	}
	return nil
}

// sane looks for what no program should print.
func sane(who, text string) error {
	for _, bad := range []string{"panic:", "goroutine ", "runtime error", "defect of"} {
		if at := strings.Index(text, bad); at >= 0 {
			return fmt.Errorf("%s prints %q", who, text[max(0, at-200):min(len(text), at+2000)])
		}
	}
	return nil
}

// afterwards makes the checks of the fault itself.
func (w *world) afterwards(ctx context.Context, s *seen, out *outcome) error {
	if s.met && w.registry.hits()+w.proxy.hits() == 0 {
		return fmt.Errorf("nobody met the fault:\n%s", out.output)
	}
	if s.after == nil {
		return nil
	}
	return s.after(ctx, w, out)
}

// again builds once more when all is good again.
func (w *world) again(ctx context.Context, s *seen, req request, repo string) error {
	req.push, req.more = w.registry.addr+"/"+repo+":1", nil
	if s.remedy != nil {
		if err := s.remedy(ctx, w); err != nil {
			return err
		}
	}
	if req.dest != "" {
		if err := os.RemoveAll(req.dest); err != nil {
			return err
		}
		req.dest = ""
	}
	out, err := w.build(ctx, req, nil, nil, usualLimit)
	if err != nil {
		return fmt.Errorf("the next build: %w", err)
	}
	s.Next = out.took
	if out.failed {
		return fmt.Errorf("the next build fails:\n%s", out.output)
	}
	now, err := w.registry.digest(ctx, repo, "1")
	if err != nil {
		return err
	}
	if out.digest != w.healthy || now != w.healthy {
		return fmt.Errorf("the next build gives %s and pushes %s, want %s", out.digest, now, w.healthy)
	}
	return nil
}
