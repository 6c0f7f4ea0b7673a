// Package size says what takes the space in a Go binary: how many bytes are of
// which package, and of which module. It reads the symbol table, so the binary
// must have one; what is in no symbol is told by what it is for.
//
// Memory is bounded by the size of the file, whatever is in it. Names of modules and
// packages are printable.
package size

// Report is what the binaries of a platform are made of.
type Report struct {
	Platform string   `json:"platform"`
	Binaries []Binary `json:"binaries"`
}

// Binary is a program.
type Binary struct {
	Name string `json:"name"`
	// File is the size of the file that is shipped.
	File int64 `json:"file"`
	// Size is the sum of what follows: all that is loaded from the file.
	Size int64 `json:"size"`
	// Modules are those with code or data, the largest first.
	Modules []Module `json:"modules"`
	// Rest is what is of no package, the largest first.
	Rest []Part `json:"rest"`
}

// Module is a module, or std.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version,omitempty"`
	Size    int64  `json:"size"`
	// Packages are sorted, the largest first.
	Packages []Part `json:"packages"`
}

// Part is a package, or something that is of none.
type Part struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

// Std is the path of what belongs to the standard library.
const Std = "std"
