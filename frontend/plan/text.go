package plan

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/platforms"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// WriteText writes the plan for people: what is built from what, and how. No URL
// shows a password.
func (p *Plan) WriteText(w io.Writer) error {
	t := &text{}
	t.line(0, "go", cmp.Or(p.Release, "as in the builder image"))
	t.line(0, "builder", p.Builder.Ref)
	for _, d := range p.downloads() {
		t.line(0, "modules", "go mod download in "+d.Dir)
		t.list("files", d.Files)
		t.list("env", d.Env)
		t.line(1, "secrets", fmt.Sprintf("netrc %s, ssh %s, when they are passed", d.Netrc, d.SSH))
	}
	for _, c := range p.Generate {
		network := ""
		if c.Network {
			network = ", with a network"
		}
		t.line(0, "generate", strings.Join(quoted(c.Args), " ")+" in "+c.Dir+network)
	}
	for i := range p.Targets {
		t.target(&p.Targets[i], p.FilesOnly)
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

// downloads are those of all steps, without repetitions.
func (p *Plan) downloads() []*Download {
	var all []*Download
	add := func(d *Download) {
		if d != nil && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	for i := range p.Generate {
		add(p.Generate[i].Download)
	}
	for i := range p.Targets {
		if test := p.Targets[i].Test; test != nil {
			add(test.Download)
		}
		for j := range p.Targets[i].Binaries {
			add(p.Targets[i].Binaries[j].Fetch())
		}
	}
	return all
}

// text is a page with a column of names.
type text struct{ b strings.Builder }

// line writes a name and its value, indented by depth.
func (t *text) line(depth int, name, value string) {
	if value != "" {
		fmt.Fprintf(&t.b, "%s%-*s %s\n", strings.Repeat("  ", depth), 14-2*depth, name, value)
	}
}

func (t *text) list(name string, values []string) { t.line(1, name, strings.Join(quoted(values), " ")) }

// quoted quotes what would not be one word.
func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		w = redact.Value(w)
		out[i] = w
		if w == "" || strings.ContainsAny(w, " \t\n\"'") {
			out[i] = fmt.Sprintf("%q", w)
		}
	}
	return out
}

// target writes what is built for one platform.
func (t *text) target(x *Target, filesOnly bool) {
	t.b.WriteByte('\n')
	t.line(0, x.Name, platforms.Format(x.Platform))
	for i := range x.Binaries {
		b := &x.Binaries[i]
		where := b.Path
		if filesOnly {
			where = b.File
		}
		t.line(1, "binary", where)
		t.line(2, "command", strings.Join(quoted(append(append([]string{"go", "build"}, b.Flags...), b.Main)), " ")+" in "+b.Dir)
		t.line(2, "env", strings.Join(quoted(b.Env), " "))
		t.reads(b)
	}
	switch {
	case x.Test != nil:
		t.line(1, "command", strings.Join(quoted(append([]string{"go", "test"}, x.Test.Args...)), " ")+" in "+x.Test.Dir)
		t.list("env", x.Test.Env)
	case !filesOnly:
		t.image(x)
	}
}

// reads writes what a compile depends on.
func (t *text) reads(b *Binary) {
	if b.Files == nil {
		t.line(2, "reads", "the whole context")
		return
	}
	t.line(2, "reads", fmt.Sprintf("%d %s of the context", len(b.Files), plural("file", len(b.Files))))
	if o := b.Objects; o != nil && len(o.Imports) > 0 {
		t.line(2, "imports", fmt.Sprintf("%d %s of other modules", len(o.Imports), plural("package", len(o.Imports))))
	}
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// image writes what an image holds and how it is run.
func (t *text) image(x *Target) {
	t.line(1, "from", cmp.Or(x.Base, scratch))
	var parts []string
	for _, part := range []struct {
		on   bool
		name string
	}{{x.Rootfs.Certs, "certs"}, {x.Rootfs.Tzdata, "tzdata"}, {x.Rootfs.Passwd, "passwd"}, {x.Rootfs.Tmp, "tmp"}} {
		if part.on {
			parts = append(parts, part.name)
		}
	}
	t.list("rootfs", parts)
	for _, f := range x.Files {
		from := f.URL
		if from == "" {
			from = strings.TrimPrefix(f.Path, "/")
		}
		if f.Context != "" {
			from = "context:" + f.Context + f.Path
		}
		mode := ""
		if f.Mode >= 0 {
			mode = fmt.Sprintf(" mode %04o", f.Mode)
		}
		t.line(1, "file", fmt.Sprintf("%s to %s owner %d:%d%s", cmp.Or(from, "."), f.To, f.UID, f.GID, mode))
	}
	im := &x.Image
	t.line(1, "user", im.User)
	t.line(1, "workdir", im.Workdir)
	t.list("entrypoint", im.Entrypoint)
	t.list("cmd", im.Cmd)
	t.list("env", im.Env)
	t.list("expose", im.Expose)
	t.list("volumes", im.Volumes)
	t.line(1, "stopsignal", im.Stopsignal)
	if h := im.Healthcheck; h != nil {
		t.list("healthcheck", h.Test)
	}
	for _, name := range slices.Sorted(maps.Keys(im.Labels)) {
		t.line(1, "label", name+"="+redact.Value(im.Labels[name]))
	}
	for _, a := range im.Annotations {
		t.line(1, "annotation", a.Name+"="+redact.Value(a.Value))
	}
}
