package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// checksumsFile is the name of the list, in the form that sha256sum -c reads.
const checksumsFile = "SHA256SUMS"

// checksumsCommand writes the SHA-256 sums of the files of one folder into
// another: checksums FROM TO. The graph runs it; package llb has its arguments.
func checksumsCommand(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("checksums: expected the folder with the files and the one to write to, found %d", len(args))
	}
	entries, err := os.ReadDir(args[0]) // sorted
	if err != nil {
		return fmt.Errorf("checksums: %w", err)
	}
	var list bytes.Buffer
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		sum, err := checksum(filepath.Join(args[0], e.Name()))
		if err != nil {
			return fmt.Errorf("checksums: %w", err)
		}
		fmt.Fprintf(&list, "%x  %s\n", sum, e.Name())
	}
	if err := writeOutput(filepath.Join(args[1], checksumsFile), list.Bytes()); err != nil {
		return fmt.Errorf("checksums: %w", err)
	}
	return nil
}

func checksum(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}
