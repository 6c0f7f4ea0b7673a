package diagnosis

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Options is what an explanation needs to know of the build.
type Options struct {
	// Netrc and SSH are the ids of the secret and of the agent.
	Netrc, SSH string
	// Builder is the builder image.
	Builder string
}

// Explain says in one line why modules could not be had, and what to do. It
// returns "" when the report holds nothing that it knows.
func (r *Report) Explain(opt Options) string {
	if len(r.Modules) == 0 {
		why, help := general(r.Stderr, opt)
		return withHelp(oneLine(why), help)
	}
	first := r.cause(&r.Modules[0], opt)
	why, help := first.reason()
	name := first.Path
	if first.Version != "" {
		name += "@" + first.Version
	}
	same, other := 0, 0
	for i := range r.Modules[1:] {
		if w, _ := r.cause(&r.Modules[1+i], opt).reason(); w == why {
			same++
		} else {
			other++
		}
	}
	if same > 0 {
		name += " and " + count(same, "other module")
	}
	text := withHelp(name+": "+why, help)
	if other > 0 {
		text += "; " + count(other, "more module") + " cannot be had for other reasons"
	}
	return oneLine(text)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func withHelp(why, help string) string {
	if help == "" || why == "" {
		return why
	}
	return why + " (" + help + ")"
}

// general is the reason when the go command named no module.
func general(stderr string, opt Options) (why, help string) {
	text := strings.TrimSpace(stderr)
	switch {
	case strings.Contains(text, `exec: "go": executable file not found`):
		return "the builder image " + opt.Builder + " has no go command", "expected one such as golang:1.26-alpine"
	case goRelease.MatchString(text):
		return release("go.mod", text, opt)
	}
	return plain(text), ""
}

// sshHost finds the host in what ssh says, and urlHost in what the go command and
// git do.
var (
	sshHost = regexp.MustCompile(`[\w.-]+@([\w.-]+): Permission denied|Host key for ([\w.-]+) has changed|` +
		`ssh: connect to host (\S+) port|ssh: Could not resolve hostname ([^\s:]+)`)
	urlHost = regexp.MustCompile(`(?:https?|ssh|git)://(?:[^@/\s"']*@)?(\[[^\]\s]+\](?::\d+)?|[^/:\s"']+(?::\d+)?)`)
)

// hostOf is the host that was asked for a module.
func hostOf(path, said string) string {
	for _, p := range []*regexp.Regexp{sshHost, urlHost} {
		if f := p.FindStringSubmatch(said); f != nil {
			return strings.Join(f[1:], "") // one of them matched
		}
	}
	host, _, _ := strings.Cut(path, "/")
	return host
}

// lastPart is the end of an error: what really happened.
func lastPart(said string) string {
	line := strings.TrimSpace(said)
	for l := range strings.Lines(said) {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, "fatal: ") || strings.HasPrefix(l, "ssh: ") {
			return plain(l)
		}
	}
	line, _, _ = strings.Cut(line, "\n")
	if at := strings.LastIndex(line, `": `); at >= 0 {
		line = line[at+len(`": `):]
	}
	return plain(line)
}

// plain is what the go command said, for one line.
func plain(text string) string {
	text = oneLine(strings.TrimPrefix(strings.TrimSpace(text), "go: "))
	const most = 400
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// oneLine makes a text one line that a terminal can show.
func oneLine(text string) string {
	text = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
