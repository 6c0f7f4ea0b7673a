package main

import (
	"fmt"
	"slices"
	"strings"
)

// table writes records as Markdown: a line for each scenario and contender,
// with medians, and the smallest and the largest number beside the time.
func table(records []record) string {
	s := &store{records: records}
	var b strings.Builder
	for _, program := range programsIn(records) {
		fmt.Fprintf(&b, "### %s\n\n", program)
		b.WriteString("| scenario | contender | seconds | ratio | CPU seconds | ratio | pulled MB | cache MB | peak memory MB | compiled | image |\n")
		b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|\n")
		var notes []string
		for _, scenario := range append(scenarioNames(), fill) {
			rows(&b, s, scenario, program, &notes)
		}
		for _, note := range notes {
			fmt.Fprintf(&b, "\n- %s", note)
		}
		if len(notes) > 0 {
			b.WriteString("\n")
		}
		b.WriteString(footer(s, program) + "\n")
	}
	return b.String()
}

func programsIn(records []record) []string {
	var names []string
	for _, p := range programs() {
		if slices.ContainsFunc(records, func(r record) bool { return r.Program == p.name }) {
			names = append(names, p.name)
		}
	}
	return names
}

// rows writes the lines of a scenario.
func rows(b *strings.Builder, s *store, scenario, program string, notes *[]string) {
	base := s.of(scenario, program, best)
	for _, contender := range contenderNames() {
		list := s.of(scenario, program, contender)
		switch {
		case len(list) == 0:
		case list[0].Unable != "":
			*notes = append(*notes, fmt.Sprintf("%s without %s: %s.", scenario, contender, list[0].Unable))
		default:
			filled := s.of(fill, program, contender)
			fmt.Fprintf(b, "| %s | %s | %s |\n", scenario, contender, strings.Join(cells(list, base, filled), " | "))
		}
	}
}

// cells are the figures of a contender in a scenario, beside those of the
// best-practice Dockerfile.
func cells(list, base, filled []record) []string {
	wall := func(r record) float64 { return r.Seconds }
	cpu := func(r record) float64 { return r.CPUSeconds }
	last := list[len(list)-1]
	cache := "–"
	switch {
	case last.Scenario == fill:
		cache = megabytes(last.CacheBytes)
	case last.PulledCacheBytes > 0 && len(filled) > 0:
		pulled := median(values(list, func(r record) float64 { return float64(r.PulledCacheBytes) }))
		cache = megabytes(int64(pulled)) + " of " + megabytes(filled[0].CacheBytes)
	}
	compiled := "–"
	if last.Contender != koBuild {
		compiled = fmt.Sprintf("%.0f", median(values(list, func(r record) float64 { return float64(r.Compiles) })))
	}
	return []string{
		withSpread(values(list, wall)), ratio(list, base, wall),
		fmt.Sprintf("%.1f", median(values(list, cpu))), ratio(list, base, cpu),
		megabytes(int64(median(values(list, func(r record) float64 { return float64(r.PulledBytes) })))), cache,
		megabytes(int64(median(values(list, func(r record) float64 { return float64(r.PeakBytes) })))),
		compiled, imageCell(list),
	}
}

// withSpread is the median, with the ends of the series.
func withSpread(list []float64) string {
	if len(list) == 1 {
		return fmt.Sprintf("%.2f", list[0])
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", median(list), slices.Min(list), slices.Max(list))
}

// ratio is that of the medians.
func ratio(list, base []record, f func(record) float64) string {
	if len(base) == 0 {
		return "–"
	}
	below := median(values(base, f))
	if below == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", median(values(list, f))/below)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) }

// imageCell says what came out: how many of a fleet's images stayed as they were,
// or whether the same sources gave the same image.
func imageCell(list []record) string {
	first := list[0]
	switch {
	case first.Images > 1:
		return fmt.Sprintf("%.0f of %d kept", median(values(list, func(r record) float64 { return float64(r.Kept) })), first.Images)
	case len(list) < 2 || !slices.ContainsFunc(scenarios(), func(sc scenario) bool { return sc.same && sc.name == first.Scenario }):
		return "–"
	case slices.ContainsFunc(list, func(r record) bool { return r.Digest != first.Digest }):
		return "differs"
	}
	_, hex, _ := strings.Cut(first.Digest, ":")
	return hex[:min(12, len(hex))]
}

// footer says where and how often, and how much else went on.
func footer(s *store, program string) string {
	var machines []string
	var most float64
	var shares []float64
	counts := map[key]int{}
	for _, r := range s.records {
		if r.Program != program || r.Unable != "" {
			continue
		}
		if !slices.Contains(machines, r.Machine) {
			machines = append(machines, r.Machine)
		}
		shares, most = append(shares, r.OthersPercent), max(most, r.OthersPercent)
		if r.Scenario != fill {
			counts[key{r.Scenario, "", r.Contender, 0}]++
		}
	}
	if len(shares) == 0 {
		return ""
	}
	low, high := 0, 0
	for _, n := range counts {
		if low == 0 || n < low {
			low = n
		}
		high = max(high, n)
	}
	runs := fmt.Sprintf("%d runs", high)
	switch {
	case low != high:
		runs = fmt.Sprintf("%d–%d runs", low, high)
	case high == 1:
		runs = "one run"
	}
	return fmt.Sprintf("\n%s. Median (min–max) of %s; ratio of the medians, to %s. "+
		"Other programs had %.0f %% of the processors' time (median; at most %.0f %%).\n",
		strings.Join(machines, "; "), runs, best, median(shares), most)
}

// profile tells where the time went: the steps of the median run of every
// series that took a fiftieth of it at least.
func profile(records []record) string {
	s := &store{records: records}
	var b strings.Builder
	for _, program := range programsIn(records) {
		for _, scenario := range append(scenarioNames(), fill) {
			for _, contender := range contenderNames() {
				list := slices.DeleteFunc(s.of(scenario, program, contender), func(r record) bool { return len(r.Steps) == 0 })
				if len(list) == 0 {
					continue
				}
				slices.SortFunc(list, func(a, b record) int { return int((a.Seconds - b.Seconds) * 1000) })
				r := list[(len(list)-1)/2]
				fmt.Fprintf(&b, "%s %s %s, run %d: %.2f s\n", program, scenario, contender, r.Run, r.Seconds)
				for _, st := range r.Steps {
					if !st.Cached && st.Seconds >= r.Seconds/50 {
						fmt.Fprintf(&b, "  %7.2f +%.2f  %s\n", st.Start, st.Seconds, st.Name)
					}
				}
			}
		}
	}
	return b.String()
}
