package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"go/version"
	"runtime"
	"slices"
	"strings"
	"text/template"
)

// contender is a way to make images of Go programs.
type contender interface {
	// name is what results call it.
	name() string
	// unable says why it has no part in a scenario, "" if it has.
	unable(sc scenario, p *project) string
	// setup is all that makes its results comparable to others of its own.
	setup(p *project) string
	// open makes a builder that has built nothing.
	open(ctx context.Context) (builder, error)
}

// builder keeps what it has built.
type builder interface {
	build(ctx context.Context, j job) (outcome, error)
	close() error
}

// job is one build.
type job struct {
	project   *project
	platforms []string
	// repo is where images are pushed to, one below it for each binary.
	repo string
	// cacheFrom and cacheTo are image references, "" for no such cache.
	cacheFrom, cacheTo string
	// oneByOne builds a fleet's binaries one after the other. All at once, on an
	// empty builder, every one of them compiles what they share.
	oneByOne bool
}

// outcome is what is seen of a build.
type outcome struct {
	seconds float64
	// cpu is the processor time of the builder and of all its steps, in seconds.
	cpu float64
	// peak is the memory that they had allocated at a time, in bytes.
	peak int64
	// digests are those of the images, by the name of the binary.
	digests map[string]string
	// steps are what a builder tells of its work, the first first.
	steps []step
}

// The names of the contenders.
const (
	ours    = "gopherfile"
	best    = "dockerfile"
	naive   = "naive"
	koBuild = "ko"
)

func contenderNames() []string { return []string{ours, best, naive, koBuild} }

// described is a contender that BuildKit runs, by what it reads.
type described struct {
	label string
	// file is the name of the build definition.
	file string
	// frontend is the reference of its image, by digest.
	frontend string
	env      *environment
}

//go:embed contenders/*.tmpl
var templates embed.FS

func (d *described) name() string { return d.label }

// definition is the text of the build definition for a program.
func (d *described) definition(p *project) (string, error) {
	t, err := template.ParseFS(templates, "contenders/"+d.label+".tmpl")
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{"Release": p.release, "Binaries": p.binaries, "Fleet": p.main == "", "Sum": p.sum})
	return b.String(), err
}

func (d *described) unable(sc scenario, p *project) string {
	switch {
	case d.label != naive:
		return ""
	case len(sc.platforms) > 1:
		return "compiles on the target platform, for which the builder image must exist and be emulated"
	case sc.fleet:
		return fmt.Sprintf("go build -a compiles the standard library for each of %d binaries again", len(p.binaries))
	}
	return ""
}

func (d *described) setup(p *project) string {
	text, err := d.definition(p)
	if err != nil {
		text = err.Error() // the build will say it
	}
	return fingerprint(p.source, d.frontend, text)
}

func fingerprint(parts ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "\x00"))))[:12]
}

func (d *described) open(ctx context.Context) (builder, error) { return startDaemon(ctx, d) }

// contenders are all that take part, or those that are named.
func contenders(ctx context.Context, e *environment, b *bench, frontend string, only []string) ([]contender, error) {
	for _, name := range only {
		if !slices.Contains(contenderNames(), name) {
			return nil, fmt.Errorf("no contender %q; there are %s", name, strings.Join(contenderNames(), ", "))
		}
	}
	own, err := b.image(ctx, frontend)
	if err != nil {
		return nil, err
	}
	theirs, err := b.image(ctx, "docker/dockerfile")
	if err != nil {
		return nil, err
	}
	all := []contender{
		&described{label: ours, file: "Gopherfile.yaml", frontend: own.ref, env: e},
		&described{label: best, file: "Dockerfile", frontend: theirs.ref, env: e},
		&described{label: naive, file: "Dockerfile", frontend: theirs.ref, env: e},
		&ko{env: e},
	}
	return slices.DeleteFunc(all, func(c contender) bool { return len(only) > 0 && !slices.Contains(only, c.name()) }), nil
}

// sameRelease tells whether the machine's own toolchain is of a release.
func sameRelease(release string) bool {
	own := runtime.Version()
	return own == "go"+release || version.Lang(own) == "go"+release
}
