package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// moduleFaults are about the module proxy.
func moduleFaults() []fault {
	const zipFile, modFile, infoFile = `\.zip$`, `\.mod$`, `\.info$`
	const failed = `go mod download: example.com/dep@v1.0.0: .*`
	breaks := func(pattern string, a answer) func(context.Context, *world) error {
		return func(_ context.Context, w *world) error {
			w.proxy.breaks(w.proxy.on(path(pattern), a))
			return nil
		}
	}
	other := func([]byte) []byte {
		data, err := packModule(map[string]string{"go.mod": "module " + depPath + "\n\ngo 1.26.0\n", "dep.go": strings.Replace(depSource, "ToUpper", "ToLower", 1), "LICENSE": ""})
		if err != nil {
			return nil
		}
		return data
	}
	l := list{
		{name: "refuses connections", want: failed + `cannot be reached`, before: func(_ context.Context, w *world) error { return w.proxy.stop() }},
		{name: "cuts connections", want: failed + `cannot be reached|` + failed + `EOF`, met: true, before: breaks(zipFile, reset)},
		{name: "does not answer for a while", works: true, toRegistry: true, met: true, says: `gocache: .*waiting.*`, before: hangsAWhile(40 * time.Second)},
		{name: "answers 401", want: failed + `password`, met: true, before: breaks(zipFile, answers(401))},
		{name: "answers 403", want: failed + `refuses`, met: true, before: breaks(zipFile, answers(403))},
		{name: "answers 404", want: failed + `does not have it`, local: true, met: true, quick: true, before: breaks(zipFile, answers(404))},
		{name: "answers 410", want: failed + `does not have it`, met: true, before: breaks(zipFile, answers(410))},
		{name: "answers 429", want: failed + `answers 429`, met: true, before: breaks(zipFile, answers(429))},
		{name: "answers 500", want: failed + `answers 500`, met: true, before: breaks(zipFile, answers(500))},
		{name: "sends a zip that is none", want: failed + `no valid zip file`, met: true, before: breaks(zipFile, changed(garbage, false))},
		{name: "sends half of a zip", want: failed + `no valid zip file`, met: true, before: breaks(zipFile, changed(half, false))},
		{name: "sends half of a zip and cuts the connection", want: failed + `in the middle of an answer`, met: true, before: breaks(zipFile, changed(half, true))},
		{name: "sends another zip than go.sum says", want: failed + `its checksum is not that of go.sum`, met: true, quick: true, before: breaks(zipFile, changed(other, false))},
		{name: "sends another go.mod than go.sum says", want: failed + `its checksum is not that of go.sum`, met: true, before: breaks(modFile, changed(func(b []byte) []byte { return append(b, "// other\n"...) }, false))},
		{name: "sends a go.mod that is none", want: failed, met: true, before: breaks(modFile, changed(garbage, false))},
		{name: "sends a description that is none", want: failed + `invalid response from proxy`, met: true, before: breaks(infoFile, changed(garbage, false))},
		{name: "sends a zip slowly", works: true, toRegistry: true, met: true, before: breaks(zipFile, slow(8*time.Second))},
	}.in("The module proxy")
	for i := range l {
		l[i].download = true
	}
	return l
}

// hangsAWhile makes the module proxy answer late.
func hangsAWhile(d time.Duration) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		if err := proxyHangs(ctx, w); err != nil {
			return err
		}
		go func() {
			for w.proxy.hits() == 0 && pause(ctx, 10*time.Millisecond) {
			}
			if pause(ctx, d) {
				_ = w.proxy.heal() // error ignored: the server listens
			}
		}()
		return nil
	}
}

// contextFaults change the project while it is sent. The transfer is slow: the
// client has sent what files there are, and is somewhere in their contents.
func contextFaults() []fault {
	const otherwise = ` has \d+ bytes instead of \d+: it changed while it was sent`
	file := func(w *world, name string) string { return filepath.Join(w.project.dir, name) }
	shorter := func(name string) func(*world, *running) error {
		return func(w *world, _ *running) error { return os.Truncate(file(w, name), 1000) }
	}
	grown := func(w *world, _ *running) error {
		f, err := os.OpenFile(file(w, embedFile), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f, strings.Repeat("more ", 100_000)), f.Close())
	}
	deleted := func(name string) func(*world, *running) error {
		return func(w *world, _ *running) error { return os.Remove(file(w, name)) }
	}
	// The step begins before the client lists the files, which takes it a few
	// milliseconds. A file that changes before was always so.
	listed := func(then func(*world, *running) error) func(*world, *running) error {
		return func(w *world, r *running) error {
			time.Sleep(100 * time.Millisecond)
			return then(w, r)
		}
	}
	return list{
		{name: "an embedded file is deleted before its content is sent", want: embedFile + ` is gone: it changed while it was sent`, before: slowClient(embedFile), at: stepNames, then: deleted(embedFile)},
		{name: "an embedded file grows", want: embedFile + otherwise, before: slowClient(embedFile), at: stepOthers, then: grown},
		{name: "an embedded file is cut short", local: true, want: embedFile + otherwise, before: slowClient(embedFile), at: stepOthers, then: shorter(embedFile), quick: true},
		{name: "a Go file is cut short", want: `the build context changed while it was sent`, says: slowFile + otherwise, before: slowClient(slowFile), at: stepNames, then: listed(shorter(slowFile))},
		{name: "a Go file is deleted", want: `the build context changed while it was sent`, says: slowFile + otherwise, before: slowClient(slowFile, padding(0), padding(1), padding(2), padding(3), padding(4), padding(5)), at: stepNames, then: listed(deleted(slowFile))},
		{name: "the client is stopped for a while (SIGSTOP)", works: true, toRegistry: true, before: slowClient(embedFile), at: stepOthers, then: func(_ *world, r *running) error {
			err := syscall.Kill(-r.cmd.Process.Pid, syscall.SIGSTOP)
			time.Sleep(5 * time.Second)
			return errors.Join(err, syscall.Kill(-r.cmd.Process.Pid, syscall.SIGCONT))
		}},
	}.in("The build context changes while it is sent")
}

// cacheFaults damage what the daemon keeps between builds for the go command.
func cacheFaults() []fault {
	const unused = `the shared module cache was not used`
	damage := func(what string, n int, change func(string) error) func(context.Context, *world) error {
		return func(ctx context.Context, w *world) error {
			// What was damaged before this may be missing now.
			if err := errors.Join(w.works(ctx, request{}), w.renew()); err != nil {
				return err
			}
			return w.damage(what, n, change)
		}
	}
	l := list{
		{name: "build cache: a bit is flipped in every 20th file", before: damage(buildCache, 20, flip), quick: true},
		{name: "build cache: every 20th file is cut in half", before: damage(buildCache, 20, truncate)},
		{name: "build cache: every 20th file is empty", before: damage(buildCache, 20, empty)},
		{name: "build cache: every 20th file is a directory", before: damage(buildCache, 20, directory)},
		{name: "module cache: a bit is flipped in every file", says: unused, before: damage(moduleCache, 1, flip), quick: true},
		{name: "module cache: every file is cut in half", says: unused, before: damage(moduleCache, 1, truncate)},
		{name: "module cache: every file is empty", says: unused, before: damage(moduleCache, 1, empty)},
		{name: "module cache: every file is a directory", says: unused, before: damage(moduleCache, 1, directory)},
	}.in("A persistent cache is damaged")
	for i := range l {
		l[i].works, l[i].toRegistry, l[i].after = true, true, mended
	}
	return l
}
