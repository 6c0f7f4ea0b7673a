package llb

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// finder looks for a value in a graph.
type finder struct {
	value string
	// forms are the value as it may stand somewhere: flags are split at spaces and
	// joined again, and names of files are patterns with what they mean escaped.
	forms []string
	// places are where it is, with the whole text that holds it.
	places []string
	// shape is the number of words, variables and mounts of every step.
	shape string
}

// look draws a plan and looks for a value everywhere.
func look(t *testing.T, p *plan.Plan, data []byte, value string) *finder {
	t.Helper()
	f := &finder{value: value, forms: []string{value, strings.Join(strings.Fields(value), " "), Literal(value)}}
	in := Input{
		Context: llb.Local("context", llb.SessionID("session")), Builder: llb.Image("golang", llb.Platform(amd64())),
		Self: llb.Image("gopherfile", llb.Platform(amd64())), BuildPlatform: amd64(), SourceMap: llb.NewSourceMap(nil, "f", "yaml", data),
		Created: time.Unix(0, 0), Merge: true, NoCache: func(string) bool { return false },
	}
	f.see("the builder", p.Builder.Ref)
	for i := range p.Targets {
		f.see("the base", p.Targets[i].Base)
		for _, file := range p.Targets[i].Files {
			f.see("the context of a file", file.Context)
		}
	}
	for _, r := range New(p, in).Results {
		def, err := r.State.Marshal(t.Context())
		if err != nil {
			f.places = append(f.places, "the graph is an error: "+err.Error())
			continue
		}
		for _, dt := range def.Def {
			f.op(t, dt)
		}
		for _, m := range def.Metadata {
			f.see("the name of a step", m.Description["llb.customname"])
		}
		f.image(t, &r)
	}
	slices.Sort(f.places)
	f.places = slices.Compact(f.places)
	return f
}

// see notes texts that hold the value.
func (f *finder) see(place string, texts ...string) {
	for _, text := range texts {
		for _, value := range f.forms {
			if strings.Contains(text, value) {
				f.places = append(f.places, fmt.Sprintf("%s: %q", place, around(text, value)))
				break
			}
		}
	}
}

// around is a text, or of a long one what is around a value.
func around(text, value string) string {
	const before, after = 60, 20
	if len(text) < len(value)+before+after {
		return text
	}
	at := strings.Index(text, value)
	from, to := max(0, at-before), min(len(text), at+len(value)+after)
	return "…" + text[from:to] + "…"
}

func (f *finder) op(t *testing.T, dt []byte) {
	t.Helper()
	var op pb.Op
	if err := op.UnmarshalVT(dt); err != nil {
		t.Fatal(err)
	}
	switch o := op.Op.(type) {
	case *pb.Op_Exec:
		e := o.Exec
		program := e.Meta.Args[0]
		if program == f.value {
			program = "a command"
		}
		f.shape += fmt.Sprintf("%d words, %d variables, %d mounts, %v\n", len(e.Meta.Args), len(e.Meta.Env), len(e.Mounts), e.Network)
		f.see("a word of "+program, e.Meta.Args...)
		f.see("a variable of "+program, e.Meta.Env...)
		f.see("the directory of "+program, e.Meta.Cwd)
		for _, m := range e.Mounts {
			f.see("a mount of "+program, m.Dest, m.Selector)
			if m.SecretOpt != nil {
				f.see("a secret of "+program, m.SecretOpt.ID)
			}
			if m.SSHOpt != nil {
				f.see("an agent of "+program, m.SSHOpt.ID)
			}
		}
	case *pb.Op_File:
		f.shape += fmt.Sprintf("%d files\n", len(o.File.Actions))
		for _, a := range o.File.Actions {
			if c := a.GetCopy(); c != nil {
				f.see("a copy from", c.Src)
				f.see("a copy to", c.Dest)
				f.see("the name of a file that is copied", c.IncludePatterns...)
			}
			if m := a.GetMkfile(); m != nil {
				f.see("a file", m.Path)
				f.see("the text of "+m.Path, string(m.Data))
			}
		}
	case *pb.Op_Source:
		f.shape += "a source\n"
		f.see("a source", o.Source.Identifier)
		for name, value := range o.Source.Attrs {
			f.see("the "+name+" of a source", value)
		}
	}
}

// image looks at what the image says of itself.
func (f *finder) image(t *testing.T, r *Result) {
	t.Helper()
	for _, a := range r.Annotations {
		f.see("the name of an annotation", a.Name)
		f.see("an annotation", a.Value)
	}
	dt, err := json.Marshal(r.Image)
	if err != nil {
		t.Fatal(err)
	}
	var config any
	if err := json.Unmarshal(dt, &config); err != nil {
		t.Fatal(err)
	}
	f.config("the image", config)
}

func (f *finder) config(place string, v any) {
	switch v := v.(type) {
	case string:
		f.see(place, v)
	case []any:
		for _, item := range v {
			f.config(place, item)
		}
	case map[string]any:
		for name, item := range v {
			f.see("a name in "+place, name)
			if strings.Contains(name, f.value) {
				name = "the value of it"
			}
			f.config(place+"."+name, item)
		}
	}
}
