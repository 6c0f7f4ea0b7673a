package llb

import (
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// StepScan is the title of the step that reads the source tree.
const StepScan = "[internal] scan packages"

// Where the scan finds the contents and the names.
const (
	scanTree  = "/tree"
	scanNames = "/names"
)

// ScanInput is what the scan of a source tree is drawn on, beside [Input].
type ScanInput struct {
	// Contents is a transfer of the contents that the scan reads. Left out are
	// tests, sums, and BuildKit's own list of names, which changes with sizes and
	// times.
	Contents llb.State
	// Names are the names of the whole tree, as package scan writes them.
	Names []byte
	// Mains are the packages that are built, none for all.
	Mains []string
	// NoWork says that the go command ignores every go.work.
	NoWork bool
}

// Scan draws the step that writes the index of a source tree. Of the input, it
// needs Self, BuildPlatform, SourceMap and Run. Its key are the names and
// the contents. It runs again for nothing else, not even for --no-cache: the
// same input gives the same index.
func Scan(in Input, s ScanInput) llb.State {
	in.NoCache = func(string) bool { return false }
	g := &graph{in: in}
	tree := llb.Scratch().File(
		llb.Mkdir(scanTree, 0o755).
			Copy(s.Contents, "/", scanTree, &llb.CopyInfo{CopyDirContentsOnly: true, ExcludePatterns: []string{"**/*_test.go", "**/go.work.sum", ".fsutil-metadata"}}).
			Mkfile(scanNames, 0o644, s.Names),
		llb.WithCustomName("[internal] select Go files"), g.at(spec.Pos{}), llb.Platform(in.BuildPlatform),
	)
	args := []string{selfCommand, "scan", "-names", sourceDir + scanNames}
	if s.NoWork {
		args = append(args, "-no-work")
	}
	args = append(append(args, sourceDir+scanTree, outputDir), s.Mains...)
	opts := g.run("", StepScan, args, pb.NetMode_NONE, spec.Pos{})
	// The key of the copy says what is in it: nothing is hashed a second time.
	opts = append(opts, llb.AddMount(sourceDir, tree, llb.Readonly, llb.ContentCache(llb.MountContentCacheOff)))
	return in.Self.Run(opts...).AddMount(outputDir, llb.Scratch())
}
