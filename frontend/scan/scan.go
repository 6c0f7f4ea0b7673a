// Package scan is what a source tree is: its modules, its packages, what their
// files import and embed, and the build constraints of the files.
//
// It reads the tree as the go command does, through an [fs.FS] only, and reads
// no more of a file than its header, unless the file embeds others. It is not a
// package loader: it knows no type, and which of the files a build reads is for
// package closure to say.
//
// Invariant: an [Index] depends on the tree alone. The package knows no target,
// no BuildKit and no environment, and writes nothing.
package scan

// Index is what a source tree holds. It survives a round trip through JSON.
//
// Its JSON form is compact, and the same index has the same bytes.
type Index struct {
	// Modules are sorted by Dir. When only some packages were read, they are
	// those that their build may need.
	Modules []Module
	// Work is go.work in the root, nil when there is none.
	Work *Work
	// Works are the go.work files in other directories, sorted by Dir. See
	// [Index.WorkOf].
	Works []Work
	// Packages are the directories that hold Go files, sorted by Dir. What the
	// go command skips (testdata, directories of a vendor, names that begin with
	// . or _, ignore directives) is left out, unless a directive or an import
	// leads there or it is what was asked for.
	Packages []Package
	// Vendored are the packages in the vendor directories of modules and
	// workspaces that an import leads to, sorted by Dir.
	Vendored []Package
	// Links are the symbolic links among the names of the index and above them,
	// sorted by Name. They are known where the tree can tell: it must be an
	// [fs.ReadLinkFS].
	Links []Link
	// Err is what [Scan] says of the whole tree, if that is an [*Error]. It is
	// set by [Tree] alone; see [Index.Check].
	Err *Error
}

// Module is a directory with a go.mod file.
type Module struct {
	// Dir is the slash path from the root of the tree, "." for the root itself.
	Dir string `json:"dir"`
	// Path is the module path.
	Path string `json:"path"`
	// Go is the version in the go line, such as "1.26.0", "" when absent.
	Go string `json:"go,omitempty"`
	// Toolchain is the name in the toolchain line, such as "go1.26.3", ""
	// when absent or "default".
	Toolchain string `json:"toolchain,omitempty"`
	// GoLine and ToolchainLine count the lines of go.mod from 1, 0 when absent.
	GoLine        int `json:"goLine,omitempty"`
	ToolchainLine int `json:"toolchainLine,omitempty"`
	// Requires is true when a module is required that is neither replaced by a
	// local directory nor in the same workspace, so that it must be downloaded.
	Requires bool `json:"requires,omitempty"`
	// Sum is true when there is a go.sum.
	Sum bool `json:"sum,omitempty"`
	// Own is true when go.sum has a line about the module itself: one that it
	// requires requires it, and may import its packages.
	Own bool `json:"own,omitempty"`
	// Vendor is true when there is a vendor/modules.txt made for the module.
	Vendor bool `json:"vendor,omitempty"`
	// Replaces are the replacements by local directories, in the file's order.
	Replaces []Replace `json:"replaces,omitempty"`
	// Requirements are the module versions of the require directives, written
	// path@version, in the file's order.
	Requirements []string `json:"requirements,omitempty"`
	// Ignore are the paths of the ignore directives as written.
	Ignore []string `json:"ignore,omitempty"`
	// Err says what is wrong with go.mod, nil when nothing is. Only Dir is set
	// beside it. It is never set where [Scan] returns such an error itself.
	Err *Error `json:"err,omitempty"`
}

// Work is a go.work file.
type Work struct {
	// Dir is the slash path from the root of the tree, "." for the root itself.
	Dir string `json:"dir"`
	// Go and Toolchain are as in [Module].
	Go        string `json:"go,omitempty"`
	Toolchain string `json:"toolchain,omitempty"`
	// GoLine and ToolchainLine count the lines of go.work from 1, 0 when absent.
	GoLine        int `json:"goLine,omitempty"`
	ToolchainLine int `json:"toolchainLine,omitempty"`
	// Use are the directories used, in the file's order, written as
	// [Replace.Dir]. Nothing says that they hold a module.
	Use []string `json:"use,omitempty"`
	// UseLines are the lines of Use.
	UseLines []int `json:"useLines,omitempty"`
	// Sum is true when there is a go.work.sum.
	Sum bool `json:"sum,omitempty"`
	// Vendor is true when there is a vendor/modules.txt made for the workspace.
	Vendor bool `json:"vendor,omitempty"`
	// Replaces are the replacements by local directories, in the file's order.
	Replaces []Replace `json:"replaces,omitempty"`
	// Err is as in [Module].
	Err *Error `json:"err,omitempty"`
}

// Replace is a module replaced by a local directory.
type Replace struct {
	// Path is the path of the module replaced.
	Path string `json:"path"`
	// Version is the only version replaced, "" when all are.
	Version string `json:"version,omitempty"`
	// Dir is the slash path from the root of the tree. It begins with ".." when
	// it leaves the root; a rooted path is as written.
	Dir string `json:"dir"`
	// Line is where it is written, counted from 1.
	Line int `json:"line"`
}

// Package is a directory that holds Go files.
type Package struct {
	// Dir is the slash path from the root of the tree, "." for the root itself.
	Dir string
	// Module is the Dir of the nearest module, "" when there is none. For a
	// vendored package it is that of the module or workspace that vendors it.
	Module string
	// Files are the files that are not tests, sorted by Name.
	Files []File
	// Tests is true when there are test files. They are not read.
	Tests bool
	// Others are the other files that the go command may read in a build of the
	// package, sorted by Name.
	Others []Other
	// Embeds are the patterns of the //go:embed directives of Files with what
	// they match, sorted by Pattern.
	Embeds []Embed
}

// File is a Go file that is not a test.
type File struct {
	// Name is the name without the directory.
	Name string
	// Package is the name in the package clause, "" when the file's header
	// cannot be parsed.
	Package string
	// Constraint is the expression of the //go:build line, or the one equal to
	// the +build lines, "" when there is none.
	Constraint string
	// Cgo is true when the file imports "C".
	Cgo bool
	// Imports are the import paths, sorted, but for "C" and those that the go
	// command takes from nobody.
	Imports []string
	// Embeds are the patterns of the //go:embed directives, sorted.
	Embeds []string
}

// Other is a file that is no Go file: assembly, a header, an object, source of
// other languages for cgo, or the default.pgo of a main package.
type Other struct {
	// Name is the name without the directory.
	Name string `json:"name"`
	// Constraint is as in [File]. It is known of assembly and of headers beside
	// assembly, when the tree has their content.
	Constraint string `json:"constraint,omitempty"`
	// Includes are what assembly includes from the tree, directly or not, as
	// slash paths from the root, sorted.
	Includes []string `json:"includes,omitempty"`
}

// Embed is what a pattern of //go:embed directives matches.
type Embed struct {
	// Pattern is as written.
	Pattern string `json:"pattern"`
	// Files are the files matched as slash paths from the package's directory,
	// sorted. What the go command refuses to embed is among them when it must
	// have the file to say so.
	Files []string `json:"files,omitempty"`
}

// Link is a symbolic link.
type Link struct {
	// Name is the slash path from the root of the tree.
	Name string `json:"name"`
	// To is what the link leads to, as a slash path from the root of the tree,
	// "" when it leads out of it.
	To string `json:"to,omitempty"`
}

// Options says what to scan. The zero value asks for the whole tree.
type Options struct {
	// Mains are directories or import paths of packages, as [Index.Dir] takes
	// them. When each names one, only they are read, and what they import from
	// the tree on whatever target. When one does not, the whole tree is.
	Mains []string
	// NoWork says that the go command ignores every go.work, as with GOWORK=off.
	NoWork bool
	// MaxFiles is how many files and directories those directories may hold that
	// the scan lists, in all. 0 stands for [MaxFiles]. Of more there is an [*Error].
	MaxFiles int
	// MaxGoFiles is how many Go files the scan reads, tests not among them. 0 stands
	// for [MaxGoFiles]. Of more there is an [*Error].
	MaxGoFiles int
}
