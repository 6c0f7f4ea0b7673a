package frontend

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	gatewaypb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/gopherfile/gopherfile/frontend/plan"
	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/llb"
)

// metadataFile is where BuildKit lists a tree of which it transfers only some
// contents.
const metadataFile = ".fsutil-metadata"

// The limits of the scan as a step. Beyond them the frontend reads the tree
// itself.
const (
	maxNames    = 4 << 20  // of a definition, which travels in one message
	maxMetadata = 64 << 20 // of what the frontend holds in memory
	maxIndex    = 256 << 20
)

// piece is how much of a large file is read in one call. A message may have
// 16 MB.
const piece = 4 << 20

// sources is the build context as the scan needs it: all names, and the
// contents of Go files and module files.
type sources struct {
	self     bkllb.State
	contents bkllb.State
	files    *scan.NamedFS
	names    []byte
}

// contents are the patterns of the files that the scan reads, and of those that
// nearly every compile reads. BuildKit matches every name and the directories
// above it with all of them, so that they are few, and the contents of tests
// come along: what the step copies is for it to say.
func contents() []string {
	return []string{"**/*.go", "**/go.*", "**/vendor/modules.txt", "**/*.[hs]"}
}

// hasContent reports whether the content of a file came with the names. That
// of a link is where it leads.
func (s *sources) hasContent(name string) bool {
	switch base := path.Base(name); {
	case strings.HasPrefix(base, "go."), base == "modules.txt" && path.Base(path.Dir(name)) == "vendor":
	case path.Ext(base) == ".go", path.Ext(base) == ".h", path.Ext(base) == ".s":
	default:
		return false
	}
	info, err := s.files.Lstat(name)
	return err == nil && info.Mode().IsRegular()
}

// maxBeside is how many names a transfer is told. Of more files the whole
// context is transferred: the client compares each name with each of them.
const maxBeside = 500

// code divides what the compile steps copy: most of it came with the names, and
// is not transferred a second time.
func (b *build) code(ctx context.Context, in *llb.Input) error {
	if b.sources == nil {
		return nil
	}
	others := map[string]bool{}
	for _, files := range b.plan.Files() {
		for _, f := range files {
			if !b.sources.hasContent(f) {
				others[f] = true
			}
		}
	}
	in.Code, in.Held, in.Beside = b.sources.contents, b.sources.hasContent, in.Context
	b.beside = slices.Sorted(maps.Keys(others))
	if len(others) > maxBeside {
		return nil
	}
	var patterns []string
	for _, f := range b.beside {
		patterns = append(patterns, llb.Literal(f))
	}
	if len(patterns) == 0 {
		in.Beside = bkllb.Scratch()
		return nil
	}
	st, err := b.mainContext(ctx, "gopherfile-beside", bkllb.ExcludePatterns(b.excluded()), bkllb.IncludePatterns(patterns), dockerui.WithInternalName("load other files"))
	if err != nil {
		return fmt.Errorf("load the build context: %w", err)
	}
	in.Beside = *st
	return nil
}

// loadSources transfers what the scan needs of a context that the client has.
// It returns nil when that cannot be: then the whole context is transferred,
// and says itself what is wrong with it.
func (b *build) loadSources(ctx context.Context) (*sources, error) {
	self, err := b.currentFrontend()
	if err != nil || self == nil || len(b.spec.Generate) > 0 || !b.supports(pb.CapSourceMetadataTransfer) {
		return nil, err
	}
	// A file of the name that BuildKit uses would shift the contents of those
	// behind it.
	st, err := b.mainContext(ctx, "gopherfile-scan",
		bkllb.ExcludePatterns(append(b.excluded(), metadataFile)),
		bkllb.MetadataOnlyTransfer(contents()),
		dockerui.WithInternalName("load names and Go files"),
	)
	if err != nil {
		return nil, err
	}
	def, err := b.marshal(ctx, *st)
	if err != nil || !isMetadata(def) {
		return nil, err
	}
	res, err := b.client.Solve(ctx, client.SolveRequest{Definition: def, Evaluate: true})
	if err != nil {
		return nil, ctx.Err() // error ignored: see above
	}
	ref, err := res.SingleRef()
	if err != nil {
		return nil, err
	}
	s := &sources{self: *self, contents: *st, files: &scan.NamedFS{Content: &tree{ctx: ctx, ref: ref}, Rooted: true}}
	if err := s.read(ctx, ref); err != nil || !s.complete() {
		return nil, ctx.Err() // error ignored: see above
	}
	return s, nil
}

// isMetadata reports whether a definition is a transfer of names. A context
// that is not the client's is not transferred, whatever is asked for.
func isMetadata(def *pb.Definition) bool {
	for _, dt := range def.GetDef() {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err == nil && op.GetSource().GetAttrs()[pb.AttrMetadataTransfer] == "true" {
			return true
		}
	}
	return false
}

// read reads the names.
func (s *sources) read(ctx context.Context, ref client.Reference) error {
	data, err := readAll(ctx, ref, metadataFile, maxMetadata)
	if err != nil {
		return err
	}
	if s.files.Names, err = parseMetadata(data); err != nil {
		return err
	}
	if s.names, err = s.files.Names.MarshalBinary(); err != nil {
		return err
	}
	if len(s.names) > maxNames {
		return errors.New("too many names")
	}
	return nil
}

// complete reports whether there is the content of all that the scan reads. A
// link may give the name of a Go file to another one.
func (s *sources) complete() bool {
	for name := range s.files.Names.Links() {
		if !scan.Reads(name) {
			continue
		}
		real := s.files.Real(name)
		if info, err := s.files.Stat(name); err == nil && !info.IsDir() && !scan.Reads(real) {
			return false
		}
	}
	return true
}

// parseMetadata reads BuildKit's list: of each name a number of bytes, and so
// many bytes of a message.
func parseMetadata(data []byte) (*scan.Names, error) {
	names := &scan.Names{}
	for len(data) > 0 {
		if len(data) < 4 {
			return nil, errors.New("the last entry is cut short")
		}
		n := binary.LittleEndian.Uint32(data)
		if data = data[4:]; uint64(n) > uint64(len(data)) {
			return nil, errors.New("the last entry is cut short")
		}
		var st fstypes.Stat
		if err := st.UnmarshalVT(data[:n]); err != nil {
			return nil, err
		}
		data = data[n:]
		if len(st.Path) > scan.MaxName {
			return nil, fmt.Errorf("a name has %d bytes", len(st.Path))
		}
		names.Add(st.Path, fs.FileMode(st.Mode), st.Linkname)
		names.SetSize(st.Path, st.Size)
	}
	return names, nil
}

// readAll reads a file of any size up to a limit.
func readAll(ctx context.Context, ref client.Reference, name string, limit int) ([]byte, error) {
	var all []byte
	for {
		data, err := ref.ReadFile(ctx, client.ReadRequest{Filename: name, Range: &client.FileRange{Offset: len(all), Length: piece}})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if all = append(all, data...); len(data) < piece {
			return all, nil
		}
		if len(all) > limit {
			return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
		}
	}
}

// scan finds out what the context is. What [scan.Scan] says of it is the error.
// Packages that are imported from outside of the tree are read as well.
func (b *build) scan(ctx context.Context, imported ...string) (*scan.Index, error) {
	mains := plan.Mains(b.spec)
	if len(mains) > 0 { // none: all packages are read
		mains = append(mains, imported...)
	}
	if b.sources != nil {
		ix, err := b.scanStep(ctx, mains)
		if err != nil {
			return nil, err
		}
		if includesKnown(ix) {
			return ix, ix.Check(mains)
		}
		if err := b.loadWhole(ctx); err != nil {
			return nil, err
		}
	}
	return scan.Scan(b.tree, scan.Options{Mains: mains, NoWork: plan.NoWork(b.spec)})
}

// includesKnown reports whether all was read that assembly includes. What is no
// header by its name was not transferred, and may itself include others.
func includesKnown(ix *scan.Index) bool {
	for _, list := range [][]scan.Package{ix.Packages, ix.Vendored} {
		for i := range list {
			for _, o := range list[i].Others {
				for _, name := range o.Includes {
					if !scan.Reads(name) {
						return false
					}
				}
			}
		}
	}
	return true
}

// scanStep runs the scan on the frontend's own root file system, unless
// BuildKit has its index.
func (b *build) scanStep(ctx context.Context, mains []string) (*scan.Index, error) {
	st := llb.Scan(llb.Input{
		Self:          b.sources.self,
		BuildPlatform: b.ui.BuildPlatforms[0],
		SourceMap:     b.source.SourceMap,
		Run:           b.runOptions(),
	}, llb.ScanInput{Contents: b.sources.contents, Names: b.sources.names, Mains: mains, NoWork: plan.NoWork(b.spec)})
	def, err := b.marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	res, err := b.client.Solve(ctx, client.SolveRequest{Definition: def, Evaluate: true})
	if err != nil {
		return nil, b.scanError(err)
	}
	ref, err := res.SingleRef()
	if err != nil {
		return nil, err
	}
	data, err := readAll(ctx, ref, scan.IndexFile, maxIndex)
	if err != nil {
		return nil, fmt.Errorf("read the index of the build context: %w", err)
	}
	ix := &scan.Index{}
	if err := json.Unmarshal(data, ix); err != nil {
		return nil, fmt.Errorf("read the index of the build context: %w", err)
	}
	return ix, nil
}

// scanError says that a scan failed, which is the fault of a context only when
// that changed under it.
func (b *build) scanError(err error) error {
	var exit *gatewaypb.ExitError
	switch {
	case !errors.As(err, &exit):
		return fmt.Errorf("scan the build context: %w", err)
	case exit.ExitCode == scan.ExitChanged:
		return &explained{msg: "the build context changed while it was sent, as the lines above say: build again", err: err}
	}
	msg := fmt.Sprintf("the scan of the build context failed with exit code %d because of a defect of gopherfile: please report it with its own lines above", exit.ExitCode)
	return &explained{msg: msg, err: err}
}
