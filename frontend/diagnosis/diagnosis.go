// Package diagnosis is why modules could not be downloaded: what the go command
// said of each, read by a step of the build, and what that means for the user.
//
// Invariant: the text of a secret is never read into a [Report].
package diagnosis

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// File is the name of the report in the output of the step.
const File = "report.json"

// Report is what a step saw.
type Report struct {
	// Modules are those that could not be had.
	Modules []Module `json:"modules,omitempty"`
	// Stderr is what the go command wrote besides, without its middle when that
	// is long.
	Stderr string `json:"stderr,omitempty"`
	// Netrc is true when the client passed the secret, and Hosts are those that
	// it has a password for.
	Netrc bool     `json:"netrc,omitempty"`
	Hosts []string `json:"hosts,omitempty"`
	// Agent is true when the client passed an ssh agent.
	Agent bool `json:"agent,omitempty"`
}

// Module is a module that could not be had.
type Module struct {
	Path    string `json:"Path"`
	Version string `json:"Version"`
	Error   string `json:"Error"`
}

// Read makes a report of what go mod download -json wrote.
func Read(stdout, stderr []byte) Report {
	const most = 100 // of the modules: the report goes through the gateway
	var r Report
	for dec := json.NewDecoder(bytes.NewReader(stdout)); ; {
		var m Module
		if err := dec.Decode(&m); err != nil {
			break // the end, or what a killed command left
		}
		if m.Error != "" && len(r.Modules) < most {
			m.Error = clean(strings.TrimPrefix(m.Error, m.Path+"@"+m.Version+": "))
			m.Path, m.Version = short(m.Path), short(m.Version)
			r.Modules = append(r.Modules, m)
		}
	}
	if len(r.Modules) == 0 {
		r.Modules = failedModule(string(stderr))
	}
	r.Stderr = clean(string(stderr))
	return r
}

// clean takes what may be a secret out of a text of the go command, and the
// middle of a long one.
func clean(text string) string {
	const most = 4 << 10
	text = redact.Text(text)
	if len(text) > most {
		text = text[:most/2] + "\n…\n" + text[len(text)-most/2:]
	}
	return strings.ToValidUTF8(text, "")
}

// short is a name, which may be of any length, for a line that people read.
func short(name string) string {
	const most = 300
	if len(name) > most {
		name = name[:most] + "…"
	}
	return strings.ToValidUTF8(name, "")
}

// moduleLine is how the go command begins to say that it cannot have a module,
// before it downloads any: it needs all go.mod files first. Of a module that
// others require, the lines above name those.
var moduleLine = regexp.MustCompile(`(?m)^(?:go: |\t)?(?:verifying )?([^\s:@]+)@(v[^\s:/]+)(?:/go\.mod)?(?: \(replaced by [^)\n]*\))?: `)

// failedModule finds the module that an error on standard error is about.
func failedModule(stderr string) []Module {
	at := moduleLine.FindStringSubmatchIndex(stderr)
	if at == nil {
		return nil
	}
	return []Module{{Path: short(stderr[at[2]:at[3]]), Version: short(stderr[at[4]:at[5]]), Error: clean(strings.TrimSpace(stderr[at[1]:]))}}
}

// Passed notes what the client passed: a netrc file and the socket of an agent.
func (r *Report) Passed(netrc, socket string) {
	if data, err := readSome(netrc); err == nil {
		r.Netrc, r.Hosts = true, hosts(string(data))
	}
	if _, err := os.Stat(socket); socket != "" && err == nil {
		r.Agent = true
	}
}

// readSome reads a file, as much of it as BuildKit takes for a secret and more.
// Without a secret, the builder image may have anything in its place.
func readSome(name string) ([]byte, error) {
	if info, err := os.Stat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, os.ErrInvalid
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// defaultHost stands for all hosts.
const defaultHost = "default"

// hosts returns the hosts that a netrc file has a password for. Nothing else of
// it is kept.
func hosts(netrc string) []string {
	var found []string
	var host, key string
	macro := false
	for line := range strings.Lines(netrc) {
		line = strings.TrimSpace(line)
		if macro {
			macro = line != "" // an empty line ends it
			continue
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		for word := range strings.FieldsSeq(line) {
			switch key {
			case "":
				if word == defaultHost {
					host = word
				} else {
					key = word
				}
				continue
			case "machine":
				host = word
			case "password":
				if host != "" && !slices.Contains(found, host) {
					found = append(found, host)
				}
			case "macdef":
				macro = true
			}
			key = ""
		}
	}
	return found
}

// hasPassword reports whether the secret is for a host. The go command looks for
// the host as it stands in the URL, git for the host without its port, and then
// for the line for all hosts.
func (r *Report) hasPassword(host string, git bool) bool {
	return slices.Contains(r.Hosts, host) || git && slices.Contains(r.Hosts, defaultHost)
}

func withoutPort(host string) string {
	if at := strings.LastIndexByte(host, ':'); at > strings.LastIndexByte(host, ']') {
		return host[:at]
	}
	return host
}
