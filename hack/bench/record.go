package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// record is one measured build, or why there is none.
type record struct {
	Scenario  string `json:"scenario"`
	Program   string `json:"program"`
	Contender string `json:"contender"`
	Run       int    `json:"run"`
	// Setup changes with what is built and by what: records of two setups are
	// not of one series.
	Setup   string `json:"setup"`
	Machine string `json:"machine"`
	// Unable says why the contender has no part in the scenario.
	Unable string `json:"unable,omitempty"`

	Seconds float64 `json:"seconds,omitempty"`
	// CPUSeconds is the processor time of the builder and its steps.
	CPUSeconds float64 `json:"cpuSeconds,omitempty"`
	// OthersPercent is how much of the machine's processors went to programs that
	// have nothing to do with the build.
	OthersPercent float64 `json:"othersPercent"`
	PeakBytes     int64   `json:"peakBytes,omitempty"`
	// PulledBytes came from the registry: builder image, frontend and cache.
	PulledBytes int64 `json:"pulledBytes,omitempty"`
	// PulledCacheBytes are those of the imported cache.
	PulledCacheBytes int64 `json:"pulledCacheBytes,omitempty"`
	PushedBytes      int64 `json:"pushedBytes,omitempty"`
	// CacheBytes is the size of all blobs of the exported cache.
	CacheBytes int64 `json:"cacheBytes,omitempty"`
	// CacheBuilderBytes are those that are layers of the builder image as well.
	CacheBuilderBytes int64 `json:"cacheBuilderBytes,omitempty"`
	// Digest is that of the image, or of the one that was edited.
	Digest string `json:"digest,omitempty"`
	Images int    `json:"images,omitempty"`
	// Kept counts the images that are those of the build before the change.
	Kept int `json:"kept,omitempty"`
	// Compiles counts the steps that ran the compiler.
	Compiles int    `json:"compiles,omitempty"`
	Steps    []step `json:"steps,omitempty"`
}

// key is what a record is of.
type key struct {
	scenario, program, contender string
	run                          int
}

func (r record) key() key { return key{r.Scenario, r.Program, r.Contender, r.Run} }

// store is a file with a record on each line. Nothing is lost if the benchmark
// is ended in the middle of it.
type store struct {
	path    string
	records []record
}

func openStore(path string) (*store, error) {
	s := &store{path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if whole := data[:bytes.LastIndexByte(data, '\n')+1]; len(whole) < len(data) {
		// A line that was being written when the benchmark was killed.
		if err := os.Truncate(path, int64(len(whole))); err != nil {
			return nil, err
		}
		data = whole
	}
	for i, line := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		var r record
		if len(line) == 0 {
			continue
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		s.drop(func(old record) bool { return old.key() == r.key() })
		s.records = append(s.records, r)
	}
	return s, nil
}

func (s *store) drop(f func(record) bool) { s.records = slices.DeleteFunc(s.records, f) }

// forget removes records from the file too.
func (s *store) forget(f func(record) bool) error {
	before := len(s.records)
	s.drop(f)
	if len(s.records) == before {
		return nil
	}
	var b bytes.Buffer
	for _, r := range s.records {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		b.Write(append(line, '\n'))
	}
	tmp := s.path + ".new"
	if err := os.WriteFile(tmp, b.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, s.path)
}

// add appends a record. One of the same key is superseded.
func (s *store) add(r record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	s.drop(func(old record) bool { return old.key() == r.key() })
	s.records = append(s.records, r)
	return errors.Join(err, f.Close())
}

// has tells whether there is a record of a key, measured with the same setup.
func (s *store) has(k key, setup string) bool {
	return slices.ContainsFunc(s.records, func(r record) bool { return r.key() == k && r.Setup == setup })
}

// of returns the records of a series, by run.
func (s *store) of(scenario, program, contender string) []record {
	var list []record
	for _, r := range s.records {
		if r.Scenario == scenario && r.Program == program && r.Contender == contender {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b record) int { return a.Run - b.Run })
	return list
}
