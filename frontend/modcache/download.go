package modcache

import "context"

// Download fills the module cache of the environment with all that the module or
// the workspace of a directory needs, as go mod download does. Of the options it
// reads Dir, Env, Stderr, Silence and Limit. An error that wraps ErrGo needs no
// words.
func Download(ctx context.Context, opt Options) error {
	r := &run{Options: opt}
	_, err := r.goCommand(ctx, nil, "mod", "download")
	return r.say(err)
}
