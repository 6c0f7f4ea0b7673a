package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		list []float64
		want float64
	}{
		{[]float64{3}, 3},
		{[]float64{3, 1}, 2},
		{[]float64{9, 1, 2}, 2},
		{[]float64{9, 1, 2, 4}, 3},
	} {
		before := append([]float64(nil), c.list...)
		if got := median(c.list); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.list, got, c.want)
		}
		if !cmp.Equal(before, c.list) {
			t.Errorf("the list became %v", c.list)
		}
	}
}

func TestRatio(t *testing.T) {
	series := func(list ...float64) (records []record) {
		for _, f := range list {
			records = append(records, record{Seconds: f})
		}
		return records
	}
	wall := func(r record) float64 { return r.Seconds }
	for _, c := range []struct {
		list, base []record
		want       string
	}{
		{series(1, 9, 2), series(4, 4, 5), "0.50"}, // of the medians: 2 to 4
		{series(3), series(3), "1.00"},
		{series(3), nil, "–"},
		{series(3), series(0), "–"},
	} {
		if got := ratio(c.list, c.base, wall); got != c.want {
			t.Errorf("ratio of %v to %v: %s, want %s", values(c.list, wall), values(c.base, wall), got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	s, err := openStore("testdata/records.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "table.md", table(s.records))
	golden(t, "profile.txt", profile(s.records))
}

func TestParseOptions(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // of the error
	}{
		{nil, "name a scenario, and at least one run"},
		{[]string{"-runs", "0", "cold"}, "name a scenario, and at least one run"},
		{[]string{"colder"}, `no scenario "colder"; there are start, cold, cold4, noop, docs, edit, bump, ci-edit, fleet`},
		{[]string{"-program", "nginx", "cold"}, `no program "nginx"; there are hello, http, fleet, coredns, rclone, tools`},
		{[]string{"-program", "tools", "cold"}, "cold: tools is many binaries"},
		{[]string{"-program", "http", "fleet"}, "fleet: http is one binary"},
		{[]string{"-program", "hello", "bump"}, "bump: hello has no dependency to bump"},
		{[]string{"-runs", "5", "bump"}, "bump: there are 4 versions of github.com/quic-go/quic-go to go to, and no more runs than that"},
		{[]string{"edit", "cold", "fleet"}, ""},
	} {
		o, err := parseOptions(c.args, io.Discard)
		if c.want != "" {
			if err == nil || err.Error() != c.want {
				t.Errorf("%q: error %v, want %s", c.args, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, sc := range o.scenarios {
			names = append(names, sc.name)
		}
		if want := []string{"cold", "edit", "fleet"}; !cmp.Equal(names, want) {
			t.Errorf("%q: scenarios %q, want %q", c.args, names, want)
		}
	}
}
