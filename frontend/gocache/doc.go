// Package gocache is a build cache for the go command that lies in several
// places: read-only layers, and a store that many builds share while they run.
// The go command starts it as a GOCACHEPROG program and speaks the protocol of
// cmd/go/internal/cacheprog to it.
//
// # Layers
//
// A layer is a folder, made to be the content of an image layer:
//
//	index        which action has which output
//	o/HASH       one file per output, named by its SHA-256 in hex
//
// The index is the line "gopherfile objects 1", then one record of 76 bytes per
// action, ascending by action, then the CRC-32C of all that. A record is the
// action (32 bytes), the SHA-256 of its output (32), the size of the output (8,
// big endian) and its CRC-32C (4, big endian). An empty output has no file.
// Equal objects make equal layers: modes are 0644 and 0755, times the epoch.
//
// Outputs are files of their own, not parts of a pack, since the go command
// wants the path of a file for each. A pack would be written to disk a second
// time by every step that uses it.
//
// # The store
//
// The store is laid out like the go command's own cache, so that one folder
// serves both: a release of Go that knows no GOCACHEPROG takes it as GOCACHE,
// and either trims what neither has used for days.
//
// Of what lies in the store nothing is trusted. The CRC-32C of an object is
// kept in an extended attribute of its file; without one the object is checked
// by its SHA-256. What is corrupt or gone is a miss. What the store cannot take
// is served from a private file.
//
// Module indexes never enter the store and never come from it. The go command
// keys them by the folder of a module alone, which says nothing of a module
// cache that holds only parts of modules. A layer may hold them: it belongs to
// the module cache that it was made with.
//
// # Waiting
//
// What is missing is claimed: one byte of the store's lock file is locked for
// as long as this process has the go command compile it. Another process that
// misses the same action waits for the lock and then finds the object. The
// kernel frees the locks of a process that dies.
//
// Nobody holds what he does not work on, which is why nobody waits forever.
// After a miss the go command tells when it starts to compile the package: it
// puts the list of source files. A claim without that ends after a short
// grace, and with it all claims for what is never put, such as linking. A
// compile that has started needs no other claim to come to its end.
//
// Invariant: whatever the layers and the store hold, a build gives the same
// result as without them. Only -out can fail a build.
package gocache
