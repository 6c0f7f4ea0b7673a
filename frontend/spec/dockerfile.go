package spec

import (
	"regexp"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/redact"
)

// dockerfileGuide says how a Dockerfile becomes a spec.
const dockerfileGuide = "https://github.com/gopherfile/gopherfile/blob/main/docs/guides/from-dockerfile.md"

// instruction is the start of a line of a Dockerfile. No spec starts like that: a
// key has no space in it.
var instruction = regexp.MustCompile(`^(FROM|ARG|RUN|COPY|ADD|ENV|WORKDIR|LABEL|USER|EXPOSE|CMD|ENTRYPOINT)[ \t]+[^ \t:]`)

// checkLanguage refuses a Dockerfile in its own words: a client takes one by
// default, and YAML would complain about whatever comes later in it.
func (d *decoder) checkLanguage() error {
	for i, line := range d.lines {
		text := strings.TrimSpace(line)
		if text == "" || text[0] == '#' {
			continue
		}
		if !instruction.MatchString(text) {
			return nil
		}
		e := d.spec.errorAt(Pos{i + 1, 1 + strings.Index(line, text)}, "this is a Dockerfile, found %q", cut(redact.Quotable(text), 40))
		return ErrorList{e.WithHelp("expected a spec such as main: ./cmd/server, in a file that -f names; %s says how to write it", dockerfileGuide)}
	}
	return nil
}
