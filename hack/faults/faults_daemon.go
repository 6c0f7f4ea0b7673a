package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// The steps of the project, as the plain progress names them.
const (
	stepNames    = `\[internal\] load names and Go files`
	stepOthers   = `\[internal\] load other files`
	stepScan     = `\[internal\] scan packages`
	stepDownload = `\[modules\] download what is imported`
	stepStd      = `\[\S+ std\] go build`
	stepDeps     = `\[\S+ dependencies of app\] go build`
	stepPackages = `\[\S+ packages 1 of app\] go build`
	stepCompile  = `\[\S+ app\] go build`
	stepRootfs   = `\[rootfs\]`
	stepGenerate = `\[generate\] go`
	stepTest     = `\[\S+ test\] go test`
	stepSize     = `\[\S+ size\] bytes by module`
	stepPush     = `pushing layers`
)

// allFaults are those that are tried, in order.
func allFaults() []fault {
	var all []fault
	for _, list := range [][]fault{
		daemonFaults(), clientFaults(), processFaults(), builderFaults(), pushFaults(), importFaults(),
		moduleFaults(), contextFaults(), diskFaults(), cacheFaults(), timeFaults(),
	} {
		all = append(all, list...)
	}
	return all
}

// gone matches the words of a client whose daemon is no more.
const gone = `(?i)unavailable|EOF|closing|closed|connection|transport`

// killDaemon ends the daemon at once.
func killDaemon(w *world, _ *running) error { return w.daemon.kill() }

// daemonFaults kill the daemon within each kind of step. It is started again on
// the same data.
func daemonFaults() []fault {
	const group = "The daemon is killed (SIGKILL), and started again with the same data"
	all := []fault{
		{name: "while Go files are sent", at: stepNames, before: slowClient(slowFile)},
		{name: "while embedded files are sent", at: stepOthers, before: slowClient(embedFile)},
		{name: "while the builder image is pulled", at: `\[builder\] FROM`, before: layerHangs},
		{name: "in the scan", at: stepScan},
		{name: "in the module download", at: stepDownload, download: true, before: proxyHangs},
		{name: "while std is compiled", at: stepStd},
		{name: "while dependencies are compiled", at: stepDeps},
		{name: "while the binary is compiled", at: stepCompile, local: true, slow: true, quick: true},
		{name: "while packages of the program are compiled for a cache that travels", at: stepPackages, imports: true, slow: true},
		{name: "in a command of generate", at: stepGenerate, spec: specGenerate},
		{name: "in the rootfs", at: stepRootfs, toRegistry: true},
		{name: "in the tests", at: stepTest, request: request{more: []string{"--target", "test"}}},
		{name: "in the step that counts bytes", at: stepSize, request: request{more: []string{"--target", "size"}}},
		{name: "before the binary is verified", at: stepCompile, slow: true, toRegistry: true, then: unverified(killDaemon)},
		{name: "before the SBOM is written", at: stepCompile, slow: true, toRegistry: true, request: request{more: []string{"--sbom=true"}}, then: unverified(killDaemon)},
		{name: "in the export of an image", at: `exporting to image`, toRegistry: true},
		{name: "in the push", at: stepPush, toRegistry: true, before: uploadsHang},
		{name: "before the build, and not started again", before: func(_ context.Context, w *world) error { return w.daemon.kill() }},
	}
	for i := range all {
		all[i].group = group
		all[i].want = gone
		switch {
		case all[i].at == "":
			all[i].want = `deadline exceeded` // buildx has waited for 20 seconds
		case all[i].then == nil:
			all[i].then = killDaemon
		}
	}
	return all
}

// specGenerate runs a command that writes nothing.
const specGenerate = "generate: go list ./...\n"

// unverified ends something between the compile and the look at what it gave: the
// frontend stands still meanwhile.
func unverified(end func(*world, *running) error) func(*world, *running) error {
	return func(w *world, r *running) error {
		ctx := context.Background()
		frontends, err := w.daemon.await(ctx, isFrontend, true, time.Minute)
		for _, pid := range frontends {
			err = errors.Join(err, syscall.Kill(pid, syscall.SIGSTOP))
		}
		for _, there := range []bool{true, false} {
			_, e := w.daemon.await(ctx, isGo, there, time.Minute)
			err = errors.Join(err, e)
		}
		return errors.Join(err, end(w, r))
	}
}

// slowClient makes the client send files again, and slowly.
func slowClient(names ...string) func(context.Context, *world) error {
	return func(_ context.Context, w *world) error {
		w.gate.rate.Store(slowRate)
		return w.project.touch(names...)
	}
}

// proxyHangs makes the module proxy not answer until it is healed.
func proxyHangs(_ context.Context, w *world) error {
	w.proxy.breaks(w.proxy.on(path(`\.zip$`), w.proxy.hang))
	return nil
}

// uploadsHang makes a registry not take what is pushed until it is healed.
func uploadsHang(_ context.Context, w *world) error {
	w.registry.breaks(w.registry.on(path(`^(PUT|PATCH) .*/blobs/uploads/`), w.registry.hang))
	return nil
}

// clientFaults end the client, or its connection, while the daemon works on.
func clientFaults() []fault {
	const group = "The client ends"
	interrupt, kill := signaled(syscall.SIGINT), signaled(syscall.SIGKILL)
	const canceled = `(?i)cancel`
	return []fault{
		{group: group, name: "SIGINT while embedded files are sent", at: stepOthers, before: slowClient(embedFile), then: interrupt, want: canceled, after: nothingRuns},
		{group: group, name: "SIGINT in the module download", at: stepDownload, download: true, before: proxyHangs, then: interrupt, want: canceled, after: nothingRuns},
		{group: group, name: "SIGINT while the binary is compiled", at: stepCompile, slow: true, then: interrupt, want: canceled, after: nothingRuns, quick: true},
		{group: group, name: "SIGINT in the push", at: stepPush, toRegistry: true, before: uploadsHang, then: interrupt, want: canceled, after: nothingRuns},
		{group: group, name: "SIGINT to buildctl while the binary is compiled", request: request{buildctl: true}, at: stepCompile, slow: true, then: interrupt, want: canceled, after: nothingRuns},
		{group: group, name: "SIGKILL while embedded files are sent", at: stepOthers, before: slowClient(embedFile), then: kill, silent: true, after: nothingRuns},
		{group: group, name: "SIGKILL in the scan", at: stepScan, then: kill, silent: true, after: nothingRuns},
		{group: group, name: "SIGKILL in the module download", at: stepDownload, download: true, before: proxyHangs, then: kill, silent: true, after: nothingRuns},
		{group: group, name: "SIGKILL while std is compiled", at: stepStd, then: kill, silent: true, after: nothingRuns},
		{group: group, name: "SIGKILL while the binary is compiled", at: stepCompile, local: true, slow: true, then: kill, silent: true, after: nothingRuns},
		{group: group, name: "SIGKILL in the push", at: stepPush, toRegistry: true, before: uploadsHang, then: kill, silent: true, after: nothingRuns},
		{group: group, name: "its connection is cut while the binary is compiled", at: stepCompile, slow: true, want: gone, after: nothingRuns,
			then: func(w *world, _ *running) error { w.gate.cut(); return nil }},
	}
}

// nothingRuns checks that no step and no frontend outlives the client.
func nothingRuns(ctx context.Context, w *world, _ *outcome) error {
	_, err := w.daemon.await(ctx, func(args []string) bool { return isGo(args) || isFrontend(args) }, false, 30*time.Second)
	return err
}

// killed ends processes of the daemon once they are there.
func killed(match func([]string) bool) func(*world, *running) error {
	return func(w *world, _ *running) error {
		found, err := w.daemon.await(context.Background(), match, true, time.Minute)
		for _, pid := range found {
			if e := syscall.Kill(pid, syscall.SIGKILL); !errors.Is(e, syscall.ESRCH) {
				err = errors.Join(err, e)
			}
		}
		return err
	}
}

// processFaults kill a program inside of the build, as the kernel does when
// memory is short.
func processFaults() []fault {
	const group = "A program of the build is killed (SIGKILL), as the kernel does when memory is short"
	program := func(name string) func([]string) bool {
		return func(args []string) bool { return filepath.Base(args[0]) == name }
	}
	// BuildKit blames the syntax line for a frontend that is no more.
	return []fault{
		{group: group, name: "the frontend, in the scan", at: stepScan, then: killed(isFrontend), want: `exit code: 137`, says: `>>> # syntax=gopherfile/gopherfile:1`},
		{group: group, name: "the frontend, in the module download", at: stepDownload, download: true, before: proxyHangs, then: killed(isFrontend), want: `exit code: 137`, says: `>>> # syntax=gopherfile/gopherfile:1`},
		{group: group, name: "the frontend, before the binary is verified", at: stepCompile, slow: true, toRegistry: true, then: unverified(killed(isFrontend)), want: `exit code: 137`, says: `>>> # syntax=gopherfile/gopherfile:1`},
		{group: group, name: "the frontend, before the SBOM is written", at: stepCompile, slow: true, toRegistry: true, request: request{more: []string{"--sbom=true"}}, then: unverified(killed(isFrontend)), want: `exit code: 137`, says: `>>> # syntax=gopherfile/gopherfile:1`},
		{group: group, name: "the compiler", at: stepCompile, local: true, slow: true, quick: true, then: killed(isCompile("example.com/app/slow")),
			want: `go build \. for linux/\w+ failed`, says: `signal: killed`},
		{group: group, name: "the go command", at: stepCompile, slow: true, then: killed(func(args []string) bool {
			return filepath.Base(args[0]) == "go" && len(args) > 1 && args[1] == "build"
		}), want: `go build \. for linux/\w+ (failed|was killed)`},
		{group: group, name: "the cache program, while the binary is compiled", at: stepCompile, slow: true, then: killed(program("gocache")), want: `go build \. for linux/\w+ failed`},
		{group: group, name: "the module download", at: stepDownload, download: true, before: proxyHangs, then: killed(func(args []string) bool {
			return filepath.Base(args[0]) == "gocache" && len(args) > 1 && args[1] == "modules"
		}), want: `go mod download was killed`},
	}
}

// diskFaults fill the daemon's disk.
func diskFaults() []fault {
	// Steps run at once: which of them misses the room first is another one each time.
	const group = "The daemon's disk gets full"
	const full = `no space left on device`
	const oneOf = full + `|(go build .*|go mod download|gopherfile rootfs .*) failed with exit code 1`
	fill := func(leave int64) func(context.Context, *world) error {
		return func(_ context.Context, w *world) error { return w.disk.fill(leave) }
	}
	now := func(w *world, _ *running) error { return w.disk.fill(0) }
	return []fault{
		{group: group, name: "before the build", before: fill(0), slow: true, want: full, says: full, quick: true},
		{group: group, name: "while embedded files are sent", at: stepOthers, before: slowClient(embedFile), then: now, want: oneOf, says: full},
		{group: group, name: "in the module download", at: stepDownload, download: true, before: proxyHangs, want: oneOf, says: `go: .*dep.*` + full,
			then: func(w *world, r *running) error { return errors.Join(now(w, r), w.proxy.heal()) }},
		{group: group, name: "while std is compiled", at: stepStd, then: now, want: oneOf, says: full},
		{group: group, name: "while the binary is compiled", at: stepCompile, slow: true, then: now, want: `go build \. for linux/\w+ failed`, says: full},
	}
}

// timeFaults give files times that a clock gone wrong would.
func timeFaults() []fault {
	const group = "The clock was wrong"
	future, past := time.Date(2099, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(1902, 1, 2, 3, 4, 5, 0, time.UTC)
	context_ := func(at time.Time) func(context.Context, *world) error {
		return func(_ context.Context, w *world) error {
			return filepath.Walk(w.project.dir, func(name string, _ os.FileInfo, err error) error {
				return errors.Join(err, os.Chtimes(name, at, at))
			})
		}
	}
	caches := func(at time.Time) func(context.Context, *world) error {
		return func(_ context.Context, w *world) error {
			return errors.Join(w.damage(buildCache, 1, dated(at)), w.damage(moduleCache, 1, dated(at)))
		}
	}
	return []fault{
		{group: group, name: "files of the context are of 2099", quick: true, before: context_(future), works: true, toRegistry: true},
		{group: group, name: "files of the context are of 1902", before: context_(past), works: true, toRegistry: true},
		{group: group, name: "the persistent caches are of 2099", before: caches(future), works: true, toRegistry: true},
		{group: group, name: "the persistent caches are of 1902", before: caches(past), works: true, toRegistry: true},
	}
}
