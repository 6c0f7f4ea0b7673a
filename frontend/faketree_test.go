package frontend

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"testing/fstest"

	bkllb "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	apicapspb "github.com/moby/buildkit/util/apicaps/pb"
	"github.com/moby/patternmatcher"
	digest "github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// capability is a capability of a daemon.
type capability = apicapspb.APICap

// vertex is an op of a definition.
type vertex struct {
	digest string
	op     *pb.Op
}

// parse returns the ops of a definition in order, and the one that it is for.
func parse(def *pb.Definition) (all []vertex, head *pb.Op, err error) {
	byDigest := map[string]*pb.Op{}
	for _, dt := range def.Def {
		v := vertex{digest: digest.FromBytes(dt).String(), op: &pb.Op{}}
		if err := v.op.UnmarshalVT(dt); err != nil {
			return nil, nil, err
		}
		if v.op.Op == nil {
			head = byDigest[v.op.Inputs[0].Digest]
			continue
		}
		byDigest[v.digest] = v.op
		all = append(all, v)
	}
	return all, head, nil
}

// filter leaves out what the attributes of a local source do not let through,
// with the code that a client uses for it.
func filter(tree fstest.MapFS, attrs map[string]string) (fstest.MapFS, error) {
	opt := &fsutil.FilterOpt{}
	for attr, list := range map[string]*[]string{pb.AttrExcludePatterns: &opt.ExcludePatterns, pb.AttrFollowPaths: &opt.FollowPaths} {
		if attrs[attr] == "" {
			continue
		}
		if err := json.Unmarshal([]byte(attrs[attr]), list); err != nil {
			return nil, err
		}
	}
	filtered, err := fsutil.NewFilterFS(sender{tree}, opt)
	if err != nil {
		return nil, err
	}
	left := fstest.MapFS{}
	err = filtered.Walk(context.Background(), "", func(name string, _ fs.DirEntry, err error) error {
		if tree[name] != nil {
			left[name] = tree[name]
		}
		return err
	})
	return left, err
}

// metadataOnly leaves the names, and the contents of the files that match
// exceptions.
func metadataOnly(tree fstest.MapFS, exceptions string) (fstest.MapFS, error) {
	var patterns []string
	if err := json.Unmarshal([]byte(exceptions), &patterns); err != nil {
		return nil, err
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, err
	}
	left := fstest.MapFS{}
	var list []byte
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		st := &fstypes.Stat{Path: name, Mode: uint32(d.Type())}
		if d.Type() == 0 {
			st.Size = int64(len(tree[name].Data))
		}
		if d.Type() == fs.ModeSymlink {
			st.Linkname = string(tree[name].Data)
		}
		dt, err := st.MarshalVT()
		if err != nil {
			return err
		}
		list = append(binary.LittleEndian.AppendUint32(list, uint32(len(dt))), dt...)
		ok, err := m.MatchesOrParentMatches(name)
		if ok && tree[name] != nil {
			left[name] = tree[name]
		}
		return err
	})
	left[metadataFile] = &fstest.MapFile{Data: list}
	return left, err
}

// sender is a tree as a client sends it.
type sender struct{ tree fstest.MapFS }

// Walk calls fn for everything below a folder.
func (s sender) Walk(_ context.Context, target string, fn fs.WalkDirFunc) error {
	return fs.WalkDir(s.tree, path.Join(".", target), func(name string, d fs.DirEntry, err error) error {
		if name == "." || err != nil {
			return err
		}
		info, err := d.Info() // of a link itself
		if err != nil {
			return err
		}
		st := &fstypes.Stat{Path: name, Mode: uint32(info.Mode()), Size: info.Size(), ModTime: info.ModTime().UnixNano()}
		return fn(name, fs.FileInfoToDirEntry(fileInfo{st}), nil)
	})
}

// Open opens a file.
func (s sender) Open(name string) (io.ReadCloser, error) { return s.tree.Open(name) }

// fakeRef is a solved state. Its errors have the words of the daemon, which are
// all that a frontend gets of them.
type fakeRef struct{ tree fstest.MapFS }

func (r *fakeRef) ToState() (bkllb.State, error) { return bkllb.Scratch(), nil }

func (r *fakeRef) Evaluate(context.Context) error { return nil }

// inRoot is a name as the daemon takes it: from the root, whatever it says.
func inRoot(name string) string {
	if name = path.Clean("/" + name); name == "/" {
		return "."
	}
	return name[1:]
}

// reason is why there is no file of that name.
func reason(tree fs.FS, name string) string {
	if info, err := fs.Stat(tree, path.Dir(inRoot(name))); err == nil && !info.IsDir() {
		return "not a directory"
	}
	return "no such file or directory"
}

// stat follows links, as the daemon does.
func stat(tree fs.FS, name string) (*fstypes.Stat, error) {
	info, err := fs.Stat(tree, inRoot(name))
	if err != nil {
		return nil, fmt.Errorf("lstat %s: %s", name, reason(tree, name))
	}
	return &fstypes.Stat{Path: path.Base(name), Mode: uint32(info.Mode()), Size: info.Size(), ModTime: info.ModTime().UnixNano()}, nil
}

// ReadFile reads a range of a regular file. Past the end there is nothing.
func (r *fakeRef) ReadFile(ctx context.Context, req client.ReadRequest) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	data, err := fs.ReadFile(r.tree, inRoot(req.Filename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: %s", req.Filename, reason(r.tree, req.Filename))
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: not a regular file", req.Filename)
	}
	if req.Range != nil {
		data = data[min(req.Range.Offset, len(data)):]
		data = data[:min(req.Range.Length, len(data))]
	}
	return data, nil
}

// StatFile describes a file.
func (r *fakeRef) StatFile(ctx context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return stat(r.tree, req.Path)
}

// ReadDir lists a folder. Links are listed as links.
func (r *fakeRef) ReadDir(ctx context.Context, req client.ReadDirRequest) ([]*fstypes.Stat, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(r.tree, inRoot(req.Path))
	if err != nil {
		return nil, fmt.Errorf("resolve %s: lstat %s: no such file or directory", req.Path, req.Path)
	}
	var stats []*fstypes.Stat
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		stats = append(stats, &fstypes.Stat{Path: e.Name(), Mode: uint32(info.Mode()), Size: info.Size()})
	}
	return stats, nil
}
