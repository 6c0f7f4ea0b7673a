package integration

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// cmdSSHGit starts a git host for ssh: sshgit. It serves the repositories below
// $WORK/git to the user git, for reading, on port 22 of $SSHADDR, an address of
// loopback; it is that of $PRIVATEADDR, too, where there is one. Give it a name
// with --add-host git.test=$SSHADDR.
//
// The one key that it accepts is in the file $SSHKEY and in an agent, to which
// $SSH_AUTH_SOCK leads. The file $SSHKNOWNHOSTS has its own key, under the name
// git.test and its address. Every command and every refusal is a line of
// $WORK/ssh.log.
func cmdSSHGit(ts *testscript.TestScript, _ bool, _ []string) {
	l := listenHost(ts, "22")
	ts.Defer(func() { _ = l.Close() })
	addr, _, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	hostKey, _ := newKey(ts)
	userKey, private := newKey(ts)
	dir, err := os.MkdirTemp("", "ssh") // short: the path of a socket may not be long
	ts.Check(err)
	ts.Defer(func() { _ = os.RemoveAll(dir) })

	ts.Setenv("SSHADDR", addr)
	ts.Setenv("SSHKEY", writePrivateKey(ts, filepath.Join(dir, "id_ed25519"), private))
	known := filepath.Join(dir, "known_hosts")
	line := fmt.Sprintf("git.test,%s %s", addr, ssh.MarshalAuthorizedKey(hostKey.PublicKey()))
	ts.Check(os.WriteFile(known, []byte(line), 0o644))
	ts.Setenv("SSHKNOWNHOSTS", known)
	ts.Setenv("SSH_AUTH_SOCK", serveAgent(ts, filepath.Join(dir, "agent"), private))

	s := &sshGit{root: ts.MkAbs("git"), log: newLineLog(ts.MkAbs("ssh.log"))}
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() == "git" && string(key.Marshal()) == string(userKey.PublicKey().Marshal()) {
			return nil, nil
		}
		s.log.println("refused", c.User())
		return nil, errors.New("who are you?")
	}}
	config.AddHostKey(hostKey)
	go accept(l, func(c net.Conn) { s.serve(c, config) })
}

func newKey(ts *testscript.TestScript) (ssh.Signer, ed25519.PrivateKey) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	ts.Check(err)
	signer, err := ssh.NewSignerFromKey(private)
	ts.Check(err)
	return signer, private
}

func writePrivateKey(ts *testscript.TestScript, name string, key ed25519.PrivateKey) string {
	block, err := ssh.MarshalPrivateKey(key, "test")
	ts.Check(err)
	ts.Check(os.WriteFile(name, pem.EncodeToMemory(block), 0o600))
	return name
}

// serveAgent starts an ssh agent that holds a key.
func serveAgent(ts *testscript.TestScript, socket string, key ed25519.PrivateKey) string {
	keyring := agent.NewKeyring()
	ts.Check(keyring.Add(agent.AddedKey{PrivateKey: &key, Comment: "test"}))
	l, err := net.Listen("unix", socket)
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	go accept(l, func(c net.Conn) { _ = agent.ServeAgent(keyring, c) })
	return socket
}

// accept serves connections until the listener is closed.
func accept(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}

// sshGit serves the repositories of a folder.
type sshGit struct {
	root string
	log  *lineLog
}

func (s *sshGit) serve(c net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for ch := range channels {
		if ch.ChannelType() != "session" {
			_ = ch.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		channel, requests, err := ch.Accept()
		if err != nil {
			return
		}
		go s.session(channel, requests)
	}
}

// session runs the first command that the client asks for.
func (s *sshGit) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	var env []string
	for r := range requests {
		switch r.Type {
		case "env":
			var v struct{ Name, Value string }
			ok := ssh.Unmarshal(r.Payload, &v) == nil && v.Name == "GIT_PROTOCOL"
			if ok {
				env = append(env, v.Name+"="+v.Value)
			}
			_ = r.Reply(ok, nil)
		case "exec":
			var v struct{ Command string }
			err := ssh.Unmarshal(r.Payload, &v)
			_ = r.Reply(err == nil, nil)
			s.log.println(v.Command)
			status := struct{ Status uint32 }{s.run(channel, v.Command, env)}
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(&status))
			return
		default:
			_ = r.Reply(false, nil)
		}
	}
}

// run executes the one command that a git client needs to read.
func (s *sshGit) run(channel ssh.Channel, command string, env []string) uint32 {
	m := regexp.MustCompile(`^git-upload-pack '/?([^']+)'$`).FindStringSubmatch(command)
	if m == nil || !filepath.IsLocal(m[1]) {
		fmt.Fprintln(channel.Stderr(), "this host runs git-upload-pack only")
		return 128
	}
	dir := filepath.Join(s.root, m[1])
	if _, err := os.Stat(dir); err != nil && !strings.HasSuffix(dir, ".git") {
		dir += ".git"
	}
	if _, err := os.Stat(dir); err != nil {
		fmt.Fprintln(channel.Stderr(), "ERROR: Repository not found.")
		return 1
	}
	cmd := exec.Command("git", "upload-pack", "--strict", dir)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = channel, channel, channel.Stderr()
	if err := cmd.Run(); err != nil {
		return 1
	}
	return 0
}
