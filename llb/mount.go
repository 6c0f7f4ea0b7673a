package llb

import (
	"github.com/moby/buildkit/client/llb"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// mount is what a step sees in a directory. It is an option of a run, and unlike
// those of BuildKit it can be compared with others.
type mount struct {
	dir  string
	from llb.State
	as   access
}

// access is how a step sees what is mounted. The zero value can be written to, and
// is an output.
type access struct {
	// path is what is mounted of the state, "" for all.
	path     string
	readonly bool
	// unhashed leaves the content out of the key of the step.
	unhashed bool
	// lost says that nobody sees what is written.
	lost bool
	// cache is the id of a folder that outlives the build and starts as the state.
	// "": there is none.
	cache string
}

// SetRunOption mounts it.
func (m mount) SetRunOption(ei *llb.ExecInfo) {
	var opts []llb.MountOption
	if m.as.path != "" {
		opts = append(opts, llb.SourcePath(m.as.path))
	}
	if m.as.readonly {
		opts = append(opts, llb.Readonly)
	}
	if m.as.unhashed {
		opts = append(opts, llb.ContentCache(llb.MountContentCacheOff))
	}
	if m.as.lost {
		opts = append(opts, llb.ForceNoOutput)
	}
	if m.as.cache != "" {
		opts = append(opts, llb.AsPersistentCacheDir(m.as.cache, llb.CacheMountShared))
	}
	llb.AddMount(m.dir, m.from, opts...).SetRunOption(ei)
}

// mounts are several of them.
type mounts []mount

// SetRunOption mounts all.
func (all mounts) SetRunOption(ei *llb.ExecInfo) {
	for _, m := range all {
		m.SetRunOption(ei)
	}
}

// mounted mounts the output of another step. Its key follows from what that step
// read; to hash it would take longer than most compiles, and would pull from an
// imported cache what nobody needs.
func mounted(dir string, st llb.State) mount {
	return mount{dir, st, access{readonly: true, unhashed: true}}
}

// tool mounts gocache.
func (g *graph) tool() mount {
	return mount{cacheCommand, g.in.Self, access{path: "/bin/gocache", readonly: true}}
}

// persistent mounts a folder that outlives the build. It only makes things
// faster. A build without cache gets an empty folder instead: BuildKit would
// empty the mount, and with it the cache of every other project.
func (g *graph) persistent(dir string, fresh bool) mount {
	if fresh {
		return mount{dir: dir, from: llb.Scratch()}
	}
	return mount{dir, llb.Scratch(), access{cache: g.in.CacheNS + "/" + dir}}
}

// moduleMount mounts the module cache. A command with a network may add to it,
// which nobody else sees.
func (g *graph) moduleMount(d *plan.Download, writable bool) mounts {
	switch {
	case d == nil && writable:
		return mounts{{dir: modulesDir, from: llb.Scratch()}}
	case d == nil:
		return nil
	case writable:
		return mounts{{modulesDir, g.modules(d), access{unhashed: true}}}
	}
	return mounts{mounted(modulesDir, g.modules(d))}
}

// seeded mounts objects as the go command's own cache, for releases that can
// take them from no other place.
func (g *graph) seeded(st llb.State, fresh bool) mount {
	if fresh {
		return mount{goBuildDir, st, access{unhashed: true, lost: true}}
	}
	return mount{goBuildDir, st, access{unhashed: true, cache: g.in.CacheNS + "/gopherfile/" + goBuildDir}}
}
