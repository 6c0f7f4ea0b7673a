package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/goflags"
)

// stripped reports whether the linker leaves out the symbol table and DWARF. Of a
// flag that is given again, the last one counts; -s means -w, unless that is
// given, too.
func stripped(flags []string) bool {
	value, _ := goflags.Value(flags, "ldflags")
	words, _ := goflags.Split(value)
	symbols, dwarf, said := true, true, false
	for _, w := range words {
		name, value, found := strings.Cut(strings.TrimPrefix(w, "-"), "=")
		on, err := strconv.ParseBool(value)
		if !found {
			on, err = true, nil
		}
		if !strings.HasPrefix(w, "-") || err != nil {
			continue
		}
		switch strings.TrimPrefix(name, "-") {
		case "s":
			symbols = !on
		case "w":
			dwarf, said = !on, true
		}
	}
	return !symbols && (!dwarf || !said)
}

// versions are what go.mod requires, where it decides alone what is built: the
// modules of a workspace agree on the newest, and the go command may be told to
// look elsewhere or to change the file.
func (sc *scope) versions(b *Binary) []string {
	words := goflags.Env(b.Env)
	mod, _ := goflags.Value(words, "mod")
	if b.Files == nil || mod == "mod" || sc.index.WorkOf(sc.main.module.Dir) != nil {
		return nil
	}
	return slices.Clone(sc.main.module.Requirements)
}

// Mode is the value of -buildmode, "" for the default.
func (b *Binary) Mode() string {
	mode, ok := goflags.Value(b.Flags, "buildmode")
	if !ok {
		mode, _ = goflags.Value(goflags.Env(b.Env), "buildmode")
	}
	return mode
}
