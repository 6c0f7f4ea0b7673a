package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// report is the outcome of a scenario: every number that was measured.
type report struct {
	Scenario string   `json:"scenario"`
	Program  string   `json:"program"`
	Runs     int      `json:"runs"`
	BuildKit string   `json:"buildkit"`
	Go       string   `json:"go"`
	Platform string   `json:"platform"`
	CPUs     int      `json:"cpus"`
	Peers    []result `json:"peers"`
}

// result is what was measured of one frontend, in the order of the runs.
type result struct {
	Name           string    `json:"name"`
	Image          string    `json:"image"`
	ImageBytes     int64     `json:"imageBytes"`
	ResidentBytes  []float64 `json:"residentBytes"`
	AnonymousBytes []float64 `json:"anonymousBytes"`
	DefinitionMS   []float64 `json:"definitionToFirstStepMs"`
	ProcessMS      []float64 `json:"resolvedToFirstStepMs"`
	BuildMS        []float64 `json:"buildMs"`
}

func (r *report) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// writeMarkdown prints the medians; the smallest and the largest number stand
// beside them.
func (r *report) writeMarkdown(w io.Writer) error {
	ours, theirs := r.Peers[0], r.Peers[1]
	text := fmt.Sprintf("| %s, %d runs each | %s | %s | ratio |\n|---|---|---|---|\n", r.Scenario, r.Runs, ours.Name, theirs.Name)
	for _, row := range []struct {
		what         string
		unit         float64
		ours, theirs []float64
	}{
		{"peak memory of the frontend's process, MB", 1e6, ours.ResidentBytes, theirs.ResidentBytes},
		{"of it allocated, not mapped from the program's file, MB", 1e6, ours.AnonymousBytes, theirs.AnonymousBytes},
		{"definition loaded → frontend's first step, ms", 1, ours.DefinitionMS, theirs.DefinitionMS},
		{"frontend's image resolved → frontend's first step, ms", 1, ours.ProcessMS, theirs.ProcessMS},
		{"build in which nothing changed, ms", 1, ours.BuildMS, theirs.BuildMS},
		{"layers of the frontend's image, MB", 1e6, []float64{float64(ours.ImageBytes)}, []float64{float64(theirs.ImageBytes)}},
	} {
		text += fmt.Sprintf("| %s | %s | %s | %.2f |\n", row.what,
			summary(row.ours, row.unit), summary(row.theirs, row.unit), median(row.ours)/median(row.theirs))
	}
	text += fmt.Sprintf("\nBuildKit %s, %s, %s, %d CPUs. Median (min–max); ratio of the medians, %s to %s.\n",
		r.BuildKit, r.Go, r.Platform, r.CPUs, ours.Name, theirs.Name)
	_, err := io.WriteString(w, text)
	return err
}

func summary(list []float64, unit float64) string {
	if len(list) == 1 {
		return fmt.Sprintf("%.1f", list[0]/unit)
	}
	return fmt.Sprintf("%.1f (%.1f–%.1f)", median(list)/unit, slices.Min(list)/unit, slices.Max(list)/unit)
}
