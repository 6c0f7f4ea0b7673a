package size

import (
	"net/url"
	"strings"
)

// packageOf returns the import path that the name of a symbol starts with, ""
// for what the linker makes for all packages. The last element of a path has its
// dots escaped (cmd/internal/objabi.PathToPrefix).
func packageOf(symbol string) string {
	for _, made := range []string{"type:.eq.", "type:.hash."} {
		symbol = strings.TrimPrefix(symbol, made)
	}
	// What follows may hold the paths of other packages.
	symbol, _, _ = strings.Cut(symbol, "[")
	symbol, _, _ = strings.Cut(symbol, "(")
	if strings.ContainsAny(symbol, ":,*$") || strings.HasPrefix(symbol, "go.shape.") {
		return "" // type:, go: and the like
	}
	slash := strings.LastIndex(symbol, "/") + 1
	dot := strings.Index(symbol[slash:], ".")
	if dot <= 0 {
		return ""
	}
	path := symbol[:slash+dot]
	if unescaped, err := url.PathUnescape(path); err == nil {
		path = unescaped
	}
	return path
}

// What a part of a file is for, where no package has it.
const (
	partAssembly = "(assembly)"
	partCode     = "(other code)"
	partData     = "(other data)"
	partStrings  = "(types and strings)"
	partTables   = "(function tables)"
	partUnknown  = "(no symbols)"
)

// partOf says what a section is for that no package has.
func partOf(section string, code bool) string {
	name := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(section, ".data.rel.ro"), "."), "__")
	switch {
	case strings.HasPrefix(name, "gopclntab"):
		return partTables
	case code:
		return partCode
	case strings.HasPrefix(name, "rodata"), strings.HasPrefix(name, "typelink"), strings.HasPrefix(name, "itablink"), name == "rdata", name == "const", name == "":
		return partStrings
	}
	return partData
}
