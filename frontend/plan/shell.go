package plan

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// shellWords are words that mean something to a shell alone when they stand by
// themselves, beside && and the semicolon.
func shellWords() []string {
	return strings.Fields("|| & | |& > >> >| < << <<< <> &> &>> 2> 2>> 2>&1 1>&2 >&2")
}

// assignment is a variable in front of a command.
var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// checkShell refuses a command that was written for a shell, whose words the
// program would get. Only what is a word of its own counts: a word in quotes and
// an item of a list are meant as they are.
func (r *resolver) checkShell(field *string) {
	if r.isBroken(field) {
		return
	}
	for i, w := range bareWords(*field) {
		var help string
		switch {
		case i == 0 && assignment.MatchString(w):
			help = "write env " + w + " before the program"
		case w == "&&" || w == ";":
			help = "write a list of commands; each runs when the one before it has succeeded"
		case slices.Contains(shellWords(), w), strings.HasPrefix(w, "2>"), strings.HasPrefix(w, "$("), strings.HasPrefix(w, "`"):
			help = `where the builder has one, call it: run: [sh, -c, "…"]`
		default:
			continue
		}
		r.fail(r.spec.ErrorIn(field, w, "generate: %s is for a shell, and there is none", w).WithHelp("%s", help))
		return
	}
}

// bareWords are the words of a text as [goflags.Split] splits it, "" for those in
// quotes.
func bareWords(text string) []string {
	var words []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if q := text[:1]; q == `"` || q == "'" {
			_, text, _ = strings.Cut(text[1:], q)
			words = append(words, "")
			continue
		}
		end := strings.IndexFunc(text, unicode.IsSpace)
		if end < 0 {
			end = len(text)
		}
		words, text = append(words, text[:end]), text[end:]
	}
	return words
}
