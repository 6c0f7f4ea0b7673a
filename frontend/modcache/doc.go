// Package modcache fills a module cache with nothing but what some builds
// reach: a few packages of a few modules, instead of all files of all modules
// that go.mod names.
//
// It runs where the module files of a tree are (go.mod, go.sum, go.work and
// those of local replacements) and its Go files are not. What the tree imports
// is told. What the imports import is asked of the go command, which downloads
// on the way. Its module cache, which may be shared with other builds while
// they run, only makes that faster.
//
// # What is written
//
//	PATH@VERSION/...                        files of the packages that are reached
//	cache/download/PATH/@v/VERSION.ziphash  the line of go.sum
//	cache/download/PATH/@v/VERSION.mod      the module graph
//	cache/back.json                         what the packages import of the tree, if anything
//
// Of a package that is every file in its directory but tests, and what it
// embeds. A package with cgo, or with assembly that includes from elsewhere,
// may read any file of its module and gets them all. A module that could
// provide a package and does not is an empty folder: the go command wants to
// see that. Modes are 0644 and 0755, times the epoch.
//
// # What is trusted
//
// The go.sum file, and what the go command downloads itself. The sum of a
// module there is the hash of a list: of each file its SHA-256 and its name.
// That list is kept next to the modules in the shared cache. One that go.sum
// confirms says of every file what must be in it, so only the files that are
// copied are read. Without one all files of the module are hashed, once.
//
// The go.mod files are copied by the go command, which checks them against
// go.sum. It is run once more for that, on what was written, without a network,
// and has to find the same packages there.
//
// If anything is amiss all work is done again with an empty module cache, and what
// differs from it is removed from the shared one.
//
// Invariant: equal module files, imports and platforms give equal bytes,
// whatever the shared cache holds.
package modcache
