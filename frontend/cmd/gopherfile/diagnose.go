package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gopherfile/gopherfile/frontend/diagnosis"
)

// diagnoseTime is how long the go command may take to fail again.
const diagnoseTime = 30 * time.Second

// How much is kept of what the go command writes, in bytes: of each module a few
// hundred, and for people its first and its last words.
const (
	keptReport = 64 << 20
	keptWords  = 256 << 10
)

// diagnoseCommand runs a failed download again and writes what is known of it:
// diagnose TO. The graph runs it on the builder image; package llb has its
// arguments. It fails only when it cannot write.
func diagnoseCommand(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("diagnose: expected one folder to write to, found %d", len(args))
	}
	r := diagnose(diagnoseTime)
	r.Passed(filepath.Join(os.Getenv("HOME"), ".netrc"), os.Getenv("SSH_AUTH_SOCK"))
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("diagnose: %w", err)
	}
	if err := os.WriteFile(filepath.Join(args[0], diagnosis.File), data, 0o644); err != nil {
		return fmt.Errorf("diagnose: %w", err)
	}
	return nil
}

// diagnose runs a download for at most a while.
func diagnose(limit time.Duration) diagnosis.Report {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	stdout, stderr := ends{most: keptReport}, ends{most: keptWords}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	r := diagnosis.Read(stdout.bytes(), stderr.bytes())
	switch {
	case len(r.Modules) > 0:
	case ctx.Err() != nil:
		r.Stderr = fmt.Sprintf("it gave no answer in %v when it was tried again: its own lines above say why it failed", limit)
	case err == nil:
		r.Stderr = "it worked when it was tried again: build once more"
	case errors.Is(err, exec.ErrNotFound):
		r.Stderr = err.Error()
	}
	return r
}
