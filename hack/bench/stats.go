package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"syscall"
	"time"
)

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// round keeps some digits behind the point.
func round(f float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(f*p) / p
}

// values picks a number of every record.
func values(records []record, f func(record) float64) []float64 {
	list := make([]float64, len(records))
	for i, r := range records {
		list[i] = f(r)
	}
	return list
}

func cpus() int { return runtime.NumCPU() }

// ownCPU is the processor time of this program, in seconds. It carries the
// source trees and the registry's bytes.
func ownCPU() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// machine says where something is measured.
func machine(buildkit string) string {
	return fmt.Sprintf("BuildKit %s, %s, %s/%s, %d CPUs", buildkit, runtime.Version(), runtime.GOOS, runtime.GOARCH, cpus())
}
