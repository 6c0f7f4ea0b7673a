package size

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"html"
	"io"
	"slices"
)

// The area of a treemap, in pixels.
const (
	mapWidth, mapHeight = 1200, 700
	// titleHeight is that of the name of a module in its box.
	titleHeight = 14
)

// box is a part of the area.
type box struct{ x, y, w, h float64 }

// head is the start of the page. It needs nothing else: no script, no font.
const head = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Size of %s</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 1em auto; max-width: 1240px; color: #222; background: #fff }
svg { width: 100%%; height: auto; font: 11px system-ui, sans-serif }
rect { stroke: #fff }
rect:hover { stroke: #000 }
text { pointer-events: none }
</style>
`

// WriteHTML writes the report as a page with a treemap of each binary: an area is
// as large as the part of the binary.
func (r *Report) WriteHTML(w io.Writer) error {
	out := &page{w: w}
	out.printf(head, html.EscapeString(r.Platform))
	for i := range r.Binaries {
		b := &r.Binaries[i]
		out.printf("<h1>%s for %s</h1>\n", html.EscapeString(b.Name), html.EscapeString(r.Platform))
		out.printf("<p>A file of %s, %s of it code and data.</p>\n", human(b.File), human(b.Size))
		out.printf("<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s by module\">\n", mapWidth, mapHeight, html.EscapeString(b.Name))
		out.binary(b)
		out.printf("</svg>\n")
	}
	out.printf("</html>\n")
	return out.err
}

// page writes until something fails.
type page struct {
	w   io.Writer
	err error
}

func (p *page) printf(format string, a ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, a...)
	}
}

// binary draws the modules of a binary, and what is of none.
func (p *page) binary(b *Binary) {
	all := slices.Clone(b.Modules)
	for _, part := range b.Rest {
		all = append(all, Module{Path: part.Name, Size: part.Size})
	}
	slices.SortStableFunc(all, func(a, b Module) int { return cmp.Compare(b.Size, a.Size) })
	sizes := make([]int64, len(all))
	for i, m := range all {
		sizes[i] = m.Size
	}
	for i, at := range squarify(sizes, box{0, 0, mapWidth, mapHeight}) {
		p.module(b, &all[i], at)
	}
}

// module draws a module with its packages.
func (p *page) module(b *Binary, m *Module, at box) {
	sum := sha256.Sum256([]byte(m.Path))
	hue := int(sum[0])*360/256 + int(sum[1])%2
	name := m.Path
	if m.Version != "" {
		name += " " + m.Version
	}
	p.rect(at, fmt.Sprintf("hsl(%d 45%% 78%%)", hue), name, m.Size, b.Size)
	inner := at
	if len(m.Packages) > 1 {
		inner = box{at.x + 1, at.y + titleHeight, at.w - 2, at.h - titleHeight - 1}
	}
	p.label(at, name)
	if len(m.Packages) < 2 || inner.w < 8 || inner.h < 8 {
		return
	}
	sizes := make([]int64, len(m.Packages))
	for i, part := range m.Packages {
		sizes[i] = part.Size
	}
	for i, in := range squarify(sizes, inner) {
		part := m.Packages[i]
		p.rect(in, fmt.Sprintf("hsl(%d 45%% %d%%)", hue, 84+i%3*3), part.Name, part.Size, b.Size)
		p.label(in, part.Name)
	}
}

func (p *page) rect(at box, color, name string, n, of int64) {
	if at.w < 0.5 || at.h < 0.5 {
		return // nobody would see it
	}
	p.printf("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"><title>%s: %s, %.1f%%</title></rect>\n",
		at.x, at.y, at.w, at.h, color, html.EscapeString(name), human(n), percent(n, of))
}

// label writes a name where it fits.
func (p *page) label(at box, name string) {
	const letter, least = 6.2, 4
	room := int(at.w/letter) - 1
	if at.h < titleHeight || room < least {
		return
	}
	if short := []rune(name); len(short) > room {
		name = string(short[:room-1]) + "…"
	}
	p.printf("<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", at.x+3, at.y+11, html.EscapeString(name))
}

// squarify divides an area by sizes, the largest first, into boxes that are not
// too long (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000).
func squarify(sizes []int64, area box) []box {
	total := int64(0)
	for _, n := range sizes {
		total += n
	}
	out := make([]box, 0, len(sizes))
	if total == 0 || area.w <= 0 || area.h <= 0 {
		return append(out, make([]box, len(sizes))...)
	}
	scale := area.w * area.h / float64(total)
	for len(sizes) > 0 {
		side := min(area.w, area.h)
		n, sum := 1, float64(sizes[0])*scale
		for n < len(sizes) {
			more := sum + float64(sizes[n])*scale
			if longest(sizes[:n+1], more, side, scale) > longest(sizes[:n], sum, side, scale) {
				break
			}
			n, sum = n+1, more
		}
		thick := sum / max(side, 1e-9)
		at := 0.0
		for _, size := range sizes[:n] {
			long := 0.0
			if thick > 0 {
				long = float64(size) * scale / thick
			}
			if area.w >= area.h {
				out = append(out, box{area.x, area.y + at, thick, long})
			} else {
				out = append(out, box{area.x + at, area.y, long, thick})
			}
			at += long
		}
		if area.w >= area.h {
			area.x, area.w = area.x+thick, max(0, area.w-thick)
		} else {
			area.y, area.h = area.y+thick, max(0, area.h-thick)
		}
		sizes = sizes[n:]
	}
	return out
}

// longest is the worst ratio of the sides of boxes in a row of an area sum.
func longest(sizes []int64, sum, side, scale float64) float64 {
	largest, smallest := float64(sizes[0])*scale, float64(sizes[len(sizes)-1])*scale
	if sum == 0 || smallest == 0 || side == 0 {
		return 1e9
	}
	return max(side*side*largest/(sum*sum), sum*sum/(side*side*smallest))
}
