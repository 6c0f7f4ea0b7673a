package plan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestWriteText checks what people read of a plan.
func TestWriteText(t *testing.T) {
	amd64 := ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	arm := ocispecs.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	download := &Download{Dir: ".", Files: []string{"go.mod", "go.sum"}, Env: []string{"GOPROXY=https://proxy.test,direct"}, Netrc: "corp", SSH: "default"}
	nested := &Download{Dir: "tools", Files: []string{"tools/go.mod"}, Netrc: "netrc", SSH: "key"}
	builder := Builder{Ref: "golang:1.26-alpine"}
	server := Binary{
		Name: "server", Main: "./cmd/server", Dir: ".", File: "server", Path: "/server", Files: []string{"go.mod", "main.go"},
		Modules: &Modules{Download: download}, Objects: &Objects{Imports: []string{"example.com/x"}},
		Env: []string{"GOOS=linux", "CGO_ENABLED=0"}, Flags: []string{"-trimpath", "-ldflags=-s -w"},
	}
	tool := Binary{Name: "tool", Main: ".", Dir: "tools", File: "tool.exe", Path: "/tool.exe", Download: nested}
	for _, tt := range []struct {
		name string
		plan Plan
		want string
	}{
		{"nothing", Plan{}, "go             as in the builder image\n"},
		{"builder", Plan{Release: "1.26", Builder: builder}, "go             1.26\nbuilder        golang:1.26-alpine\n"},
		{"generate", Plan{Builder: builder, Generate: []Command{
			{Args: []string{"go", "generate", "./..."}, Dir: "."},
			{Args: []string{"go", "run", "./gen", "", "a b", `c"d`, "e'f", "g\nh"}, Dir: "api", Network: true, Download: download},
		}}, `go             as in the builder image
builder        golang:1.26-alpine
modules        go mod download in .
  files        go.mod go.sum
  env          GOPROXY=https://proxy.test,direct
  secrets      netrc corp, ssh default, when they are passed
generate       go generate ./... in .
generate       go run ./gen "" "a b" "c\"d" "e'f" "g\nh" in api, with a network
`},
		{"downloads once each", Plan{
			Generate: []Command{{Args: []string{"x"}, Dir: ".", Download: download}},
			Targets:  []Target{{Name: "binaries", Platform: amd64, Binaries: []Binary{server, tool}}, {Name: "binaries", Platform: arm, Binaries: []Binary{server, tool}}}, FilesOnly: true,
		}, `go             as in the builder image
modules        go mod download in .
  files        go.mod go.sum
  env          GOPROXY=https://proxy.test,direct
  secrets      netrc corp, ssh default, when they are passed
modules        go mod download in tools
  files        tools/go.mod
  secrets      netrc netrc, ssh key, when they are passed
generate       x in .

binaries       linux/amd64
  binary       server
    command    go build -trimpath "-ldflags=-s -w" ./cmd/server in .
    env        GOOS=linux CGO_ENABLED=0
    reads      2 files of the context
    imports    1 package of other modules
  binary       tool.exe
    command    go build . in tools
    reads      the whole context

binaries       linux/arm/v7
  binary       server
    command    go build -trimpath "-ldflags=-s -w" ./cmd/server in .
    env        GOOS=linux CGO_ENABLED=0
    reads      2 files of the context
    imports    1 package of other modules
  binary       tool.exe
    command    go build . in tools
    reads      the whole context
`},
		{"test", Plan{Release: "1.26", Targets: []Target{{Name: "test", Platform: amd64, Test: &Test{Dir: "tools", Env: []string{"A=b c"}, Args: []string{"-run", "A B", "./..."}, Download: nested}}}}, `go             1.26
modules        go mod download in tools
  files        tools/go.mod
  secrets      netrc netrc, ssh key, when they are passed

test           linux/amd64
  command      go test -run "A B" ./... in tools
  env          "A=b c"
`},
		{"image", Plan{Targets: []Target{{
			Name: "server", Platform: amd64, Binaries: []Binary{{Name: "server", Main: ".", Dir: ".", File: "server", Path: "/server"}},
			Rootfs: Rootfs{Certs: true, Tmp: true},
			Image: Image{
				User: "65532:65532", Workdir: "/data", Entrypoint: []string{"/server"}, Cmd: []string{"-name", "a b"}, Env: []string{"A=1", "B=2 3"},
				Expose: []string{"80/tcp", "53/udp"}, Volumes: []string{"/data"}, Stopsignal: "SIGINT",
				Healthcheck: &Healthcheck{Test: []string{"/server", "-health"}, Interval: time.Second},
				Labels:      map[string]string{"b": "2", "a": "1 2", "c": ""},
				Annotations: []Annotation{{"z", "1"}, {"y", "2"}},
			},
		}}}, `go             as in the builder image

server         linux/amd64
  binary       /server
    command    go build . in .
    reads      the whole context
  from         scratch
  rootfs       certs tmp
  user         65532:65532
  workdir      /data
  entrypoint   /server
  cmd          -name "a b"
  env          A=1 "B=2 3"
  expose       80/tcp 53/udp
  volumes      /data
  stopsignal   SIGINT
  healthcheck  /server -health
  label        a=1 2
  label        b=2
  label        c=
  annotation   z=1
  annotation   y=2
`},
		{"files on a base", Plan{Targets: []Target{{Name: "server", Platform: amd64, Base: "example.com/base:1", Files: []File{
			{Path: "/config/*.yaml", To: "/etc/", Mode: -1},
			{Path: "/", To: "/src", Mode: 0, UID: 1, GID: 2},
			{Path: "/dist", Context: "assets", To: "/srv/", Mode: 0o644, UID: 65532, GID: 65532},
			{Path: "/", Context: "assets", To: "/all", Mode: 0o1777},
			{URL: "https://example.com/data.bin", Checksum: "sha256:00", To: "/data", Mode: -1},
		}}}}, `go             as in the builder image

server         linux/amd64
  from         example.com/base:1
  file         config/*.yaml to /etc/ owner 0:0
  file         . to /src owner 1:2 mode 0000
  file         context:assets/dist to /srv/ owner 65532:65532 mode 0644
  file         context:assets/ to /all owner 0:0 mode 1777
  file         https://example.com/data.bin to /data owner 0:0
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 5 { // no map decides the order
				var b strings.Builder
				if err := tt.plan.WriteText(&b); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, b.String()); diff != "" {
					t.Fatalf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

// full is a writer that takes nothing.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestWriteTextError checks that an error of the writer comes back.
func TestWriteTextError(t *testing.T) {
	if err := (&Plan{}).WriteText(full{}); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}
