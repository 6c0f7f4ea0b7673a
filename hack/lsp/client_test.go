package lsp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// timeout is how long the server may take for an answer. Its first one takes
// a second or two.
const timeout = 60 * time.Second

// client speaks the Language Server Protocol with a server that it started.
type client struct {
	stdin       io.Writer
	calls       int
	responses   chan message
	diagnostics chan published
}

type message struct {
	ID     json.RawMessage `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  json.RawMessage `json:"error,omitempty"`
}

// position is a place as the protocol has it: lines and columns count from 0.
type position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

type diagnostic struct {
	Range struct{ Start, End position }
	// Message is what the editor shows.
	Message string
}

type published struct {
	URI         string
	Diagnostics []diagnostic
}

// start runs the server until the test ends.
func start(t *testing.T) *client {
	t.Helper()
	setup := exec.Command("./setup")
	setup.Stderr = os.Stderr
	path, err := setup.Output()
	if err != nil {
		t.Fatalf("setup: %v", err)
	}
	cmd := exec.Command("node", strings.TrimSpace(string(path)), "--stdio")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &client{stdin: stdin, responses: make(chan message, 16), diagnostics: make(chan published, 64)}
	go c.read(stdout)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c.call(t, "initialize", map[string]any{
		"processId": os.Getpid(),
		"rootUri":   nil,
		"capabilities": map[string]any{"textDocument": map[string]any{
			"completion":         map[string]any{"completionItem": map[string]any{"snippetSupport": true, "documentationFormat": []string{"markdown", "plaintext"}}},
			"hover":              map[string]any{"contentFormat": []string{"markdown"}},
			"publishDiagnostics": map[string]any{},
		}},
	}, nil)
	c.notify(t, "initialized", map[string]any{})
	// The settings of the VS Code extension, less the catalog of schemas, which is on a server.
	c.notify(t, "workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{"yaml": map[string]any{
		"validate": true, "hover": true, "completion": true, "schemaStore": map[string]any{"enable": false},
	}}})
	return c
}

// read sorts what the server says until it ends.
func (c *client) read(r io.Reader) {
	in := bufio.NewReader(r)
	for {
		header, err := textproto.NewReader(in).ReadMIMEHeader()
		if err != nil {
			close(c.responses)
			close(c.diagnostics)
			return
		}
		n, _ := strconv.Atoi(header.Get("Content-Length"))
		body := make([]byte, n)
		var m message
		if _, err := io.ReadFull(in, body); err != nil || json.Unmarshal(body, &m) != nil {
			continue
		}
		switch {
		case m.Method == "":
			c.responses <- m
		case m.Method == "textDocument/publishDiagnostics":
			var p published
			_ = json.Unmarshal(m.Params, &p)
			c.diagnostics <- p
		case m.ID != nil:
			// A question about the editor: nothing is set.
			_ = c.write(message{ID: m.ID, Result: json.RawMessage("null")})
		}
	}
}

func (c *client) write(m message) error {
	dt, err := json.Marshal(struct {
		Version string `json:"jsonrpc"`
		message
	}{"2.0", m})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdin, "Content-Length: %d\r\n\r\n%s", len(dt), dt)
	return err
}

func (c *client) notify(t *testing.T, method string, params any) {
	t.Helper()
	c.send(t, nil, method, params)
}

func (c *client) send(t *testing.T, id json.RawMessage, method string, params any) {
	t.Helper()
	dt, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.write(message{ID: id, Method: method, Params: dt}); err != nil {
		t.Fatal(err)
	}
}

// call asks the server and decodes its answer into result.
func (c *client) call(t *testing.T, method string, params, result any) {
	t.Helper()
	c.calls++
	id := json.RawMessage(strconv.Itoa(c.calls))
	c.send(t, id, method, params)
	select {
	case m, ok := <-c.responses:
		if !ok || string(m.ID) != string(id) || m.Error != nil {
			t.Fatalf("%s: got id %s, error %s; open: %v", method, m.ID, m.Error, ok)
		}
		if result != nil && json.Unmarshal(m.Result, result) != nil {
			t.Fatalf("%s: got %s", method, m.Result)
		}
	case <-time.After(timeout):
		t.Fatalf("%s: no answer in %v", method, timeout)
	}
}

// open opens a document and returns what the server finds in it.
func (c *client) open(t *testing.T, text string) (uri string, found []diagnostic) {
	t.Helper()
	uri = "file://" + filepath.ToSlash(filepath.Join(t.TempDir(), "Gopherfile.yaml"))
	c.notify(t, "textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": uri, "languageId": "yaml", "version": 1, "text": text,
	}})
	deadline := time.After(timeout)
	for {
		select {
		case p, ok := <-c.diagnostics:
			if !ok {
				t.Fatal("the server ended")
			}
			if p.URI == uri {
				return uri, p.Diagnostics
			}
		case <-deadline:
			t.Fatalf("no diagnostics in %v of\n%s", timeout, text)
		}
	}
}

// at are the parameters of a question about a place of a document.
func at(uri string, p position) map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": uri}, "position": p}
}
