package modcache

import (
	"context"
	"fmt"
)

// Download fills the module cache of the environment with all that the module or
// the workspace of a directory needs, as go mod download does. Of the options it
// reads Dir, Env, Stderr, Silence and Limit. An error that wraps ErrGo needs no
// words.
func Download(ctx context.Context, opt Options) error {
	r := &run{Options: opt}
	set, err := goEnv(ctx, opt)
	if err != nil {
		return err
	}
	if _, err := r.goCommand(ctx, nil, "mod", "download"); err != nil || !scarce(set.GOMODCACHE) {
		return r.say(err)
	}
	// The go command goes on when it cannot write a go.mod file.
	if _, err := r.goCommand(ctx, []string{"GOPROXY=off"}, "mod", "download"); err != nil {
		return fmt.Errorf("write the module cache: the disk is nearly full, and something is missing: %w", r.say(err))
	}
	return nil
}
