package llb

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// directory adds a directory to an action, nil for none, and those above it. One
// that exists stays as it is.
func directory(fa *llb.FileAction, dir string) *llb.FileAction {
	if dir == "/" {
		return fa
	}
	return fa.Mkdir(dir, 0o755, llb.WithParents(true), llb.WithCreatedTime(*epoch()))
}

// parent is the directory that a copy writes into: the target itself where that is
// said to be one.
func parent(to string) string {
	if strings.HasSuffix(to, "/") {
		return path.Clean(to)
	}
	return path.Dir(to)
}

// writable are the directories of an image that its user writes to: the volumes
// and where the binary starts. A runtime would make them, for root alone.
func writable(t *plan.Target) []string {
	if t.Port.OS != "linux" {
		return nil
	}
	made := map[string]bool{}
	for _, dir := range rootfsDirs(t.Rootfs) {
		above(made, dir)
	}
	var dirs []string
	for _, dir := range append(slices.Clone(t.Image.Volumes), t.Image.Workdir) {
		if dir = path.Clean("/" + dir); dir != "/" && !made[dir] && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// emptyDir is a directory of [graph.empty].
const emptyDir = "/empty"

// empty holds an empty directory.
func (g *graph) empty() llb.State {
	return llb.Scratch().File(
		llb.Mkdir(emptyDir, 0o755, llb.WithCreatedTime(*epoch())),
		llb.WithCustomName("[internal] empty directory"), g.at(spec.Pos{}), llb.Platform(g.in.BuildPlatform),
	)
}

// above adds a directory and those that it is in.
func above(dirs map[string]bool, dir string) {
	for ; dir != "/"; dir = path.Dir(dir) {
		dirs[dir] = true
	}
}

// rootfsDirs are the directories that a rootfs has, without those above them, as
// package rootfs makes them.
func rootfsDirs(r plan.Rootfs) (dirs []string) {
	for _, part := range []struct {
		on   bool
		dirs []string
	}{
		{r.Certs, []string{"/etc/ssl/certs"}},
		{r.Tzdata, []string{"/usr/share/zoneinfo"}},
		{r.Passwd, []string{"/etc", "/home/nonroot", "/root"}},
		{r.Tmp, []string{"/tmp"}},
	} {
		if part.on {
			dirs = append(dirs, part.dirs...)
		}
	}
	return dirs
}

// settled gives the directories that targets of a copy were written into the time
// of all files: what is written into a directory changes its own time. To copy
// nothing into one changes nothing else (fsutil, copy.go). There are those of a
// rootfs, which a target may name without a slash at its end.
func (g *graph) settled(fa *llb.FileAction, r plan.Rootfs, targets ...string) *llb.FileAction {
	made, written := map[string]bool{}, map[string]bool{}
	for _, dir := range rootfsDirs(r) {
		above(made, dir)
	}
	for _, to := range targets {
		above(written, parent(to))
		if made[path.Clean(to)] {
			above(written, path.Clean(to))
		}
	}
	if len(written) == 0 {
		return fa
	}
	info := &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: epoch()}
	nothing := g.empty()
	for _, dir := range slices.Sorted(maps.Keys(written)) {
		fa = fa.Copy(nothing, emptyDir, dir, info)
	}
	return fa
}
