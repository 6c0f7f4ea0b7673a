package llb

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
)

func TestScan(t *testing.T) {
	sm := llb.NewSourceMap(nil, "Gopherfile.yaml", "yaml", []byte("main: ./a\n"))
	place := sm.Location([]*pb.Range{{Start: &pb.Position{Line: 1}, End: &pb.Position{Line: 1}}})
	st := Scan(Input{
		Self:          llb.Image("docker.io/gopherfile/gopherfile:1", llb.Platform(amd64()), place),
		BuildPlatform: amd64(),
		SourceMap:     sm,
		NoCache:       func(string) bool { return true },
	}, ScanInput{
		Contents: llb.Local("context", llb.SessionID("session"), place),
		Names:    []byte("fgo.mod\x00"),
		Mains:    []string{"./a", "example.com/b"},
		NoWork:   true,
	})
	const want = `v0 source docker-image://docker.io/gopherfile/gopherfile:1 on linux/amd64
	at    1:1
v1 source local://context
	at    1:1
v2 file
	mkdir /tree mode=755
	copy  v1:0/ -> /tree on copy 0 mode=0 time=-1
	but   **/*_test.go **/go.work.sum .fsutil-metadata
	file  /names mode=644 "fgo.mod\x00"
	name  [internal] select Go files
	at    1:1
v3 exec on linux/amd64 ["/bin/gopherfile" "scan" "-names" "/src/names" "-no-work" "/src/tree" "/out" "./a" "example.com/b"]
	cwd   / net=none
	env   
	mount / <- v0:0 ro
	mount /out <- scratch output 0
	mount /src <- v2:0 ro nohash
	mount /tmp <- tmpfs
	name  [internal] scan packages
	at    1:1
result 0 v3:0
`
	got := dumpGraph(t, &Graph{Results: []Result{{State: st}}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
