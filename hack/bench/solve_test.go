package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"
)

func TestTrace(t *testing.T) {
	begin := time.Unix(1000, 0)
	at := func(seconds float64) *time.Time {
		t := begin.Add(time.Duration(seconds * float64(time.Second)))
		return &t
	}
	tr := newTrace()
	for _, s := range []*client.SolveStatus{
		{Vertexes: []*client.Vertex{
			{Digest: "a", Name: "[x] go build ./x", Started: at(2)},
			{Digest: "old", Name: "of another build", Started: at(-9), Completed: at(-8)},
			{Digest: "c", Name: "copy", Started: at(1), Completed: at(1), Cached: true},
			{Digest: "never", Name: "not run"},
		}},
		// A vertex of two builds is told of by both; its statuses as well.
		{Vertexes: []*client.Vertex{{Digest: "a", Name: "[x] go build ./x", Started: at(2), Completed: at(5.5)}}},
		{
			Vertexes: []*client.Vertex{{Digest: "a", Name: "[x] go build ./x", Started: at(2.5), Completed: at(5)}},
			Statuses: []*client.VertexStatus{
				{Vertex: "a", ID: "extracting", Started: at(3), Completed: at(4)},
				{Vertex: "a", ID: "quick", Started: at(3), Completed: at(3.05)},
			},
		},
	} {
		tr.add(s)
	}
	want := []step{
		{Name: "copy", Start: 1, Cached: true},
		{Name: "[x] go build ./x", Start: 2, Seconds: 3.5},
		{Name: "[x] go build ./x › extracting", Start: 3, Seconds: 1},
	}
	if diff := cmp.Diff(want, tr.steps(begin)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestCompiles(t *testing.T) {
	for _, c := range []struct {
		step step
		want bool
	}{
		{step{Name: "[linux/amd64 server] go build ./cmd/server"}, true},
		{step{Name: "[linux/amd64 server] go build ./cmd/server", Cached: true}, false},
		{step{Name: `[build 2/2] RUN --mount=type=bind,target=. ["go", "build", "-o", "/out/x", "."]`}, true},
		{step{Name: `[base 4/5] RUN ["go", "mod", "download"]`}, false},
		{step{Name: "[linux/amd64 server] go build ./cmd/server › extracting"}, false},
	} {
		if got := c.step.compiles(); got != c.want {
			t.Errorf("%s, cached %v: compiles %v, want %v", c.step.Name, c.step.Cached, got, c.want)
		}
	}
}

func TestTimes(t *testing.T) {
	// The fields 14 to 17 of a line whose second field has spaces and brackets.
	if got := ticks("7 (a) b) S 1 2 3 4 5 6 7 8 9 10 100 200 300 400 20 0"); got != 10 {
		t.Errorf("%v s of a process, want 10", got)
	}
	if got := busyTicks("cpu  100 200 300 9999 8888 1 2 3 50 60\ncpu0 1 1 1 1\n"); got != 6.06 {
		t.Errorf("%v s of the machine, want 6.06", got)
	}
}
