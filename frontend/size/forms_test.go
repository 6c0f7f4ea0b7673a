package size

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// report is a report with all that the forms must cope with.
func report() *Report {
	many := Module{Path: "example.com/many", Version: "v1.0.0", Size: 2800}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		many.Packages = append(many.Packages, Part{"example.com/many/" + name, 400})
	}
	return &Report{Platform: "linux/arm64", Binaries: []Binary{
		{Name: "server", File: 12_345_678, Size: 6_304_000, Modules: []Module{
			{Path: Std, Version: "go1.26.8", Size: 5_000_000, Packages: []Part{{"runtime", 3_000_000}, {"net/http", 2_000_000}}},
			{Path: "example.com/<odd>&", Size: 1_200_000, Packages: []Part{{"example.com/<odd>&", 1_200_000}}},
			many,
		}, Rest: []Part{{partTables, 101_200}}},
		{Name: "empty", File: 900},
	}}
}

// TestForms compares the text of a report, and reads the others.
func TestForms(t *testing.T) {
	r := report()
	var text, data, page strings.Builder
	if err := errors.Join(r.WriteText(&text), r.WriteJSON(&data), r.WriteHTML(&page)); err != nil {
		t.Fatal(err)
	}
	const want = `server for linux/arm64: a file of 12.3 MB, 6.30 MB of it code and data
  5.00 MB  79.3%  std go1.26.8
  3.00 MB  47.6%    runtime
  2.00 MB  31.7%    net/http
  1.20 MB  19.0%  example.com/<odd>&
  1.20 MB  19.0%    example.com/<odd>&
   2.8 kB   0.0%  example.com/many v1.0.0
    400 B   0.0%    example.com/many/a
    400 B   0.0%    example.com/many/b
    400 B   0.0%    example.com/many/c
    400 B   0.0%    example.com/many/d
    400 B   0.0%    example.com/many/e
    800 B   0.0%    2 more packages
   101 kB   1.6%  (function tables)

empty for linux/arm64: a file of 900 B, 0 B of it code and data
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("text: -want +got:\n%s", diff)
	}
	var again Report
	if err := json.Unmarshal([]byte(data.String()), &again); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(r, &again); diff != "" {
		t.Errorf("JSON: -want +got:\n%s", diff)
	}
	checkPage(t, page.String())
}

// checkPage looks for what a page must not have: tags that are not closed, or
// something that is elsewhere.
func checkPage(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta"}, xml.HTMLEntity
	boxes := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			switch start.Name.Local {
			case "rect":
				boxes++
			case "script", "link", "img", "iframe", "object":
				t.Errorf("the page has a %s", start.Name.Local)
			}
		}
	}
	if boxes < 6 || strings.Contains(page, "://") || strings.Contains(page, "<odd>") {
		t.Errorf("got %d boxes, want a page without links:\n%s", boxes, page)
	}
}

// TestSquarify checks that the boxes fill the area, as their sizes say, and are
// inside of it.
func TestSquarify(t *testing.T) {
	for _, sizes := range [][]int64{{1}, {6, 6, 4, 3, 2, 2, 1}, {1_000_000, 1}, {5, 0, 0}, {0}, {}, slices.Repeat([]int64{3}, 100)} {
		area := box{10, 20, 600, 400}
		got := squarify(sizes, area)
		if len(got) != len(sizes) {
			t.Fatalf("got %d boxes, want %d", len(got), len(sizes))
		}
		total := int64(0)
		for _, n := range sizes {
			total += n
		}
		for i, b := range got {
			want := 0.0
			if total > 0 {
				want = float64(sizes[i]) / float64(total) * area.w * area.h
			}
			if math.Abs(b.w*b.h-want) > 0.01 {
				t.Errorf("%v: got an area of %f, want %f", sizes, b.w*b.h, want)
			}
			if want > 0 && (b.x < area.x-0.01 || b.y < area.y-0.01 || b.x+b.w > area.x+area.w+0.01 || b.y+b.h > area.y+area.h+0.01) {
				t.Errorf("%v: got %v, want it in %v", sizes, b, area)
			}
		}
	}
}
