package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net"
	"os"
)

// state is what up decided; the other commands, and the next up, read it.
type state struct {
	// Port is the hub's, on the loopback address.
	Port int `json:"port"`
	// Assemble tells whether the hub assembles images.
	Assemble bool `json:"assemble"`
	// Host is the address of the BuildKit in use, in the form of BUILDKIT_HOST.
	Host string `json:"host"`
}

// registry is the address that images are pushed to and pulled from.
func (s state) registry() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }

// loadState returns the zero state if there was no up before.
func loadState(l layout) (state, error) {
	var s state
	data, err := os.ReadFile(l.run("state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("%s: %w", l.run("state.json"), err)
	}
	return s, nil
}

func (s state) save(l layout) error {
	data, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(l.run("state.json"), append(data, '\n'), 0o644)
}

// freePort returns a loopback port that nobody listens on. The search starts
// where the hash of dir says, so that two checkouts rarely meet, and stays
// below the ports that the kernel gives to outgoing connections, so that the
// port is most likely still free after a reboot.
func freePort(dir string) (int, error) {
	const first, count = 20000, 10000
	h := fnv.New32a()
	h.Write([]byte(dir))
	start := h.Sum32() % count
	for i := range uint32(100) {
		port := first + int((start+i)%count)
		if portFree(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port near %d", first+start)
}

func portFree(port int) bool {
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	ln.Close()
	return true
}
