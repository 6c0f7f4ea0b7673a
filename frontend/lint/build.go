package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

func stampInLdflags() Rule {
	return Rule{
		Name:    "StampInLdflags",
		Summary: "The revision is part of a flag: every commit builds again",
		Why: `
The revision differs in every commit, also in one that changes a README only.
Where ${REVISION} is part of a flag of the linker, each commit links the binary
again; in a flag of the compiler it compiles again, and in build.env it runs the
go command again.

The labels of the image carry the revision anyway, which costs nothing. A binary
that must know it is what build.stamp is for: it names the variables that the
linker sets, so that the price is seen where it is paid, and it leaves them as
they are in the source where there is no revision.
`,
		Bad: Example{Spec: `
build:
  ldflags: -X main.revision=${REVISION}
`},
		Good: Example{Spec: `
build:
  stamp: main.revision
`},
		Check: checkStampInLdflags,
	}
}

// stampedPattern is a variable that the linker sets to the revision.
var stampedPattern = regexp.MustCompile(`-X[ =]['"]?([^\s='"]+)=\$\{REVISION[:}]`)

func checkStampInLdflags(in *Input) (out []finding) {
	const name = "REVISION"
	check := func(field *string, key, again string) {
		for _, r := range refs(*field) {
			if r.name != name {
				continue
			}
			help := "build.stamp names the variables that carry it"
			if m := stampedPattern.FindStringSubmatch(*field); m != nil {
				help = "write build.stamp: " + m[1]
			}
			msg := fmt.Sprintf("%s: ${%s} makes every commit %s again (%s)", key, name, again, help)
			out = append(out, finding{in.inside(field, r.from, r.length), msg})
		}
	}
	for _, u := range in.units() {
		b := u.build
		for i := range b.Ldflags {
			check(&b.Ldflags[i], "build.ldflags", "link")
		}
		for i := range b.Gcflags {
			check(&b.Gcflags[i], "build.gcflags", "compile")
		}
		for i := range b.Asmflags {
			check(&b.Asmflags[i], "build.asmflags", "compile")
		}
		for i := range b.Env {
			check(&b.Env[i].Value, "build.env", "build")
		}
	}
	return out
}

func stripWithDebugGcflags() Rule {
	return Rule{
		Name:    "StripWithDebugGcflags",
		Summary: "The compiler works for a debugger, and the symbols are left out",
		Why: `
-N -l turns off the optimizations that are in the way of a debugger, at the
price of a slow binary. strip, which is on unless the spec says false, leaves out
the symbols and the debug information that the debugger reads: it finds nothing.
`,
		Bad: Example{Spec: `
build:
  gcflags: all=-N -l
`},
		Good: Example{Spec: `
build:
  gcflags: all=-N -l
  strip: false
`},
		Check: checkStripWithDebugGcflags,
	}
}

func checkStripWithDebugGcflags(in *Input) (out []finding) {
	for _, u := range in.units() {
		b := u.build
		if b.Strip != nil && !*b.Strip {
			continue
		}
		var slow []finding
		inlines := true
		for i := range b.Gcflags {
			for from, word := range items(b.Gcflags[i], " ") {
				// The first flag may stand behind its pattern.
				_, flag, ok := strings.Cut(word, "=-")
				if flag = "-" + flag; !ok {
					flag = word
				}
				switch flag {
				case "-N":
					at := in.inside(&b.Gcflags[i], from+len(word)-len(flag), len(flag))
					slow = append(slow, finding{at, "build.gcflags: -N -l is for a debugger, and strip leaves it no symbols (write strip: false)"})
				case "-l":
					inlines = false
				}
			}
		}
		if !inlines {
			out = append(out, slow...)
		}
	}
	return out
}

func tagsHaveNoEffect() Rule {
	return Rule{
		Name:    "TagsHaveNoEffect",
		Summary: "No Go file names a build tag in its build constraint",
		Why: `
A build tag chooses between files, those whose build constraint names it. Where
no Go file of the context does, and none of the standard library, the tag is
misspelled or what it was for is gone.

The rule looks at headers of Go files that are not tests, and says something
only where no others can matter: no module is downloaded or vendored,
there are no tests, the whole context was read since main is not written, and
the Go release is the one whose standard library the rule knows. Assembler files
are not looked at, nor packages in folders that ./... leaves out.
`,
		Bad: Example{Spec: `
build:
  tags: [netgo, sqlite]
`},
		Good: Example{Spec: `
build:
  tags: netgo
`},
		Check: checkTagsHaveNoEffect,
	}
}

func checkTagsHaveNoEffect(in *Input) (out []finding) {
	known, ok := in.knownTags()
	if !ok {
		return nil
	}
	known = append(known, stdTags()...)
	for _, u := range in.units() {
		for i := range u.build.Tags {
			field := &u.build.Tags[i]
			for from, item := range items(*field, ",") {
				tag := strings.TrimSpace(item)
				if tag == "" || strings.Contains(tag, "$") || strings.HasPrefix(tag, "go1.") || slices.Contains(known, tag) {
					continue
				}
				msg := fmt.Sprintf("build.tags: no Go file names %s in a build constraint", tag)
				if near := spec.Nearest(tag, known); near != "" {
					msg += " (did you mean " + near + "?)"
				}
				at := from + strings.Index(item, tag)
				out = append(out, finding{in.inside(field, at, len(tag)), msg})
			}
		}
	}
	return out
}
